import { z } from 'zod';
import { method } from '../../src/call/define.ts';
import { defineGlobal } from '../../src/call/definition.ts';
import { createMethodTable, type MethodTable } from '../../src/call/dispatch.ts';
import type { RunContainer } from '../../src/call/run.ts';
import { anyValue, callback } from '../../src/call/schema.ts';
import type { Callback, Value } from '../../src/call/value.ts';
import { ScriptError } from '../../src/errors.ts';
import type { ScriptEngine, Source } from '../../src/script/engine.ts';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Methods for trying an engine by itself: calls that answer, wait, fail, hold and call back. */
export const tryGlobal = defineGlobal({
  name: 'Try',
  doc: 'Calls of every kind.',
  methods: {
    echo: method({
      doc: 'Gives its argument back.',
      effect: 'external',
      params: { value: anyValue },
      result: anyValue,
      handler: ({ value }) => value as Value,
    }),
    later: method({
      doc: 'Gives its argument back after a while.',
      effect: 'external',
      params: { value: anyValue, ms: z.number().optional() },
      result: anyValue,

      handler: async ({ value, ms }) => {
        await wait(ms ?? 1);
        return value as Value;
      },
    }),
    now: method({
      doc: 'Gives its argument back by a promise.',
      effect: 'external',
      params: { value: anyValue },
      result: anyValue,
      handler: async ({ value }) => value,
    }),
    fail: method({
      doc: 'Fails, at once or later.',
      effect: 'external',
      params: { message: z.string(), ms: z.number().optional() },
      result: anyValue,

      handler: ({ message, ms }): Value | Promise<Value> => {
        const error = () => new ScriptError('TOOL_FAILED', message, { details: { outcome: 'failed', retryable: true } });
        if (ms === undefined) throw error();
        return wait(ms).then(() => {
          throw error();
        });
      },
    }),
    call: method({
      doc: 'Calls a function with arguments and gives its result.',
      effect: 'external',
      params: { fn: callback(), args: z.array(anyValue).optional(), timeout_ms: z.number().optional() },
      result: anyValue,

      handler: ({ fn, args, timeout_ms }, context) =>
        context.invoke(fn as Callback, (args ?? []) as Value[], timeout_ms === undefined ? {} : { timeoutMs: timeout_ms }),
    }),
    all: method({
      doc: 'Calls all functions at once.',
      effect: 'external',
      params: { fns: z.array(callback()) },
      result: anyValue,

      handler: ({ fns }, context) => Promise.all((fns as Callback[]).map((fn) => context.invoke(fn, []))),
    }),
  },
});

export const tryTable: MethodTable = createMethodTable([tryGlobal]);

/** Runs a text in a fresh context. */
export async function runText(engine: ScriptEngine, run: RunContainer, text: string, source: Partial<Source> = {}): Promise<Value> {
  const instance = engine.open(tryTable, run);
  try {
    return await instance.execute({ text, name: engine.language === 'lua' ? 'test.lua' : 'test.js', ...source });
  } finally {
    instance.close();
  }
}

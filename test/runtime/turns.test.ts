import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { method } from '../../src/call/define.ts';
import { defineGlobal } from '../../src/call/definition.ts';
import { ScriptRuntime } from '../../src/runtime.ts';
import { turnsDuring } from '../support/turns.ts';

/** Computes on the host for longer than a turn, then gives what takes the engine long to take over. */
const busy = defineGlobal({
  name: 'Busy',
  doc: 'Host work that holds the thread.',
  methods: {
    list: method({
      doc: 'A long list after some ms.',
      params: { size: z.int() },
      result: z.array(z.string()),
      effect: 'read',
      examples: [],
      handler: ({ size }) => {
        const end = performance.now() + 6;
        while (performance.now() < end);
        return Array.from({ length: size }, (_, at) => `item ${at}`);
      },
    }),
  },
});

const CALLS = 12;
let runtime: ScriptRuntime;
beforeAll(async () => {
  runtime = await ScriptRuntime.create({ globals: [busy], builtins: false, config: { data: { backend: 'memory' } } });
});
afterAll(() => runtime[Symbol.asyncDispose]());

/** How many turns the event loop takes while a script runs. */
const turnsOf = async (language: 'lua' | 'javascript', text: string) => (await turnsDuring(() => runtime.execute(text, { language }))).turns;

/** Without a turn after each call there would be none; now and then one falls together with the end. */
const LEAST = CALLS / 2;

describe('a script whose calls of the host take long', () => {
  it.each([1, 20_000])('lets the event loop turn after each, with answers of %i values', async (size) => {
    expect(await turnsOf('lua', `for i = 1, ${CALLS} do Busy.list(${size}) end`)).toBeGreaterThanOrEqual(LEAST);
    expect(await turnsOf('javascript', `for (let i = 0; i < ${CALLS}; i++) Busy.list(${size})`)).toBeGreaterThanOrEqual(LEAST);
  });
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { method } from '../../src/call/define.ts';
import { defineGlobal } from '../../src/call/definition.ts';
import { createMethodTable } from '../../src/call/dispatch.ts';
import { anyValue, callback } from '../../src/call/schema.ts';
import type { Callback, Value } from '../../src/call/value.ts';
import { createJavaScriptEngine } from '../../src/script/javascript/engine.ts';
import { createLuaEngine } from '../../src/script/lua/engine.ts';
import { testHost, testRun } from '../support/run.ts';

const nested = (depth: number): Value => (depth === 0 ? 1 : { v: nested(depth - 1) });
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const changing = () => {
  let reads = 0;
  const item = {
    get n() {
      return reads++ < 1 ? 1 : Symbol('n');
    },
  };
  return { list: [item] };
};
const detached = () => {
  const data = new Uint8Array(8);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return { data };
};
const broken = {
  get n() {
    throw new TypeError('no n');
  },
};

/** What a method whose answers are trusted hands over, and how that is refused; positions as in JavaScript. */
const ANSWERS: Readonly<Record<string, readonly [value: () => unknown, code?: string, said?: string]>> = {
  deep: [() => nested(64)],
  too_deep: [() => ({ list: [nested(64)] }), 'LIMIT_EXCEEDED', 'result.list[0].v.v.v.v.v.v….v.v.v.v: nested deeper than 64'],
  far_too_deep: [() => nested(5_000), 'LIMIT_EXCEEDED', 'result.v.v.v.v.v.v.v.v….v.v.v.v: nested deeper than 64'],
  many: [() => numbers(99_999)],
  too_many: [() => ({ list: numbers(100_000) }), 'LIMIT_EXCEEDED', 'result.list: more than 100000 parts in one value'],
  too_many_small: [() => [null, numbers(40_000).map((n) => ({ a: n, b: 'x' }))], 'LIMIT_EXCEEDED', ': more than 100000 parts in one value'],
  many_small: [() => numbers(33_000).map((n) => ({ a: n, b: 'x' }))],
  too_long: [() => 'x'.repeat(20e6), 'LIMIT_EXCEEDED', 'result: more than 16 MB in one value'],
  too_long_together: [() => ({ a: ['x'.repeat(9e6), new Uint8Array(9e6)] }), 'LIMIT_EXCEEDED', 'result.a[1]: more than 16 MB in one value'],
  too_long_name: [() => ({ a: { ['x'.repeat(17e6)]: 1 } }), 'LIMIT_EXCEEDED', 'more than 16 MB in one value'],
  map: [() => ({ a: new Map() }), 'INTERNAL', 'result.a: expected data, got a Map'],
  fn: [() => ({ a: [() => 1] }), 'INTERNAL', 'result.a[0]: expected data, got a function'],
  symbol: [() => [Symbol('s')], 'INTERNAL', 'result[0]: expected data, got a symbol'],
  integer: [() => [2n ** 63n], 'INTERNAL', 'result[0]: expected an integer of at most 64 bits, got 9223372036854775808'],
  broken: [() => [1, broken], 'INTERNAL', 'result[1].n: it cannot be read: no n'],
  detached: [detached, 'INTERNAL', 'result.data: it cannot be read: Cannot perform'],
};

const answer = (value: () => unknown) => method({ doc: 'Gives.', params: {}, result: anyValue, effect: 'external', handler: () => value() as Value });

const pass = defineGlobal({
  name: 'Pass',
  doc: 'Gives what it should not.',
  methods: {
    ...Object.fromEntries(Object.entries(ANSWERS).map(([name, [value]]) => [name, answer(value)])),
    given: method({
      doc: 'Gives one of them to a function.',
      params: { fn: callback(), name: z.string() },
      result: anyValue,
      effect: 'external',
      handler: ({ fn, name }, context) => context.invoke(fn as Callback, [1, ANSWERS[name]?.[0]() as Value]),
    }),
    fields: method({
      doc: 'Gives a field that is undefined, among few and among many.',
      params: {},
      result: anyValue,
      effect: 'pure',
      handler: () => {
        const few = { a: undefined, b: [undefined] } as unknown as Value;
        return { few, many: { ...(few as object), ...Object.fromEntries(numbers(3_000).map((n) => [`n${n}`, n])) } } as Value;
      },
    }),
  },
});
const table = createMethodTable([pass], { trusted: new Set(['Pass']) });
/** Those that functions are given too. */
const GIVEN = ['deep', 'too_deep', 'too_many', 'too_long', 'map', 'fn', 'broken'];
const ENGINES = { lua: createLuaEngine(), javascript: createJavaScriptEngine() };

describe.each(['lua', 'javascript'] as const)('what trusted code hands to %s', (language) => {
  const host = testHost();
  const positions = (text: string) => (language === 'lua' ? text.replaceAll(/\[(\d+)\]/g, (_, at) => `[${Number(at) + 1}]`) : text);
  const execute = async (text: string): Promise<Value> => {
    const { run } = testRun({ host, language });
    const instance = ENGINES[language].open(table, run);
    try {
      return await instance.execute({ text, name: 'test' });
    } finally {
      instance.close();
    }
  };
  /** Code and message of each call, or true; all in one instance, which lives on. */
  const tried = (names: readonly string[], call: (name: string) => string) =>
    execute(
      language === 'lua'
        ? `local said = {} ${names
            .map((name) => `do local ok, e = pcall(function() return ${call(name)} end) said.${name} = ok or {e.code, e.message, e.method} end`)
            .join('\n')} return said`
        : `const said = {}; ${names
            .map((name) => `try { ${call(name)}; said.${name} = true } catch (e) { said.${name} = [e.code, e.message, e.method] }`)
            .join('\n')} said`,
    );
  const expected = (names: readonly string[], method: (name: string) => string, place: string) =>
    Object.fromEntries(
      names.map((name) => {
        const [, code, said = ''] = ANSWERS[name] ?? [];
        const message = positions(said.replace(/^result/, `${method(name)}: ${place}`));
        return [name, code === undefined ? true : [code, expect.stringContaining(message), method(name)]];
      }),
    );

  it('obeys the limits and kinds of values, with method and place', async () => {
    const names = Object.keys(ANSWERS);
    expect(await tried(names, (name) => `Pass.${name}()`)).toEqual(expected(names, (name) => `Pass.${name}`, 'result'));
  });

  it('does so as arguments of its functions', async () => {
    const fn = language === 'lua' ? 'function() end' : '() => {}';
    expect(await tried(GIVEN, (name) => `Pass.given(${fn}, "${name}")`)).toEqual(expected(GIVEN, () => 'Pass.given', 'argument 2 of the function'));
  });

  it('does so as input that has become something else', async () => {
    const { run } = testRun({ host, language, input: changing() as unknown as Value });
    const instance = ENGINES[language].open(table, run);
    void (run.input as { list: { n: unknown }[] }).list[0]?.n;
    await expect(instance.execute({ text: '', name: 'test' })).rejects.toMatchObject({
      code: 'INTERNAL',
      message: `execute: input${positions('.list[0]')}.n: expected data, got a symbol`,
    });
    instance.close();
  });

  it('has no fields that are undefined, and nulls where items are', async () => {
    const text =
      language === 'lua'
        ? 'local all = Pass.fields() local out = {} for _, v in ipairs({all.few, all.many}) do out[#out + 1] = {v.a == nil, #v.b, v.b[1] == v.b[1], type(v.b[1])} end return out'
        : 'const all = Pass.fields(); [all.few, all.many].map((v) => [!("a" in v), v.b.length, v.b[0] === v.b[0], v.b[0] === null ? "userdata" : "other"])';
    expect(await execute(text)).toEqual([
      [true, 1, true, 'userdata'],
      [true, 1, true, 'userdata'],
    ]);
  });
});

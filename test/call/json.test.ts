import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromJsonText, toJsonText } from '../../src/call/json.ts';
import type { Value } from '../../src/call/value.ts';
import { ScriptRuntime } from '../../src/runtime.ts';
import { turnsDuring } from '../support/turns.ts';

describe('JSON text', () => {
  it.each([0, 2])('is what JavaScript writes of the same data, with an indentation of %i', (indent) => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        // The one difference: -0 keeps its sign.
        fc.pre(!/-0/.test(toJsonText(value as Value)));
        expect(toJsonText(value as Value, { pretty: indent > 0 })).toBe(JSON.stringify(value, null, indent));
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['a long text', '"ä€😀\n\\'.repeat(40_000)],
    ['a long text in which pieces end within pairs', `a${'😀'.repeat(100_000)}`],
    ['many values', Array.from({ length: 5_000 }, (_, i) => ({ i, half: i + 0.5, list: [null, true, `${i}`] }))],
    ['many levels', Array.from({ length: 60 }).reduce<Value>((inner) => [inner, { inner }].slice(0, 1), 1)],
  ])('is whole for %s', (_, value) => {
    expect(toJsonText(value as Value)).toBe(JSON.stringify(value));
    expect(fromJsonText(toJsonText(value as Value))).toEqual(value);
  });

  it('of long bytes is their Base64', () => {
    const bytes = new Uint8Array(200_000).map((_, i) => i % 251);
    expect(JSON.parse(toJsonText([bytes]))).toEqual([{ $bytes: Buffer.from(bytes).toString('base64') }]);
  });
});

describe('JSON in Lua', () => {
  let runtime: ScriptRuntime;
  beforeAll(async () => {
    runtime = await ScriptRuntime.create({ config: { data: { backend: 'memory' } } });
  });
  afterAll(() => runtime[Symbol.asyncDispose]());
  const run = async (text: string) => (await runtime.execute(text, { language: 'lua', limits: { memory_mb: 128 } })).value;

  it('lets others have their turns while a large value is written or read, and a small one takes none', async () => {
    const text = (count: number) => `local t = {} for i = 1, ${count} do t[i] = {a = i, b = i + 0.5} end local u = JSON.parse(JSON.stringify(t))
      for i = 1, ${count} do assert(u[i].a == i and math.type(u[i].a) == "integer" and u[i].b == i + 0.5) end return #u`;
    await run(text(1));
    expect((await turnsDuring(() => run(text(1)))).turns).toBeLessThan(3);
    const { result, turns } = await turnsDuring(() => run(text(20_000)));
    expect(result).toBe(20_000);
    expect(turns).toBeGreaterThan(10);
  });

  it('says in one line what is wrong with a text, short or long', async () => {
    const wrong = (rows: number) => run(`return select(2, pcall(JSON.parse, "[" .. ("1,\\n"):rep(${rows}) .. "x]")).message`);
    const message = `JSON.parse: text: expected JSON text: Unexpected token 'x', ..." 1, 1, 1, x]" is not valid JSON`;
    expect(await Promise.all([wrong(10), wrong(100_000)])).toEqual([message, message]);
  });
});

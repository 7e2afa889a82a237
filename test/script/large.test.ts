import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { method } from '../../src/call/define.ts';
import { defineGlobal } from '../../src/call/definition.ts';
import { anyValue, callback } from '../../src/call/schema.ts';
import type { Callback, Value, ValueMap } from '../../src/call/value.ts';
import { ScriptRuntime } from '../../src/runtime.ts';
import { scheduler } from '../../src/script/scheduler.ts';
import { turnsDuring } from '../support/turns.ts';

const COUNT = 30_000;
/** Large values of each kind, as the host has them. */
const LARGE: Readonly<Record<string, Value>> = {
  maps: Array.from({ length: COUNT }, (_, i) => ({ a: i })),
  texts: Array.from({ length: COUNT }, (_, i) => `text ${i}`),
  numbers: Array.from({ length: COUNT }, (_, i) => i + 0.5),
  // In byte order, as a table of Lua comes: integer-like names would come first in any object.
  keys: Object.fromEntries(Array.from({ length: COUNT }, (_, i) => [`k${String(i).padStart(6, '0')}`, i])),
  'long keys': Object.fromEntries(Array.from({ length: 40 }, (_, i) => ['k'.repeat(60_000) + String(i).padStart(2, '0'), i])),
  deep: { list: [Array.from({ length: COUNT / 2 }, (_, i) => [i, { x: 'ä€😀' }])] },
  'ASCII text': 'x'.repeat(3 * 2 ** 20),
  'text beyond ASCII': 'ä€😀'.repeat(2 ** 18),
  'text in Latin-1': 'äöx'.repeat(2 ** 18),
  'texts in a list': ['x'.repeat(2 ** 20), 'ä€😀'.repeat(2 ** 16), 'short'],
  bytes: new Uint8Array(2 ** 20).map((_, i) => 128 | i),
};

let given: Value;
let taken: Value;
let abort: AbortController;
let made: unknown;
/** How often somebody has looked whether a turn is over. */
let looks: () => number;

/** Calls that pass values in all directions. */
const pass = defineGlobal({
  name: 'Pass',
  doc: 'Passes values.',
  methods: {
    give: method({ doc: 'Gives a value.', params: {}, result: anyValue, effect: 'pure', examples: [], handler: () => given }),
    later: method({ doc: 'Gives a value later.', params: {}, result: anyValue, effect: 'wait', examples: [], handler: async () => given }),
    take: method({
      doc: 'Takes a value, another one before and behind it.',
      params: { before: z.number(), value: anyValue, behind: z.string() },
      result: z.void(),
      effect: 'pure',
      examples: [],
      handler: ({ before, value, behind }) => {
        taken = before === 1 && behind === 'end' ? value : 'wrong neighbours';
      },
    }),
    through: method({
      doc: 'Passes a value through a function.',
      params: { fn: callback('(value: any) => any'), timeout_ms: z.number().optional() },
      result: z.void(),
      effect: 'wait',
      examples: [],
      handler: async ({ fn, timeout_ms }, context) => {
        taken = await context.invoke(fn as Callback, [7, given], { timeoutMs: timeout_ms });
      },
    }),
    abort: method({
      doc: 'Cancels the run at its next pause.',
      params: {},
      result: z.void(),
      effect: 'pure',
      examples: [],
      handler: () => process.nextTick(() => abort.abort()),
    }),
    looks: method({ doc: 'How often the host has looked at the clock.', params: {}, result: z.int(), effect: 'pure', examples: [], handler: () => looks() }),
    tell: method({
      doc: 'Keeps a value.',
      params: { value: anyValue },
      result: z.void(),
      effect: 'pure',
      examples: [],
      handler: ({ value }) => {
        made = value;
      },
    }),
  },
});

let runtime: ScriptRuntime;
beforeAll(async () => {
  runtime = await ScriptRuntime.create({ globals: [pass], builtins: false, config: { data: { backend: 'memory' } } });
});
afterAll(() => runtime[Symbol.asyncDispose]());

type Language = 'lua' | 'javascript';
const LANGUAGES = ['lua', 'javascript'] as const;
const limits = { memory_mb: 128 };

const DIRECTIONS: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  'as a result and an argument': { lua: `Pass.take(1, Pass.give(), "end")`, javascript: `Pass.take(1, Pass.give(), "end")` },
  'as a result that was waited for': { lua: `Pass.take(1, Pass.later(), "end")`, javascript: `Pass.take(1, Pass.later(), "end")` },
  'through a callback': {
    lua: `Pass.through(function(seven, value) assert(seven == 7) return value end)`,
    javascript: `Pass.through((seven, value) => { if (seven !== 7) throw new Error("seven"); return value; })`,
  },
};

describe.each(LANGUAGES)('a large value in %s', (language) => {
  const kinds = Object.keys(LARGE);

  it.each(Object.entries(DIRECTIONS).flatMap(([direction, texts]) => kinds.map((kind) => [direction, kind, texts[language]] as const)))(
    'crosses whole %s: %s',
    async (_, kind, text) => {
      given = LARGE[kind] as Value;
      taken = null;
      await runtime.execute(text, { language, limits });
      expect(sameAs(taken, given)).toBe(true);
    },
  );

  it.each(kinds)('is what a script comes to: %s', async (kind) => {
    given = LARGE[kind] as Value;
    const { value } = await runtime.execute('return Pass.give()', { language, limits });
    expect(sameAs(value as Value, given)).toBe(true);
  });

  it('leaves others their turns, and a small one takes none', async () => {
    const run = () => runtime.execute(DIRECTIONS['through a callback']?.[language] as string, { language, limits });
    given = [1];
    await run();
    const { turns: few } = await turnsDuring(run);
    given = LARGE.maps as Value;
    expect((await turnsDuring(run)).turns).toBeGreaterThan(few + 2);
  });

  it.each(['Pass.tell({a: {text: t}})', 'print(t)'])('is read in parts where it is one text, between which others may have their turns: %s', async (call) => {
    const count = 2_500_000;
    const text = {
      lua: `local t = ("xä€"):rep(${count}) local before = Pass.looks() ${call.replaceAll(':', ' =')} return Pass.looks() - before`,
      javascript: `const t = "xä€".repeat(${count}); const before = Pass.looks(); ${call}; return Pass.looks() - before`,
    }[language];
    const expired = vi.spyOn(scheduler, 'expired');
    looks = () => expired.mock.calls.length;
    const { value, output } = await runtime.execute(text, { language, limits });
    expired.mockRestore();
    expect(value).toBeGreaterThan(30);
    const found = call === 'print(t)' ? output[0] : (made as { a: { text: string } }).a.text;
    expect(found === 'xä€'.repeat(count)).toBe(true);
  });

  it('gives the time of a callback that computes for long to the script', async () => {
    // More than the host may take to pass a value, on whatever machine.
    const spin = { lua: 'local c = os.clock() while os.clock() - c < 0.4 do end', javascript: 'const c = Date.now(); while (Date.now() - c < 400);' }[language];
    const text = {
      lua: `return Pass.through(function(_, value) ${spin} return value end)`,
      javascript: `return Pass.through((_, value) => { ${spin} return value; })`,
    }[language];
    await expect(runtime.execute(text, { language, limits })).resolves.toBeDefined();
  });

  it('prints what is no text readably, however long', async () => {
    const text = { lua: 'print("\\xff" .. ("x"):rep(300000), 1)', javascript: 'print("\\ud800" + "x".repeat(300000), 1)' }[language];
    const { output } = await runtime.execute(text, { language });
    expect(output[0] === `\ufffd${'x'.repeat(300_000)}${language === 'lua' ? '\t' : ' '}1`).toBe(true);
  });

  it.each(['take(1, t, "end")', 'tell(t)'])('stops in the middle when its run is cancelled: %s', async (call) => {
    abort = new AbortController();
    made = taken = null;
    const build =
      language === 'lua' ? `local t = {} for i = 1, ${COUNT * 3} do t[i] = "s" .. i end` : `const t = Array.from({length: ${COUNT * 3}}, (_, i) => "s" + i);`;
    const failed = runtime.execute(`${build} Pass.abort() Pass.${call}`.replace(') Pass', '); Pass'), { language, signal: abort.signal, limits });
    await expect(failed).rejects.toMatchObject({ code: 'CANCELLED' });
    expect([made, taken]).toEqual([null, null]);
    given = [1, 2];
    await runtime.execute(DIRECTIONS['as a result and an argument']?.[language] as string, { language });
    expect(taken).toEqual([1, 2]);
  });

  it('stops in the middle when its time is up, and the run goes on with another', async () => {
    given = LARGE.deep as Value;
    const text = {
      lua: `local ok, e = pcall(Pass.through, function(_, value) return value end, 1) assert(not ok and e.code == "TIMEOUT", tostring(e)) Pass.take(1, Pass.give(), "end")`,
      javascript: `let code; try { Pass.through((_, value) => value, 1); } catch (e) { code = e.code; } if (code !== "TIMEOUT") throw new Error(code); Pass.take(1, Pass.give(), "end")`,
    }[language];
    await runtime.execute(text, { language, limits });
    expect(sameAs(taken, given)).toBe(true);
  });

  it('comes whole as the details of what a script throws', async () => {
    const text = {
      lua: `local t = {} for i = 1, ${COUNT} do t[i] = {a = i} end error({message = "thrown", list = t})`,
      javascript: `throw {message: "thrown", list: Array.from({length: ${COUNT}}, (_, i) => ({a: i + 1}))}`,
    }[language];
    const error = await runtime.execute(text, { language, limits }).catch((failure: unknown) => failure);
    const list = Array.from({ length: COUNT }, (_, i) => ({ a: i + 1 }));
    expect(error).toMatchObject({ code: 'SCRIPT_ERROR', message: 'thrown' });
    expect(sameAs((error as { details: { value: ValueMap } }).details.value.list as Value, list)).toBe(true);
  });

  it('is refused in the middle with the place of what is wrong, and the next one passes', async () => {
    const text = {
      lua: `local t = {} for i = 1, ${COUNT} do t[i] = {a = i} end t[${COUNT}].a = coroutine.create(print) local ok, e = pcall(Pass.tell, {list = t}) Pass.tell({e.message, #t})`,
      javascript: `const t = Array.from({length: ${COUNT}}, (_, i) => ({a: i})); t[${COUNT - 1}].a = Symbol(); let m; try { Pass.tell({list: t}); } catch (e) { m = e.message; } Pass.tell([m, t.length])`,
    }[language];
    await runtime.execute(text, { language, limits });
    expect(made).toEqual([expect.stringMatching(language === 'lua' ? /value\.list\[30000\]\.a: a coroutine/ : /value\.list\[29999\]\.a: a symbol/), COUNT]);
  });
});

it('a large text in Latin-1 takes a byte for each character in JavaScript', async () => {
  given = 'äöx'.repeat(700_000);
  const { value } = await runtime.execute('Pass.give().charCodeAt(5)', { language: 'javascript', limits: { memory_mb: 8 } });
  expect(value).toBe(120);
});

it.each(['x', 'ä', '€', '😀'])('a text that JavaScript has joined of many comes whole: %s', async (last) => {
  const text = `let t = ""; for (let i = 0; i < 600; i++) t += "piece " + i + "äx".repeat(i % 7 * 300); t += "${last}".repeat(2 ** 18 + 1); return {list: [t + "!"]}`;
  let expected = '';
  for (let i = 0; i < 600; i++) expected += `piece ${i}${'äx'.repeat((i % 7) * 300)}`;
  const { value } = await runtime.execute(text, { language: 'javascript' });
  expect((value as { list: string[] }).list[0] === `${expected}${last.repeat(2 ** 18 + 1)}!`).toBe(true);
});

it('half of a surrogate pair in a long text is refused with its place', async () => {
  const text = 'let m; try { Pass.tell({a: ["x".repeat(300000) + "\\ud800"]}); } catch (e) { m = e.message; } return m';
  expect((await runtime.execute(text, { language: 'javascript' })).value).toMatch(/^Pass\.tell: value\.a\[0\]: /);
});

/** Equal, keys in the same order. */
function sameAs(a: Value, b: Value): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b);
  if (a instanceof Uint8Array || b instanceof Uint8Array) return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== others.length) return false;
  return keys.every((key, i) => key === others[i] && sameAs((a as ValueMap)[key] as Value, (b as ValueMap)[key] as Value));
}

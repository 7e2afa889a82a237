import { describe, expect, it } from 'vitest';
import { calledAt } from '../../../src/script/javascript/called.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { traceback } from '../../../src/script/javascript/trace.ts';
import { runText } from '../../support/engine.ts';
import { testHost, testRun } from '../../support/run.ts';

const engine = createJavaScriptEngine();
const host = testHost();

describe('what cannot be called', () => {
  it.each([
    ['const o = {k: {}}\n  o.k.zap(1)', 'TypeError: o.k.zap is not a function'],
    ['const o = {k: {}}\nconst g = () => { o.k.zap?.zip(1); o . zap() }\ng()', 'TypeError: o.zap is not a function'],
    ['const f = 3\nif (1)f()', 'TypeError: f is not a function'],
    ['const o = {}\no.tag`x`', 'TypeError: o.tag is not a function'],
    ['const x = 1\nreturn Try.latter({})', 'TypeError: Try.latter is not a function'],
    // What has no name, and what the script says itself.
    ['Try.latter({})', 'TypeError: Try.latter is not a function'],
    ['const o = {k: {}}; o.k.zap(1)', 'TypeError: o.k.zap is not a function'],
    ['const o = {}; return o.zap(1)', 'TypeError: o.zap is not a function'],
    ['const o = {}\no["zap"](1)', 'TypeError: not a function'],
    ['const f = () => ({})\nf().bar()', 'TypeError: not a function'],
    ['\n[1].map(3)', 'TypeError: not a function'],
    ['\nthrow new TypeError("not a function")', 'TypeError: not a function'],
    // The engine tells the place of an argument.
    ['const f = x => x, o = {}\no.nope(f(1))', /^TypeError: not a function$/],
    ['const f = x => x, o = {}\no.nope(f(1), f`x`)', /^TypeError: not a function$/],
    ['const f = 1, o = {}\no.nope(1, f `x`)', /^TypeError: not a function$/],
    ['const f = 1, o = {}\no.nope(1)(f(1))', /^TypeError: not a function$/],
    ['const o = {}, y = 1\no.nope(y.toFixed())', /^TypeError: not a function$/],
    ['const f = x => x, y = 1\nf(y)(2)', /^TypeError: not a function$/],
    ['const f = x => x, y = 1\nf(y)["zip"](2)', /^TypeError: not a function$/],
    ['const o = {}, y = 1\no.nope(y)', 'TypeError: o.nope is not a function'],
    ['const o = {}, y = {}\nlet z = o.nope({ a: [y.a, 2] }, 3, () => y)', 'TypeError: o.nope is not a function'],
    ['const o = {}, y = 1\no.nope(`)${y}(`, /[)/]"/, ")") // (', 'TypeError: o.nope is not a function'],
    ['const o = {}\no.a = o.b(String(5))', 'TypeError: o.b is not a function'],
    ['const o = {}\nprint([1].map((x) => o.nope(x)))', 'TypeError: o.nope is not a function'],
    ['const o = {}\nprint([1].map((x) => { return o.nope({ x }, x) }))', 'TypeError: o.nope is not a function'],
    ['const x = 5\nx(JSON.stringify({}))', 'TypeError: x is not a function'],
    ['const f = (JSON) => 1\nconst o = {}\no.nope(JSON.stringify({}))', /^TypeError: not a function$/],
    ['const f = x => x\nTry.latter(f(1))', 'TypeError: Try.latter is not a function'],
    ['const o = {}, y = 1; return o.zap(y)', 'TypeError: o.zap is not a function'],
  ])('is named where the script names it: %s', async (text, message) => {
    await expect(runText(engine, testRun({ host, language: 'javascript' }).run, text)).rejects.toThrow(message);
  });

  it.each([
    ['a.b (1)', 3, 'a.b'],
    ['a.b.c', 5, undefined],
    ['x = a ?. b.c (1)', 12, 'a?.b.c'],
    ['x', 9, undefined],
    ['', 1, undefined],
  ])('%j at %i: %s', (line, column, name) => {
    expect(calledAt(line, column - 1)?.name).toBe(name);
  });
});

it.each(['o.nope(\n  y)', 'o.nope(\n  "a",\n  2,\n)', 'o.nope(\n  // (\n  { a: y },\n)', 'o.nope(\n  [1],\n  `${y}`)'])(
  'the place is that of the call: %j',
  async (call) => {
    const error = await runText(engine, testRun({ host, language: 'javascript' }).run, `const o = {}, y = 1\n\n ${call}`).catch((thrown) => thrown);
    expect(error).toMatchObject({ message: 'TypeError: o.nope is not a function', where: { line: 3 }, traceback: 'test.js:3:4' });
  },
);

it('what is called in a long line is found, and nothing takes long', () => {
  expect(calledAt(`"${'a.'.repeat(100_000)}"; o.f()`, 200_006)?.name).toBe('o.f');
  expect(calledAt(`"${'a.'.repeat(300_000)}"; o.f()`, 600_006)).toBe(undefined);
  expect(calledAt(`f${' '.repeat(600_000)}x`, 0)).toBe(undefined);
  // Each slash would begin a regular expression that does not end; each bracket is a call around the place.
  for (const piece of ['/[', 'f(']) expect(calledAt(`${piece.repeat(100_000)} o.nope(y)`, 200_008)).toBe(undefined);
});

it('tells places however functions are called', () => {
  expect(traceback(`    at f (main.js:2:3)\n    at ${' (:1:1'.repeat(50_000)}x\n    at a (b (main.js:4:5)\n    at x (1).js:6:7\n`)).toEqual({
    where: { file: 'main.js', line: 2 },
    column: 3,
    traceback: 'f (main.js:2:3)\na (b (main.js:4:5)\nx (1).js:6:7',
  });
});

it('reads a script of many lines that does not parse', async () => {
  const error = await runText(engine, testRun({ host, language: 'javascript' }).run, `${'\n'.repeat(600_000)}syntax error(`).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'SYNTAX_ERROR', where: { line: 600_001 } });
});

it.each(['JSON.parse("{")', 'new Function("x x")', 'eval("x x")'])('what a text is wrong for stands where it is used: %s', async (text) => {
  const error = await runText(engine, testRun({ host, language: 'javascript' }).run, `\n\n${text}`).catch((thrown) => thrown);
  expect(error.where).toEqual({ file: 'test.js', line: 3 });
});

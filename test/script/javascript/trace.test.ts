import { describe, expect, it } from 'vitest';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { calledAt } from '../../../src/script/javascript/trace.ts';
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
  ])('is named where the script names it: %s', async (text, message) => {
    await expect(runText(engine, testRun({ host, language: 'javascript' }).run, text)).rejects.toThrow(message);
  });

  it.each([
    ['a.b (1)', 3, 'a.b'],
    ['a.b.c', 5, undefined],
    ['x', 9, undefined],
    ['', 1, undefined],
  ])('%j at %i: %s', (line, column, name) => {
    expect(calledAt(line, column)).toBe(name);
  });
});

it.each(['JSON.parse("{")', 'new Function("x x")', 'eval("x x")'])('what a text is wrong for stands where it is used: %s', async (text) => {
  const error = await runText(engine, testRun({ host, language: 'javascript' }).run, `\n\n${text}`).catch((thrown) => thrown);
  expect(error.where).toEqual({ file: 'test.js', line: 3 });
});

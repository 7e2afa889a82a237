import { describe, expect, it } from 'vitest';
import { readOutput } from '../src/agent/output.ts';
import { doneAtOnce } from '../src/call/breath.ts';
import { unknownName } from '../src/call/check/object.ts';
import { wildcards } from '../src/call/wildcards.ts';
import { parseConfig } from '../src/config/config.ts';
import { join } from '../src/document/formats/pdf.ts';
import { patternTest } from '../src/event/pattern.ts';
import { PATTERNS } from '../src/hook/builtin/sensitive.ts';
import { overlap } from '../src/hook/points.ts';
import { readHead } from '../src/mcp/serve/head.ts';
import { priceOf } from '../src/model/prices.ts';
import { nearest } from '../src/nearest.ts';
import { fold } from '../src/rag/folded.ts';
import { verifyQuotations as verifying } from '../src/rag/quotations.ts';
import { safePath } from '../src/tool/archive/entry.ts';
import { withoutTags } from '../src/tool/builtin/web-search.ts';
import { compileGlob } from '../src/tool/files/glob.ts';

/** Long enough that what takes time by its square takes minutes. */
const LONG = 1_000_000;
const config = parseConfig({});
const long = (part: string, length = LONG) => part.repeat(length / part.length);
const verifyQuotations = (...args: Parameters<typeof verifying>) => doneAtOnce(verifying(...args));

describe('what scripts, models and servers write is read in linear time:', () => {
  it.each<[string, () => unknown, unknown]>([
    ['a fence that nothing closes', () => readOutput(`\`\`\`${long(' ')}`, {}), { problem: 'it is no JSON' }],
    ['quotations that nothing closes', () => verifyQuotations(`${long('“')}${long('«')}${long('„')}`, '', [], () => undefined).quotations, []],
    [
      'signs around a quotation',
      () =>
        verifyQuotations(
          `“${long('! ')} some words here”`,
          '',
          [{ document_id: 'd', number: 1, source: 's', start: 0, stop: 15 } as never],
          () => 'some words here',
        ).quotations.length,
      1,
    ],
    ['links that nothing closes', () => doneAtOnce(fold(long(']('))).text, ' '],
    ['space behind what may name a key', () => PATTERNS.api_key('***')(`secret${long(' ')}!`).length, LONG + 7],
    ['stars in the head of a script', () => readHead(`/* @tool t: d ${long('*')}.\n*/`, 'javascript', 'f').name, 't'],
    ['releases of a model', () => priceOf(`openai/gpt${long('-2024')}x`, config), undefined],
    ['tags that nothing closes', () => withoutTags(`${long('<')}<b>a</b>`).length, LONG + 1],
    ['space in a line of a PDF document', () => join([{ str: `a${long(' ')}b`, hasEOL: true, transform: [0, 0, 0, 0, 0, 0] } as never]).length, LONG + 2],
    ['slashes in a path and a pattern', () => compileGlob('x')(`${long('/')}x`), false],
    ['names with nothing in common', () => nearest(long('a'), [`b${long('a')}`]), undefined],
    [
      'names that are many',
      () =>
        nearest(
          long('b', 64),
          Array.from({ length: LONG }, (_, at) => `${at}${long('a', 56)}`),
        ),
      undefined,
    ],
  ])('%s', (_, read, result) => {
    expect(read()).toEqual(result);
  });

  it('an entry of an archive with many slashes', () => {
    expect(() => safePath(`${long('/')}x`)).toThrow('has a path that is not allowed');
  });

  it('segments that ** may share out in many ways', () => {
    const names = Array.from({ length: 100 }, (_, at) => `${'a.'.repeat(126)}${at}`);
    const test = patternTest('**.*.**.*.**.*.**.b');
    expect(names.filter(test)).toEqual([]);
    expect(test(`${'a.'.repeat(126)}b`)).toBe(true);
  });

  it('two patterns of hooks that ** may share out in many ways', () => {
    const segments = (last: string) => `c:**:${`${'*:'.repeat(9)}**:`.repeat(3)}${last}`.split(':');
    expect(Array.from({ length: 200 }, () => overlap(segments('y'), segments('z'))).some(Boolean)).toBe(false);
    expect(overlap(segments('y'), segments('y'))).toBe(true);
  });
});

it('a wildcard stands for any characters', () => {
  const fits = ['', 'a', 'ab', 'aba', 'abba', 'a\nb'].map((text) =>
    ['', '*', 'a*', '*a', 'a*a', '*b*', 'ab*ba', 'a**b', '*b*b*'].filter((pattern) => wildcards(pattern)(text)),
  );
  expect(fits).toEqual([
    ['', '*'],
    ['*', 'a*', '*a'],
    ['*', 'a*', '*b*', 'a**b'],
    ['*', 'a*', '*a', 'a*a', '*b*'],
    ['*', 'a*', '*a', 'a*a', '*b*', 'ab*ba', '*b*b*'],
    ['*', 'a*', '*b*', 'a**b'],
  ]);
});

it('of many known names a message tells some', () => {
  const known = new Set(Array.from({ length: 40 }, (_, at) => `name${at}`));
  expect(unknownName('q', known)).toBe(`unknown option "q"; known are ${[...known].slice(0, 30).join(', ')} and 10 more`);
});

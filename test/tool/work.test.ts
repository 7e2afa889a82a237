import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScriptError } from '../../src/errors.ts';
import { tools } from '../../src/tool/registry.ts';
import { run as diff } from '../../src/tool/work/diff.ts';
import { testHost, testRun } from '../support/run.ts';
import { turnsDuring } from '../support/turns.ts';

const host = testHost();
async function tool(name: string, input: Record<string, unknown>) {
  const { run, context } = testRun({ host });
  return (await run.get(tools).execute(context, name, input as never)) as Record<string, unknown>;
}

/** Whether a tool answers at once, without a turn of the event loop. */
function answersAtOnce(name: string, input: Record<string, unknown>): Promise<boolean> {
  const { run, context } = testRun({ host });
  return Promise.resolve(run.get(tools).get(name)).then(() => !(run.get(tools).execute(context, name, input as never) instanceof Promise));
}

const lines = (count: number, word: string) => Array.from({ length: count }, (_, at) => `${word} ${at}`).join('\n');
const NESTED = '{% for a in (1..5000) %}{% for b in (1..50000) limit: 2000 %}{% endfor %}{% endfor %}';

describe('work that may be long', { timeout: 90_000 }, () => {
  it.each([
    ['diff', { before: 'a\nb', after: 'a\nc' }, { before: lines(1_000, 'a'), after: lines(1_000, 'a') }],
    ['template', { template: '{{ a }}', variables: { a: 1 } }, { template: '{{ a }}', variables: { a: 'x'.repeat(20_000) } }],
    ['csv', { text: 'a\n1' }, { text: `a\n${'1\n'.repeat(26_000)}` }],
    ['csv', { operation: 'stringify', rows: [{ a: 1 }] }, { operation: 'stringify', rows: [{ a: 'x'.repeat(60_000) }] }],
    ['text', { operation: 'slug', text: 'ﷺ' }, { operation: 'slug', text: 'ﷺ'.repeat(6_000) }],
    ['regex', { pattern: '\\w+', text: 'some words' }, { operation: 'replace', pattern: 'x+y|x', text: 'x'.repeat(1_800) }],
    ['regex', { operation: 'split', pattern: ', ?', text: 'a, b' }, { operation: 'split', pattern: 'x+y|x', text: 'x'.repeat(1_800) }],
    ['regex', { pattern: '(\\w)', text: 'abc' }, { pattern: `${'()'.repeat(90)}x`, text: 'x'.repeat(10_000), limit: 1_000 }],
    ['regex', { operation: 'test', pattern: 'x', text: 'x' }, { operation: 'test', pattern: '(?:x*x*x*x*)y|x', text: 'x'.repeat(10_000) }],
    ['json_query', { data: '[1]', query: '[0]' }, { data: `[${'1,'.repeat(20_000)}1]`, query: '[0]' }],
    ['json_schema', { data: 1, schema: { type: 'integer' } }, { data: 'x'.repeat(20_000), schema: { type: 'string' } }],
  ])('%s answers at once when it is small, and from a thread when it is large', async (name, small, large) => {
    expect([await answersAtOnce(name, small), await answersAtOnce(name, large)]).toEqual([true, false]);
    await tool(name, large);
  });

  it('of a large diff leaves the event loop free, which the same work on the loop does not', async () => {
    const input = { before: lines(600, 'a'), after: lines(600, 'b'), context: 3 };
    const { turns: here } = await turnsDuring(() => diff(input));
    let beside: unknown;
    const { turns } = await turnsDuring(async () => {
      beside = await tool('diff', input);
    });
    expect(here).toBeLessThanOrEqual(1);
    expect(turns).toBeGreaterThan(10);
    expect(beside).toEqual(diff(input));
  });

  it('of an endless template leaves the event loop free and is ended', async () => {
    let error: unknown;
    const { turns } = await turnsDuring(async () => {
      error = await tool('template', { template: NESTED }).catch((thrown) => thrown);
    });
    expect(error).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(/^template: template: it takes more than 20000000 characters and items of lists to fill it, line:1, col:\d+$/),
    });
    expect(turns).toBeGreaterThan(20);
  });

  it('ends when the run is cancelled', async () => {
    const { run, context } = testRun({ host });
    const work = Promise.resolve(run.get(tools).execute(context, 'template', { template: NESTED }));
    setImmediate(() => run.abort(new ScriptError('CANCELLED', 'no more')));
    await expect(work).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await tool('template', { template: 'x'.repeat(20_000) })).toEqual({ text: 'x'.repeat(20_000) });
  });

  it('gives the same values and errors from a thread', async () => {
    const pad = 'x'.repeat(60_000);
    expect(await tool('csv', { text: `a,b\n1.5,${pad}`, limit: 1 })).toEqual({ columns: ['a', 'b'], rows: [{ a: 1.5, b: pad }], count: 1 });
    expect(await tool('csv', { operation: 'stringify', rows: [[2n ** 60n, { n: [2n ** 60n] }, pad]] })).toEqual({
      text: `${2n ** 60n},"{""n"":[${2n ** 60n}]}",${pad}`,
    });
    await expect(tool('csv', { text: `a\n"${pad}` })).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: expect.stringMatching(/^csv: text: /) });
    await expect(tool('template', { template: `{% if %}${pad}` })).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(/^template: template: /),
    });
    await expect(tool('diff', { before: lines(5_000, 'a'), after: lines(5_000, 'b') })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await tool('json_schema', { data: { a: pad }, schema: { type: 'object', properties: { a: { type: 'number' } } } })).toMatchObject({
      valid: false,
      errors: [{ path: 'a' }],
    });
  });

  it('checks schemas whose work can multiply beside the event loop, however small they are', async () => {
    const pair = { anyOf: [{ type: 'string', minLength: 5 }, { type: 'number' }] };
    expect(await answersAtOnce('json_schema', { data: 'x', schema: { type: 'string' } })).toBe(true);
    expect(await answersAtOnce('json_schema', { data: 'x', schema: pair })).toBe(false);
    expect(await answersAtOnce('json_schema', { data: {}, schema: { type: 'object', properties: { a: { $ref: '#/$defs/b' } }, $defs: { b: pair } } })).toBe(
      false,
    );
    expect(await tool('json_schema', { data: 'x', schema: pair })).toMatchObject({ valid: false });
  });

  it('has no pattern that takes for ever', async () => {
    const schema = { type: 'string', pattern: '^(a+)+$' };
    expect(await tool('json_schema', { data: `${'a'.repeat(5_000)}b`, schema })).toMatchObject({ valid: false });
    expect(await tool('json_schema', { data: 'aaa', schema })).toEqual({ valid: true, errors: [] });
  });
});

describe('json_query', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);
  const ask = (data: unknown, query: string) => tool('json_query', { data, query });

  it('gives the same from a thread, and the same errors', async () => {
    const text = JSON.stringify({ list: numbers(30_000), big: 1, f: 1.5 }).replace('"big":1', '"big":9007199254740993');
    expect(await ask(text, '$.big')).toEqual({ result: 9007199254740993n, results: [9007199254740993n], count: 1 });
    expect(await ask(text, '$.list[-2:]')).toMatchObject({ result: 29_998, count: 2 });
    expect(await ask(text, '$.f')).toMatchObject({ results: [1.5] });
    await expect(ask(`${text}}`, '$')).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: expect.stringMatching(/^json_query: data: expected JSON text/) });
    await expect(ask(text, '$.[')).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: 'json_query: query: cannot read ".[" at position 2' });
    await expect(ask(text, '$.list[*]')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'json_query: query: more than 10000 values' });
  });

  it('refuses what is more than a script can take', async () => {
    const error = { code: 'LIMIT_EXCEEDED', message: 'json_query: query: what it finds: more than 90000 parts in one value' };
    await expect(ask(numbers(60_000), '$')).rejects.toMatchObject(error);
    await expect(ask(JSON.stringify(numbers(95_000)), '$')).rejects.toMatchObject(error);
    expect(await ask(JSON.stringify(numbers(2_000_000)), '$[1999999]')).toMatchObject({ result: 1_999_999 });
  });

  it('leaves others their turns while it looks at many places, and finds them in their order', async () => {
    const rows = Array.from({ length: 9_000 }, (_, at) => ({ a: [{ x: at }, { b: { x: -at } }] }));
    const { turns: few } = await turnsDuring(() => ask([{ a: { x: 1 } }], '$..a..x'));
    const { result, turns } = await turnsDuring(() => ask([rows.slice(0, 4_000), [...rows.slice(0, 900), numbers(50_000)]], '$..a..x'));
    expect((result.results as number[]).slice(0, 6)).toEqual([0, -0, 1, -1, 2, -2]);
    expect(result.count).toBe(9_800);
    expect(turns).toBeGreaterThan(few);
    const chain = Array.from({ length: 50 }).reduce<unknown>((inner) => [inner, numbers(500)], 0);
    await expect(ask(chain, '..[0]..[0]..[0]')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});

describe('diff', () => {
  it.each([
    ['a\n', 'a', '@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file'],
    ['', 'a\n', '@@ -0,0 +1,1 @@\n+a'],
    ['a\nb\n', 'b\n', '@@ -1,2 +1,1 @@\n-a\n b'],
  ])('of %j and %j is what diff -u says', (before, after, unified) => expect(diff({ before, after, context: 3 }).unified).toBe(unified));

  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 }).map((all) => all.join('\n'));
  it('gives what turns the one text into the other, with no more changes than needed', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { unified, added, removed, equal } = diff({ before, after, context: 100 });
        const body = unified
          .replaceAll('\n\\ No newline at end of file', '\\')
          .split('\n')
          .filter((line) => !line.startsWith('@@'));
        const side = (sign: string) =>
          body.filter((line) => line[0] === ' ' || line[0] === sign).map((line) => (line.endsWith('\\') ? line.slice(1, -1) : `${line.slice(1)}\n`));
        expect(equal).toBe(before === after);
        if (equal) return;
        const open = !before.endsWith('\n') && !after.endsWith('\n') ? '\n' : '';
        const ends = (text: string) => (text === '' ? '' : text + open);
        expect([side('-').join(''), side('+').join('')]).toEqual([ends(before), ends(after)]);
        const lines = (text: string) => ends(text).match(/[^\n]*\n|[^\n]+$/g) ?? [];
        expect(added + removed).toBe(lines(before).length + lines(after).length - 2 * common(lines(before), lines(after)));
      }),
      { numRuns: 80 },
    );
  });
});

/** Length of the longest common subsequence, by the textbook. */
function common(a: readonly string[], b: readonly string[]): number {
  const row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    let corner = 0;
    for (const [at, other] of b.entries()) {
      const above = row[at + 1] ?? 0;
      row[at + 1] = line === other ? corner + 1 : Math.max(above, row[at] ?? 0);
      corner = above;
    }
  }
  return row[b.length] ?? 0;
}

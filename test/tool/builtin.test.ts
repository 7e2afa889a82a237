import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import { BUILTIN_TOOLS } from '../../src/tool/builtin/index.ts';
import { evaluate } from '../../src/tool/calculate.ts';
import { tools } from '../../src/tool/registry.ts';
import { testHost, testRun } from '../support/run.ts';
import { testRuntime } from '../support/runtime.ts';

const host = testHost();
async function tool(name: string, input: Record<string, unknown>) {
  const { run, context } = testRun({ host });
  return (await run.get(tools).execute(context, name, input as never)) as Record<string, unknown>;
}

describe('every built-in tool', () => {
  it.each(BUILTIN_TOOLS.map((one) => [one.name, one] as const))(
    '%s is what the list says, has schemas, and an example in both languages that prints the same',
    async (_, listed) => {
      const loaded = await listed.load();
      expect([loaded.name, loaded.description, loaded.category, [...loaded.tags]]).toEqual([
        listed.name,
        listed.description,
        listed.category,
        [...(listed.tags ?? [])],
      ]);
      expect(loaded.schema).toMatchObject({ type: 'object' });
      expect(loaded.resultSchema).toMatchObject({ type: 'object' });
      expect(loaded.examples.length).toBeGreaterThan(0);
      for (const example of loaded.examples) {
        const outputs: string[] = [];
        for (const language of ['lua', 'javascript'] as Language[]) {
          await using test = await testRuntime();
          const { output } = await test.runtime.execute(language === 'lua' ? example.lua : example.javascript, { language, grants: test.grants, seed: 1 });
          outputs.push(
            output
              .join('\n')
              .replaceAll(/[[\]{}"' ]/g, '')
              .replace(/\.0$/, ''),
          );
        }
        expect(outputs[1]).toBe(outputs[0]);
      }
    },
  );
});

describe('calculator', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['-2 ^ 2', -4],
    ['2 ^ 3 ^ 2', 512],
    ['2 ** -1', 0.5],
    ['10 % 4 - -1', 3],
    ['sqrt(16) + max(1, 2, 3) + round(2.345, 2)', 9.35],
    ['round(1.005, 2) + round(1234.5, -2)', 1_201.01],
    ['round(1e21, 2)', 1e21],
    ['round(1e300, 10)', 1e300],
    ['round(1e-7, 8) * 1e8', 10],
    ['round(0.00000012345, 9) * 1e9', 123],
    ['round(5e-324, 400) + round(123, -1e300) + round(0.5, 1e300)', 0.5],
    ['round(1, 1.5)', /round: digits: expected a whole number, got 1.5/],
    ['round(1 / 0, 2)', /infinite/],
    ['pi > 0 ? 1 : 2', /unexpected ">"/],
    ['1 +', /ends too early/],
    ['nope(1)', /unknown function "nope"/],
    ['x', /unknown name "x"/],
    ['1/0', /infinite/],
    ['sqrt(-1)', /no number/],
    ['('.repeat(1000), /nested deeper/],
    ['constructor', /unknown name "constructor"/],
    ['1 2', /unexpected "2" at position 3/],
  ])('%s', (expression, expected) => {
    if (typeof expected === 'number') expect(evaluate(expression)).toBeCloseTo(expected, 10);
    else expect(() => evaluate(expression)).toThrow(expected);
  });

  it('agrees with JavaScript on sums and products', () => {
    const node: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.integer({ min: 0, max: 1000 }).map(String),
        fc.tuple(tie('node'), fc.constantFrom('+', '-', '*'), tie('node')).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
      ),
    })).node;
    fc.assert(
      fc.property(node, (text) => evaluate(text) === Number(new Function(`return ${text}`)())),
      { numRuns: 80 },
    );
  });

  it('survives anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        try {
          evaluate(text);
        } catch (error) {
          expect((error as { code: string }).code).toBe('BAD_ARGUMENT');
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('the others', () => {
  it.each<[string, Record<string, unknown>, unknown]>([
    ['datetime', { operation: 'add', time: '2024-01-31T12:00:00Z', amount: 1, unit: 'month' }, { iso: '2024-02-29T12:00:00.000Z' }],
    ['datetime', { operation: 'difference', time: '2024-02-28', other: '2024-03-01', unit: 'day' }, { difference: 2 }],
    ['datetime', { time: 0, timezone: 'Asia/Tokyo', format: 'date', operation: 'format' }, { text: '1970-01-01', weekday: 'Thursday' }],
    ['datetime', { operation: 'parse', time: '2026-01-05T10:00:00,5+02' }, { iso: '2026-01-05T08:00:00.500Z' }],
    ['datetime', { operation: 'parse', time: '2026-01-05 10:00' }, { iso: '2026-01-05T10:00:00.000Z' }],
    ['datetime', { operation: 'parse', time: '0000-02-29' }, { iso: '0000-02-29T00:00:00.000Z' }],
    ['datetime', { operation: 'add', time: '0050-01-31', amount: 1, unit: 'month' }, { iso: '0050-02-28T00:00:00.000Z' }],
    ['datetime', { operation: 'add', time: '0000-01-31', amount: -11, unit: 'month' }, { iso: '-000001-02-28T00:00:00.000Z' }],
    ['datetime', { operation: 'add', time: '2024-02-29', amount: -1, unit: 'year' }, { iso: '2023-02-28T00:00:00.000Z' }],
    ...(
      [
        ['2026-03-15', '2026-02-10', 'month', -1],
        ['2026-02-10', '2026-03-15', 'month', 1],
        ['2026-01-15T12:00Z', '2026-02-15T00:00Z', 'month', 0],
        ['2026-01-15T12:00Z', '2026-02-15T12:00Z', 'month', 1],
        ['2026-01-31', '2026-02-28', 'month', 1],
        ['2026-02-28', '2026-01-31', 'month', -1],
        ['2026-02-28', '2026-02-28', 'month', 0],
        ['2026-01-15', '2025-01-16', 'year', 0],
        ['0050-01-01', '2026-01-01', 'year', 1976],
      ] as const
    ).map(([time, other, unit, difference]): [string, Record<string, unknown>, unknown] => [
      'datetime',
      { operation: 'difference', time, other, unit },
      { difference },
    ]),
    ...(
      [
        ['+012345-01-01', 'UTC', 'date', '+012345-01-01', 'Monday'],
        ['+012345-01-01', 'Europe/Berlin', 'time', '01:00:00', 'Monday'],
        ['+012345-01-01', 'Europe/Berlin', 'iso', '+012345-01-01T01:00:00', 'Monday'],
        ['-000001-06-01', 'UTC', 'date', '-000001-06-01', 'Tuesday'],
        ['-000001-06-01', 'UTC', 'full', 'Tuesday, June 1, 2 BC at 12:00:00 AM UTC', 'Tuesday'],
        ['0050-06-01', 'UTC', 'date', '0050-06-01', 'Wednesday'],
        ['2026-01-31T23:30:00Z', 'UTC', 'rfc2822', 'Sat, 31 Jan 2026 23:30:00 +0000', 'Saturday'],
        ['2026-01-31T23:30:00Z', 'Europe/Berlin', 'rfc2822', 'Sun, 01 Feb 2026 00:30:00 +0100', 'Sunday'],
        ['2026-07-31T23:30:00.9Z', 'America/St_Johns', 'rfc2822', 'Fri, 31 Jul 2026 21:00:00 -0230', 'Friday'],
        ['-271821-04-20', 'America/New_York', 'rfc2822', 'Tue, 20 Apr -271821 00:00:00 +0000', 'Monday'],
      ] as const
    ).map(([time, timezone, format, text, weekday]): [string, Record<string, unknown>, unknown] => [
      'datetime',
      { operation: 'format', time, timezone, format },
      { text, weekday },
    ]),
    ['hash', { data: 'hello' }, { hash: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' }],
    ['hash', { data: 'hello', key: 'k', algorithm: 'sha1' }, { hash: expect.stringMatching(/^[0-9a-f]{40}$/) }],
    ['base64', { operation: 'decode', data: 'aGVs bG8' }, { data: 'hello' }],
    ['base64', { operation: 'decode', data: '/wA=' }, { data: new Uint8Array([255, 0]) }],
    ['text', { operation: 'count', text: 'Ein schöner Tag\n' }, { characters: 16, words: 3, lines: 2, bytes: 17 }],
    ['text', { operation: 'reverse', text: 'añ👩‍👩‍👧' }, { text: '👩‍👩‍👧ña' }],
    ['text', { operation: 'replace', text: 'a.b.c', find: '.', with: '$&' }, { text: 'a$&b$&c' }],
    ['text', { operation: 'replace', text: 'a.b.c', find: '.' }, { text: 'abc' }],
    ['text', { operation: 'truncate', text: 'a👩b', length: 2 }, { text: 'a…' }],
    ['text', { operation: 'truncate', text: 'ab', length: 2 }, { text: 'ab' }],
    ['text', { operation: 'pad', text: 'ab', length: 4 }, { text: 'ab  ' }],
    ['text', { operation: 'split', text: 'a b' }, { parts: ['a', 'b'] }],
    ['regex', { operation: 'replace', pattern: '(\\w+) (\\w+)', text: 'ada lovelace', replacement: '$2 $1' }, { text: 'lovelace ada' }],
    ['regex', { operation: 'replace', pattern: '(?P<q>a)b', text: 'xab', replacement: '$<q>$&$$' }, { text: 'xaab$' }],
    ['regex', { operation: 'replace', pattern: '(a)(n)?', text: 'banana', replacement: '$2$1', limit: 2 }, { matched: true, text: 'bnanaa' }],
    ['regex', { operation: 'replace', pattern: 'a*', text: 'baac', replacement: '-' }, { text: '-b--c-' }],
    ['regex', { operation: 'replace', pattern: 'a*', text: 'baac', replacement: '-', limit: 2 }, { text: '-b-c' }],
    ['regex', { operation: 'replace', pattern: 'a', text: 'a'.repeat(2_000), replacement: 'b' }, { text: 'b'.repeat(2_000) }],
    ['regex', { operation: 'replace', pattern: 'x', text: 'abc', replacement: '-', limit: 1 }, { matched: false, text: 'abc' }],
    ['regex', { operation: 'split', pattern: ',', text: 'a,b,c', limit: 2 }, { parts: ['a', 'b,c'] }],
    [
      'regex',
      { pattern: '(?P<y>\\d{4})', text: 'in 1815 and 1852' },
      { matches: [{ match: '1815', start: 3, stop: 7, groups: ['1815'], named: { y: '1815' } }, { match: '1852' }] },
    ],
    ['regex', { operation: 'test', pattern: '(a+)+$', text: `${'a'.repeat(5_000)}b` }, { matched: false }],
    ['template', { template: '{{ a | upcase }} {{ b.c }}{% if d %}!{% endif %}', variables: { a: 'x', b: { c: 1 }, d: true } }, { text: 'X 1!' }],
    [
      'template',
      {
        template: '{{ m }}|{{ m | append: "!" }}|{{ m | raw }}|{{ l }}|{{ l | join }}|{{ l | json }}|{{ m.toString }}|{{ n }}',
        variables: { m: { a: { b: [1] }, n: 9007199254740993n }, l: [1, 2, { c: 3 }], n: null },
      },
      {
        text: '{"a":{"b":[1]},"n":9007199254740993}|{"a":{"b":[1]},"n":9007199254740993}!|{"a":{"b":[1]},"n":9007199254740993}|12{"c":3}|1 2 {"c":3}|[1,2,{"c":3}]||',
      },
    ],
    ['template', { template: '{{ m }}{{ pad }}', variables: { m: { toString: 1 }, pad: ' '.repeat(20_000) } }, { text: `{"toString":1}${' '.repeat(20_000)}` }],
    ['diff', { before: 'a\nb\nc', after: 'a\nx\nc\nd' }, { equal: false, added: 2, removed: 1, unified: '@@ -1,3 +1,4 @@\n a\n-b\n+x\n c\n+d' }],
    ['diff', { before: 'a\nb\n', after: 'a\nc\n' }, { added: 1, removed: 1, unified: '@@ -1,2 +1,2 @@\n a\n-b\n+c' }],
    ['diff', { before: '', after: 'a\n' }, { added: 1, removed: 0 }],
    ['diff', { before: 'a', after: 'a\n' }, { equal: false }],
    ['diff', { before: 'same', after: 'same' }, { equal: true, unified: '' }],
    ['json_query', { data: { a: [{ b: 1 }, { b: 2 }, { c: 3 }] }, query: '$.a[*].b' }, { results: [1, 2], count: 2 }],
    ['json_query', { data: '{"x": {"y": [1, 2, 3]}}', query: '..y[-1]' }, { result: 3 }],
    ['json_query', { data: [1, 2, 3, 4], query: '[1:3]' }, { results: [2, 3] }],
    ['json_query', { data: { 'a\nb': 1 }, query: String.raw`$["a\nb"]` }, { result: 1 }],
    ['json_query', { data: { 'a\nb': 1 }, query: String.raw`$['a\u000Ab']` }, { result: 1 }],
    ['json_query', { data: { a: 1 }, query: String.raw`$["\u0061"]` }, { result: 1 }],
    ['json_query', { data: { '😀/\\\b\f\r\t': 1 }, query: String.raw`$["\ud83D\uDE00\/\\\b\f\r\t"]` }, { result: 1 }],
    ['json_query', { data: Object.fromEntries([[`"'`, 1]]), query: String.raw`$["\"'"]` }, { result: 1 }],
    ['json_query', { data: Object.fromEntries([[`"'\\"`, 1]]), query: String.raw`$['"\'\\"']` }, { result: 1 }],
    [
      'json_schema',
      { data: { n: 'x' }, schema: { type: 'object', properties: { n: { type: 'number' } } } },
      { valid: false, errors: [{ path: 'n', message: expect.any(String) }] },
    ],
    [
      'csv',
      { text: 'a,b\n1,"x, ""y"""\n007,' },
      {
        columns: ['a', 'b'],
        rows: [
          { a: 1, b: 'x, "y"' },
          { a: '007', b: '' },
        ],
      },
    ],
    ['csv', { operation: 'stringify', rows: [{ a: 1, b: 'x,y' }, { b: 'q"q' }] }, { text: 'a,b\n1,"x,y"\n,"q""q"' }],
    ['html_text', { html: '<script>x()</script><h1>Hi</h1><p>a <b>b</b></p>', format: 'markdown' }, { text: '# Hi\n\na **b**' }],
  ])('%s %#', async (name, input, expected) => {
    expect(await tool(name, input)).toMatchObject(expected as object);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['datetime', { time: '2024-02-30' }, /^datetime: time: expected ISO 8601/],
    ['datetime', { time: 'yesterday' }, /^datetime: time: expected ISO 8601/],
    ...['foo 1', '1', 'Jan 5 2026', '2026-1-5', '2026-13-01', '-000000-01-01', '2026-01-05T25:00', '+275760-09-14'].map(
      (time) => ['datetime', { operation: 'parse', time }, /^datetime: time: expected ISO 8601/] as [string, Record<string, unknown>, RegExp],
    ),
    ['datetime', { timezone: 'Mars/Base', format: 'rfc2822' }, /^datetime: timezone: unknown time zone "Mars\/Base"/],
    ['datetime', { operation: 'add', time: 0, amount: 1e20, unit: 'month' }, /^datetime: amount: the result is outside/],
    ['datetime', { timezone: 'Mars/Base' }, /unknown time zone "Mars\/Base"/],
    ['base64', { operation: 'decode', data: '$$$' }, /expected Base64/],
    ['regex', { pattern: '(?=x)', text: 'x' }, /^regex: pattern: /],
    ['template', { template: `{{ ${'('.repeat(4_000)} }}` }, /^template: template: it is nested too deeply, line:1, col:1$/],
    ...['[-:]', '[1:-]', '[-:-]'].map(
      (query) => ['json_query', { data: [1, 2], query }, /^json_query: query: cannot read/] as [string, Record<string, unknown>, RegExp],
    ),
    ['template', { template: '{% include "x" %}' }, /^template: template: templates read no files, and this one asks for "x", line:1, col:1$/],
    ['template', { template: '{% render "a/b" %}' }, /^template: template: templates read no files, and this one asks for "a\/b"/],
    ['template', { template: '{% layout x %}', variables: { x: 'p' } }, /^template: template: templates read no files, and this one asks for "p"/],
    ['datetime', { operation: 'parse' }, /^datetime: time: needed for parse$/],
    ['datetime', { operation: 'add', time: 0 }, /^datetime: amount: needed for add$/],
    ['datetime', { operation: 'difference', time: 0 }, /^datetime: other: needed for difference$/],
    ['datetime', { operation: 'difference', time: 0, other: 'yesterday' }, /^datetime: other: expected ISO 8601/],
    ['text', { operation: 'replace', text: 'a', with: 'b' }, /^text: find: needed for replace$/],
    ['text', { operation: 'truncate', text: 'a' }, /^text: length: needed for truncate$/],
    ['text', { operation: 'pad', text: 'a' }, /^text: length: needed for pad$/],
    ['text', { operation: 'pad', text: 'a'.repeat(60_000) }, /^text: length: needed for pad$/],
    ['csv', { operation: 'stringify' }, /^csv: rows: needed for stringify$/],
    ['json_query', { data: '{bad', query: '$' }, /^json_query: data: expected JSON text: Expected property name .* at position 1 /],
    ['json_query', { data: {}, query: '$.a..[' }, /^json_query: query: cannot read/],
    ...['"a\\x"', `"\\'"`, `'\\"'`, '"\\u12"', '"\\ud800"', '"\\ud800\\u0061"', '"\\udc00"', '"a\nb"'].map(
      (name) =>
        ['json_query', { data: {}, query: `$[${name}]` }, /^json_query: query: cannot read "\[.* at position 2$/] as [string, Record<string, unknown>, RegExp],
    ),
    ['csv', { text: 'a\n"b' }, /^csv: text: /],
    ['text', { operation: 'shout', text: 'x' }, /^text\.operation: expected one of/],
    ['calculator', { expresion: '1' }, /unknown option "expresion"; did you mean "expression"/],
  ])('%s refuses nonsense %#', async (name, input, message) => {
    await expect(tool(name, input)).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: expect.stringMatching(message) });
  });

  it('template says where it takes too much', async () => {
    await expect(tool('template', { template: '\n{% for i in (1..1000000000) %}x{% endfor %}' })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'template: template: it takes more than 20000000 characters and items of lists to fill it, line:2, col:1',
    });
  });
});

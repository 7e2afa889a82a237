import { describe, expect, it } from 'vitest';
import { checkerOf, failuresOf } from '../../../src/call/json-schema/check.ts';
import { sizeOf } from '../../../src/call/json-schema/pattern.ts';
import { re2 } from '../../../src/call/re2.ts';
import { Float, type Value, type ValueMap } from '../../../src/call/value.ts';

const said = (schema: Value, data: unknown) => failuresOf(schema, 'schema', data).map((failure) => failure.message('', 'javascript'));

describe('a JSON Schema', () => {
  it.each<[Value, unknown, string[]]>([
    [{ type: 'object', required: ['z'] }, {}, ['z: expected a value, got nothing']],
    [{ properties: { a: { type: 'string' } }, required: ['a'] }, { a: 1 }, ['a: expected a string, got a number (1)']],
    [
      { properties: { a: { type: ['string', 'null'] } }, required: ['a', 'b'] },
      {},
      ['a: expected a string or null, got nothing', 'b: expected a value, got nothing'],
    ],
    [{ type: 'array', minItems: 2 }, [1], ['expected at least 2 items, got 1']],
    [{ maxItems: 1, uniqueItems: true }, [1, 1.0], ['expected at most 1 item, got 2', '[1]: expected an item that is not there before, got 1']],
    [
      { uniqueItems: true },
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      ['[1]: expected an item that is not there before, got a map'],
    ],
    [{ minimum: 5 }, 4, ['expected a number of at least 5, got 4']],
    [{ exclusiveMaximum: 5 }, 5, ['expected a number of less than 5, got 5']],
    [{ minLength: 2 }, '😀', ['expected a string of at least 2 characters, got "😀"']],
    [{ multipleOf: 0.0001 }, 0.00751, ['expected a multiple of 0.0001, got 0.00751']],
    [{ multipleOf: 0.0001 }, 0.0075, []],
    [{ multipleOf: 3 }, 1e16, ['expected a multiple of 3, got 10000000000000000']],
    [{ minProperties: 2 }, { a: 1 }, ['expected at least 2 properties, got 1']],
    [{ propertyNames: { maxLength: 2 } }, { abc: 1 }, ['expected other names than "abc"']],
    [{ allOf: [{ type: 'string' }, { minLength: 3 }] }, 'x', ['expected a string of at least 3 characters, got "x"']],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, true, ['expected a string or a number, got true']],
    [{ anyOf: [{ type: 'string' }, { properties: { a: { type: 'number' } } }] }, { a: 'x' }, ['a: expected a number, got a string']],
    [{ oneOf: [{ type: 'number' }, { minimum: 0 }] }, 1, ['expected exactly one of the alternatives to fit, but 1 and 2 do']],
    [{ not: { type: 'number' } }, 1, ['expected anything but a number, got 1']],
    // biome-ignore lint/suspicious/noThenProperty: it is the name of the keyword.
    [{ if: { type: 'string' }, then: { minLength: 2 }, else: { minimum: 2 } }, 1, ['expected a number of at least 2, got 1']],
    [{ dependentRequired: { a: ['b'] } }, { a: 1 }, ['expected "b" beside "a"']],
    [{ dependentSchemas: { a: { required: ['b'] } } }, { a: 1 }, ['b: expected a value, got nothing']],
    [{ contains: { type: 'string' } }, [1], ['expected at least 1 of the items to be a string, got 0']],
    [{ contains: { type: 'string' }, maxContains: 1 }, ['a', 'b'], ['expected at most 1 of the items to be a string, got 2']],
    [{ prefixItems: [{ type: 'string' }], items: false }, ['a', 1], ['[1]: expected nothing, got 1']],
    [
      { items: [{ type: 'string' }], additionalItems: { type: 'number' } },
      [1, 'x'],
      ['[0]: expected a string, got a number (1)', '[1]: expected a number, got a string'],
    ],
    [
      { additionalProperties: false, properties: { name: { type: 'string' } }, required: ['name'] },
      { nme: 1 },
      ['unknown option "nme"; did you mean "name"?', 'name: expected a string, got nothing'],
    ],
    [
      { patternProperties: { '^n_': { type: 'number' } }, additionalProperties: { type: 'string' } },
      { n_x: 'no', y: 'yes' },
      ['n_x: expected a number, got a string'],
    ],
    [{ properties: { a: {} }, allOf: [{ properties: { b: {} } }], unevaluatedProperties: false }, { a: 1, b: 1, c: 1 }, ['unknown option "c"']],
    [{ unevaluatedItems: { type: 'array' }, anyOf: [true, { items: false }] }, [{}], ['[0]: expected an array, got an empty map']],
    [{ contains: { type: 'array' }, prefixItems: [false] }, [], ['expected at least 1 of the items to be an array, got 0']],
    [{ contains: { type: 'string' }, unevaluatedItems: false }, ['a', 1], ['[1]: expected nothing, got 1']],
    [{ prefixItems: [{}], unevaluatedItems: { type: 'string' } }, [1, 2], ['[1]: expected a string, got a number (2)']],
    [
      { $defs: { node: { properties: { next: { $ref: '#/$defs/node' }, n: { type: 'integer' } } } }, $ref: '#/$defs/node' },
      { next: { next: { n: 0.5 } } },
      ['next.next.n: expected an integer, got a number (0.5)'],
    ],
    [
      { $id: 'https://x.test/a', $defs: { b: { $id: 'b', $anchor: 'c', type: 'string' } }, properties: { p: { $ref: 'b' }, q: { $ref: 'b#c' } } },
      { p: 1, q: 'x' },
      ['p: expected a string, got a number (1)'],
    ],
    [
      // A tree whose branches are what the outermost schema makes of them.
      {
        $id: 'https://x.test/strict',
        $dynamicAnchor: 'node',
        $ref: 'tree',
        unevaluatedProperties: false,
        $defs: { tree: { $id: 'tree', $dynamicAnchor: 'node', properties: { next: { $dynamicRef: '#node' } } } },
      },
      { next: { nxt: {} } },
      ['next: unknown option "nxt"'],
    ],
    [{ format: 'email' }, 'x', ['expected an e-mail address, got "x"']],
    [{ enum: [[0], [1, 'x'], { a: 1 }] }, [2], ['expected one of [0], [1, "x"] or a certain map, got an array']],
    [{ multipleOf: 0.5 }, 1e308, []],
    [{ pattern: '^\\u00e9\\u{1F600}$' }, 'é😀', []],
    [
      {
        $id: 'http://a.test/root',
        properties: {
          x: { $id: 'http://a.test/b', $dynamicAnchor: 'n', type: ['object', 'string'], properties: { y: { $ref: 'c' } } },
        },
        $defs: { c: { $id: 'http://a.test/c', $dynamicAnchor: 'n', type: 'object', properties: { z: { $dynamicRef: '#n' } } } },
      },
      { x: { y: { z: 'text' } } },
      [],
    ],
    [{ format: 'date-time' }, '2026-01-02T03:04:05+01:00', []],
    [{ const: { a: [1] } }, { a: [1] }, []],
    [{ enum: ['a', null] }, 'b', ['expected "a" or null, got "b"']],
    [false, 1, ['expected nothing, got 1']],
    [{ typo: 'number' }, 'abc', []],
  ])('says what does not fit: %j %j', (schema, data, failures) => {
    expect(said(schema, data)).toEqual(failures);
  });

  it.each<[Value, string]>([
    ['x', 'schema: expected a JSON Schema, which is a map or a boolean, got a string'],
    [{ type: 'nonsense' }, 'schema.type: expected "array", "boolean", "integer", "null", "number", "object" or "string", got "nonsense"'],
    [{ properties: { a: { minimum: 'x' } } }, 'schema.properties.a.minimum: expected a number, got "x"'],
    [{ required: 'a' }, 'schema.required: expected an array, got "a"'],
    [{ properties: { text: ['string'] } }, 'schema.properties.text: expected a JSON Schema, which is a map or a boolean, got an array'],
    [
      { $id: 'http://a.test/', not: { $id: `${'x'.repeat(600)}/`, not: { $id: `${'x'.repeat(600)}/` } } },
      'schema.not.not["$id"]: expected at most 1000 characters, got 1216',
    ],
    [{ items: 3 }, 'schema.items: expected a JSON Schema, which is a map or a boolean, got a number'],
    [{ $ref: '#/nope' }, 'schema["$ref"]: "#/nope" is not in this schema'],
    [{ $ref: 'https://elsewhere.test/x' }, 'schema["$ref"]: "https://elsewhere.test/x" is not in this schema'],
    [{ pattern: '(?=x)' }, 'schema.pattern: expected a pattern of RE2, got "(?=x)"'],
    [{ pattern: 'x'.repeat(1_001) }, 'schema.pattern: expected a pattern of at most 1000 characters, got "xxx'],
    [
      { pattern: '(?:x{100}){100}' },
      'schema.pattern: expected a smaller pattern: what repetitions and classes of Unicode become counts, of all patterns of a schema together, got "(?:x{100}){100}"',
    ],
    [
      { allOf: [{ pattern: 'x{1000}a' }, { pattern: 'x{1000}b' }, { pattern: 'x{1000}c' }, { pattern: 'x{1000}d' }] },
      'schema.allOf[3].pattern: expected a smaller pattern',
    ],
    [{ required: Array(10_001).fill('a') }, 'schema: more than 10000 names in one JSON Schema'],
    [{ properties: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`a${i}`, true])) }, 'schema: more than 2000 schemas in one JSON Schema'],
    [{ default: Array(30_000).fill(0) }, 'schema: more than 30000 parts in one JSON Schema'],
    [{ $id: `https://a.test/${'a'.repeat(1_000)}` }, 'schema["$id"]: expected at most 1000 characters, got 1015'],
    [{ properties: { a: { type: { toString: 1 } } } }, 'schema.properties.a.type: expected an array, got a map'],
    [{ patternProperties: { '(?=x)': true }, additionalProperties: false }, 'schema.patternProperties: expected a pattern of RE2, got "(?=x)"'],
    [{ enum: Array.from({ length: 10_001 }, (_, i) => i) }, 'schema: more than 10000 values in one JSON Schema'],
    [{ anyOf: Array.from({ length: 2_001 }, () => ({})) }, 'schema: more than 2000 schemas in one JSON Schema'],
  ])('%j is refused', (schema, message) => {
    expect(() => checkerOf(schema)).toThrow(message);
  });

  it('tells of integers beyond ±2^53', () => {
    expect(() => checkerOf({ minLength: 2n ** 60n })).toThrow('schema.minLength: expected an integer of at least 0, got 1152921504606846976');
  });

  it('counts a pattern once, wherever it stands', () => {
    const patternProperties = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`^a${i}$`, { type: 'number' }]));
    const schema = { patternProperties, additionalProperties: false };
    expect(said(schema, { a1: 1, a99: 'x', b: 1 })).toEqual(['unknown option "b"; there are none', 'a99: expected a number, got a string']);
  });

  it('does not compare more than it may', () => {
    const many = Array.from({ length: 30_000 }, (_, n) => ({ n }));
    expect(() => checkerOf({ uniqueItems: true })(many, 'x')).toThrow('x: the schema makes it more than 1000000 steps to check');
    expect(checkerOf({ uniqueItems: true })(many.slice(0, 10_000), 'x')).toHaveLength(10_000);
  });

  it.each<[string, ValueMap]>([
    ['itself', { $ref: '#' }],
    ['itself by an alternative', { anyOf: [{ $ref: '#' }, { $ref: '#' }] }],
    ['twice itself', { properties: { a: { anyOf: [{ $ref: '#' }, { $ref: '#' }] } }, not: { type: 'string' } }],
  ])('that is %s comes to an end', (_, schema) => {
    let deep: Value = 'x';
    for (let i = 0; i < 40; i++) deep = { a: deep };
    expect(() => checkerOf(schema)(deep, 'x')).toThrow('x: the schema makes it more than 1000000 steps to check');
  });

  const times = <T>(count: number, make: (at: number) => T) => Array.from({ length: count }, (_, at) => make(at));
  const integers = times(90_000, (at) => at);
  const names = Object.fromEntries(times(40_000, (at) => [`xyxyxyxy${at}`, 1]));
  it.each<[string, ValueMap, unknown]>([
    ['compares a long text with many', { anyOf: times(1_000, (at) => ({ const: [at] })) }, ['\n'.repeat(8e6)]],
    ['compares many items again and again', { allOf: times(1_000, () => ({ uniqueItems: true })) }, integers],
    ['looks at many items again and again', { allOf: times(900, () => ({ items: true })) }, integers],
    ['looks at many names again and again', { allOf: times(1_900, () => ({ minProperties: 1 })) }, names],
    [
      'wants many names of many',
      { allOf: times(300, () => ({ items: { required: times(10, (at) => `a${at}`) } })) },
      times(9_000, () => Object.fromEntries(times(10, (at) => [`a${at}`, 1]))),
    ],
    ['knows many names', { items: { properties: Object.fromEntries(times(1_900, (at) => [`p${at}`, true])) } }, times(40_000, () => ({}))],
    ['matches many names with many patterns', { patternProperties: Object.fromEntries(times(100, (at) => [`(x|y)*z${at}`, true])) }, names],
    ['counts a long text again and again', { allOf: times(1_900, () => ({ minLength: 4e6 })) }, 'é'.repeat(4e6)],
    ['matches a long text', { pattern: '(x?x?x?x?){0,100}y' }, 'x'.repeat(1e6)],
    ['looks for formats again and again', { items: { allOf: times(900, () => ({ format: 'uri' })) } }, times(2_000, () => `a:${'b'.repeat(2_000)}`)],
    [
      'looks through what it is in',
      {
        $ref: '#/$defs/r0',
        $defs: {
          ...Object.fromEntries(times(1_200, (at) => [`r${at}`, { $ref: at < 1_199 ? `#/$defs/r${at + 1}` : '#/$defs/end' }])),
          end: { items: { allOf: times(300, () => ({ $dynamicRef: '#n' })) } },
          n: { $dynamicAnchor: 'n' },
        },
      },
      times(20_000, () => 1),
    ],
    ['tells of many alternatives', { not: { contains: { anyOf: times(900, (at) => ({ enum: [`a${at}`, 'x'.repeat(50)] })) } } }, integers],
  ])('that %s is given up', (_, schema, value) => {
    expect(() => checkerOf(schema)(value as Value, 'x')).toThrow('x: the schema makes it more than 1000000 steps to check');
  });

  it('takes what is large and simple', () => {
    const rows = times(20_000, (at) => ({ id: at, name: `n${at}`, kind: 'a' }));
    const row = {
      type: 'object',
      required: ['id', 'name'],
      properties: { id: { type: 'integer' }, name: { type: 'string', pattern: '^n' }, kind: { enum: ['a', 'b'] } },
    };
    expect(checkerOf({ type: 'array', items: row })(rows as Value, 'x')).toEqual(rows);
    expect(checkerOf({ uniqueItems: true, items: { type: 'integer' } })(integers, 'x')).toEqual(integers);
    expect(checkerOf({ pattern: 'b$', minLength: 5 })(`${'a'.repeat(500_000)}b`, 'x')).toHaveLength(500_001);
  });

  it('says how much it keeps', () => {
    expect(checkerOf({ pattern: 'x{1000}' }).bytes).toBeGreaterThan(100_000);
    expect(checkerOf({ properties: { a: true, b: true } }).bytes).toBeLessThan(5_000);
  });

  it('counts positions as the language does', () => {
    const schema = { allOf: [{ required: 'a' }] };
    expect(() => checkerOf(schema, 'schema', 'lua')).toThrow('schema.allOf[1].required: ');
    expect(() => checkerOf(schema, 'schema', 'javascript')).toThrow('schema.allOf[0].required: ');
  });

  const HOSTILE = '^(a+)+$';
  const LONG = `${'a'.repeat(5_000)}b`;
  it.each<[string, Value, Value]>([
    ['a string', { pattern: HOSTILE }, LONG],
    ['a name', { propertyNames: { pattern: HOSTILE } }, { [LONG]: 1 }],
    ['a map', { patternProperties: { [HOSTILE]: {} }, additionalProperties: false }, { [LONG]: 1 }],
  ])('matches patterns of %s in linear time', (_, schema, value) => {
    expect(said(schema, value)).toHaveLength(1);
  });
});

describe('formats', () => {
  it.each([
    [
      'email',
      ['te~st@example.com', 'a/b@example.com', 'root@localhost', '"joe bloggs"@example.com', 'a@[127.0.0.1]'],
      ['a@', '@b.c', 'a b@c.d', 'a..b@c.d', 'a@-b.c', `a@${'a.'.repeat(4e6)}`],
    ],
    [
      'uri',
      ['http://a.test/x?y#z', 'urn:a:b', 'http://[::1]:99999/', 'a:%20'],
      ['http://a.b/c d', ' http://a.test/', 'http://a.test/%zz', 'http://a.test/é', '/x', ''],
    ],
    [
      'date-time',
      ['2024-02-29T12:00:00Z', '1998-12-31t23:59:60z', '1998-12-31T15:59:60.5-08:00'],
      ['2023-02-29T12:00:00Z', '2024-01-01T12:00:60Z', '2024-01-01T24:00:00Z', '2024-01-01T12:00:00', '2024-01-01 12:00:00Z'],
    ],
    ['date', ['2024-02-29'], ['2023-02-29', '2024-2-9']],
    ['duration', ['P1D', 'PT1H30M'], ['1D', 'P']],
    ['ipv4', ['127.0.0.1'], ['256.0.0.1']],
    ['ipv6', ['::1'], ['1']],
    ['uuid', ['123e4567-e89b-12d3-a456-426614174000'], ['123']],
  ])('%s', (format, right, wrong) => {
    for (const text of right) expect([text, said({ format }, text)]).toEqual([text, []]);
    for (const text of wrong) expect([text.slice(0, 50), said({ format }, text).length]).toEqual([text.slice(0, 50), 1]);
  });
});

describe('the size of a pattern', () => {
  it.each(['a', 'a|b|c', '(?:ab?){3,7}c*', '[a-z\\]]{2,}x', '((a{3}){4}){5}', '\\Qa{3}\\E{2}', '\\x{41}{9}', '[]a]{4}', '[[:alpha:]]{6}', 'x{,3}'])(
    '%s is at least what it becomes',
    (pattern) => {
      const instructions = re2().compile(pattern).programSize();
      expect(sizeOf(pattern)).toBeGreaterThanOrEqual(instructions);
      expect(sizeOf(pattern)).toBeLessThan(30 + 3 * instructions);
    },
  );
});

describe('what scripts and models give', () => {
  it.each<[string, Value, Value, unknown]>([
    ['an empty table is an array', { properties: { list: { type: 'array' } } }, { list: {} }, { list: [] }],
    ['an empty array is a map', { type: 'object' }, [], {}],
    ['what is missing gets its default', { properties: { n: { default: 3 }, m: {} }, required: ['n'] }, {}, { n: 3 }],
    ['null stands for what is not given', { properties: { n: { type: 'number' }, m: { type: 'null' } } }, { n: null, m: null }, { m: null }],
    ['floats and integers are numbers', { items: { type: 'integer' } }, [new Float(2), 3n, 2n ** 60n], [2, 3, 2n ** 60n]],
    [
      'a name may be any',
      { additionalProperties: { type: 'integer' } },
      JSON.parse('{"__proto__": 1, "constructor": 2}'),
      JSON.parse('{"__proto__": 1, "constructor": 2}'),
    ],
    ['alternatives put it right as well', { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'integer' } }] }, [new Float(1)], [1]],
  ])('%s', (_, schema, value, result) => {
    const before = structuredClone(Array.isArray(value) && value.some((item) => item instanceof Float) ? [] : value);
    expect(checkerOf(schema)(value, 'x')).toEqual(result);
    if (!Array.isArray(value)) expect(value).toEqual(before);
  });

  it('a default that does not fit is told', () => {
    expect(() => checkerOf({ properties: { n: { type: 'number', default: 'x' } } })({}, 'x')).toThrow('x.n: expected a number, got a string');
  });

  it('a null that is required is told', () => {
    expect(() => checkerOf({ properties: { n: { type: 'number' } }, required: ['n'] })({ n: null }, 'x')).toThrow('x.n: expected a number, got null');
  });

  it('positions count from 1 in Lua', () => {
    expect(() => checkerOf({ items: { type: 'string' } })(['a', true], 'x', 'lua')).toThrow('x[2]: expected a string, got a boolean (true)');
  });
});

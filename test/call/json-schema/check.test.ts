import { describe, expect, it } from 'vitest';
import { checkerOf, failuresOf } from '../../../src/call/json-schema/check.ts';
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
    [{ items: 3 }, 'schema.items: expected a JSON Schema, which is a map or a boolean, got a number'],
    [{ $ref: '#/nope' }, 'schema["$ref"]: "#/nope" is not in this schema'],
    [{ $ref: 'https://elsewhere.test/x' }, 'schema["$ref"]: "https://elsewhere.test/x" is not in this schema'],
    [{ pattern: '(?=x)' }, 'schema.pattern: expected a pattern of RE2, got "(?=x)"'],
    [{ patternProperties: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`^a${i}`, true])) }, 'schema: more than 100 patterns in one JSON Schema'],
    [{ patternProperties: { '(?=x)': true }, additionalProperties: false }, 'schema.patternProperties: expected a pattern of RE2, got "(?=x)"'],
    [{ enum: Array.from({ length: 10_001 }, (_, i) => i) }, 'schema: more than 10000 values in one JSON Schema'],
    [{ anyOf: Array.from({ length: 2_001 }, () => ({})) }, 'schema: more than 2000 schemas in one JSON Schema'],
  ])('%j is refused', (schema, message) => {
    expect(() => checkerOf(schema)).toThrow(message);
  });

  it('counts a pattern once, wherever it stands', () => {
    const patternProperties = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`^a${i}$`, { type: 'number' }]));
    const schema = { patternProperties, additionalProperties: false };
    expect(said(schema, { a1: 1, a99: 'x', b: 1 })).toEqual(['unknown option "b"; there are none', 'a99: expected a number, got a string']);
  });

  it('does not compare more than it may', () => {
    const many = Array.from({ length: 30_000 }, (_, n) => ({ n }));
    expect(() => checkerOf({ uniqueItems: true })(many, 'x')).toThrow('more than 250000 checks of one value');
    expect(checkerOf({ uniqueItems: true })(many.slice(0, 10_000), 'x')).toHaveLength(10_000);
  });

  it.each<[string, ValueMap]>([
    ['itself', { $ref: '#' }],
    ['itself by an alternative', { anyOf: [{ $ref: '#' }, { $ref: '#' }] }],
    ['twice itself', { properties: { a: { anyOf: [{ $ref: '#' }, { $ref: '#' }] } }, not: { type: 'string' } }],
  ])('that is %s comes to an end', (_, schema) => {
    let deep: Value = 'x';
    for (let i = 0; i < 40; i++) deep = { a: deep };
    expect(() => checkerOf(schema)(deep, 'x')).toThrow("x: the schema's alternatives make it more than 250000 checks of one value");
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

  it('a null that is required is told', () => {
    expect(() => checkerOf({ properties: { n: { type: 'number' } }, required: ['n'] })({ n: null }, 'x')).toThrow('x.n: expected a number, got null');
  });

  it('positions count from 1 in Lua', () => {
    expect(() => checkerOf({ items: { type: 'string' } })(['a', true], 'x', 'lua')).toThrow('x[2]: expected a string, got a boolean (true)');
  });
});

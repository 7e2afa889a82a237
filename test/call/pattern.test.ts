import { describe, expect, it } from 'vitest';
import { compileSchema } from '../../src/call/compile.ts';
import { fromJsonSchema } from '../../src/call/json-schema.ts';
import type { Value } from '../../src/call/value.ts';

const HOSTILE = '^(a+)+$';
const LONG = `${'a'.repeat(5_000)}b`;

describe('a pattern in a JSON Schema', () => {
  it.each<[string, Value, Value]>([
    ['a string', { type: 'string', pattern: HOSTILE }, LONG],
    ['a property', { type: 'object', properties: { a: { type: 'string', pattern: HOSTILE } } }, { a: LONG }],
    ['an item', { type: 'array', items: { type: 'string', pattern: HOSTILE } }, [LONG]],
    ['a choice', { anyOf: [{ type: 'string', pattern: HOSTILE }, { type: 'number' }] }, LONG],
    [
      'a definition that refers to itself',
      { $ref: '#/$defs/x', $defs: { x: { type: 'object', properties: { a: { type: 'string', pattern: HOSTILE }, b: { $ref: '#/$defs/x' } } } } },
      { b: { a: LONG } },
    ],
    ['patternProperties', { type: 'object', patternProperties: { [HOSTILE]: { type: 'number' } } }, { [LONG]: 'x', aaa: 'x' }],
  ])('of %s takes linear time', (_, schema, value) => {
    expect(fromJsonSchema(schema).safeParse(value).success).toBe(false);
    expect(() => compileSchema(fromJsonSchema(schema))(value, 'x')).toThrow();
  });

  it('matches as it should', () => {
    const check = compileSchema(
      fromJsonSchema({ type: 'object', properties: { code: { type: 'string', pattern: '^[A-Z]{2}\\d+$' } }, patternProperties: { '^n_': { type: 'number' } } }),
    );
    expect(check({ code: 'AB12', n_x: 1 }, 'x')).toEqual({ code: 'AB12', n_x: 1 });
    expect(() => check({ code: 'ab12' }, 'x')).toThrow();
    expect(() => check({ n_x: 'no' }, 'x')).toThrow();
  });

  it('is refused when it cannot be matched in linear time', () => {
    expect(() => fromJsonSchema({ type: 'string', pattern: '(?=x)' }, 'parameters')).toThrow('parameters: expected a pattern of RE2, got "(?=x)"');
    for (const schema of [
      { type: 'object', propertyNames: { type: 'string', pattern: HOSTILE } },
      { type: 'object', propertyNames: { $ref: '#/$defs/n' }, $defs: { n: { type: 'string', pattern: HOSTILE } } },
      { type: 'array', contains: { type: 'string', pattern: HOSTILE } },
    ])
      expect(() => fromJsonSchema(schema)).toThrow('is a simple one');
    expect(fromJsonSchema({ type: 'object', propertyNames: { type: 'string', pattern: '^x_.*$' } }).safeParse({ y: 1 }).success).toBe(false);
    expect(() => fromJsonSchema({ type: 'object', properties: { contains: { type: 'string', pattern: '^(a+)+$' } } })).not.toThrow();
    const closed = (pattern: string) => () => fromJsonSchema({ type: 'object', patternProperties: { [pattern]: {} }, additionalProperties: false });
    expect(closed(HOSTILE)).toThrow('is a simple one');
    expect(closed('^x_.*$')).not.toThrow();
    expect(closed('^x_')().safeParse({ x_a: 1 }).success).toBe(true);
    expect(closed('^x_')().safeParse({ y: 1 }).success).toBe(false);
  });
});

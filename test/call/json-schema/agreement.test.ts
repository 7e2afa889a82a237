import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { failuresOf } from '../../../src/call/json-schema/check.ts';
import type { ValueMap } from '../../../src/call/value.ts';

const name = fc.constantFrom('a', 'b', 'ab', 'c');
const number = fc.constantFrom(-1, 0, 0.5, 1, 2, 3, 10);
const small = fc.constantFrom(0, 1, 2, 3);
const data = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, true, false, '', 'a', 'ab', '😀b', 'abc'),
    number,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(name, tie('any'), { maxKeys: 4 }),
  ),
})).any;

const type = fc.constantFrom('array', 'boolean', 'integer', 'null', 'number', 'object', 'string');
const { schema } = fc.letrec((tie) => {
  const part = tie('schema');
  const parts = fc.array(part, { minLength: 1, maxLength: 3 });
  const named = fc.dictionary(name, part, { maxKeys: 3 });
  const names = fc.uniqueArray(name, { maxLength: 3 });
  // Not `contains`, which Ajv forgets for some empty arrays, nor what is unevaluated, which it takes as looked at by alternatives that do not fit.
  const keywords = {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
    enum: fc.uniqueArray(data, { minLength: 1, maxLength: 4, comparator: (x, y) => JSON.stringify(x) === JSON.stringify(y) }),
    const: data,
    minimum: number,
    maximum: number,
    exclusiveMinimum: number,
    exclusiveMaximum: number,
    multipleOf: fc.constantFrom(0.5, 1, 2),
    minLength: small,
    maxLength: small,
    pattern: fc.constantFrom('a', '^b', 'b$', '^[ab]+$'),
    allOf: parts,
    anyOf: parts,
    oneOf: parts,
    not: part,
    if: part,
    // biome-ignore lint/suspicious/noThenProperty: it is the name of the keyword.
    then: part,
    else: part,
    $ref: fc.constantFrom('#/$defs/one', '#two'),
    dependentRequired: fc.dictionary(name, names, { maxKeys: 2 }),
    dependentSchemas: named,
    properties: named,
    patternProperties: fc.dictionary(fc.constantFrom('a', '^b$'), part, { maxKeys: 2 }),
    additionalProperties: part,
    propertyNames: part,
    required: names,
    minProperties: small,
    maxProperties: small,
    prefixItems: parts,
    items: part,
    minItems: small,
    maxItems: small,
    uniqueItems: fc.boolean(),
  };
  const some = fc
    .uniqueArray(fc.constantFrom(...(Object.keys(keywords) as (keyof typeof keywords)[])), { minLength: 1, maxLength: 4 })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map((key) => [key, keywords[key] as fc.Arbitrary<unknown>]))));
  return { schema: fc.oneof({ maxDepth: 4 }, fc.boolean(), some) };
});
/** References are within what does not refer itself, so that each check comes to an end. */
const leaf = fc.record({ type, minimum: number, required: fc.uniqueArray(name, { maxLength: 2 }) }, { requiredKeys: [] });
const documents = fc.record({ one: leaf, two: leaf, schema }).map(({ one, two, schema }) => ({
  ...(typeof schema === 'boolean' ? { allOf: [schema] } : (schema as ValueMap)),
  $defs: { one, two: { ...two, $anchor: 'two' } },
}));

it('fits what Ajv says that it fits', () => {
  const ajv = new Ajv2020({ strict: false, logger: false });
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(documents, fc.array(data, { minLength: 4, maxLength: 4 }), (...made) => {
      const [document, values] = JSON.parse(JSON.stringify(made)) as typeof made;
      const validate = ajv.compile(document);
      for (const value of values) {
        const fits = answerOf(() => validate(value) as boolean);
        if (fits === undefined) continue;
        seen[`${fits}`]++;
        expect(failuresOf(document as ValueMap, 'schema', value).length === 0).toBe(fits);
      }
    }),
    { numRuns: 700 },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(300);
});

/** Now and then the code that Ajv generates uses a name that it did not define. */
function answerOf(ask: () => boolean): boolean | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/call/codec.ts';
import { fromJsonText, toJsonText } from '../../src/call/json.ts';
import { sameValue } from '../../src/call/same.ts';
import { Float, type Value } from '../../src/call/value.ts';

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const beyondDouble = fc.bigInt(INT64).filter((value) => !Number.isSafeInteger(Number(value)));
const text = fc.string({ unit: 'grapheme' });

/** Everything that a script can save. */
const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double().filter((number) => !Number.isInteger(number)),
    fc.integer().map((number) => new Float(number)),
    beyondDouble,
    text,
    fc.uint8Array(),
    fc.array(tie('value')),
    fc.dictionary(text, tie('value')),
  ),
})).value as fc.Arbitrary<Value>;

describe('stored values', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(decode(encode(given))).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it('have one form: equal values have equal bytes, whatever the order of their keys', () => {
    fc.assert(
      fc.property(fc.dictionary(text, value), (given) => {
        const reversed = Object.fromEntries(Object.entries(given).reverse());
        expect(encode(reversed)).toEqual(encode(given));
        expect(sameValue(reversed, given)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('that were damaged are one clear error, or another value, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          expect((error as { code: string }).code).toBe('STORE_FAILED');
        }
      }),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(value, fc.nat(), (given, at) => {
        const bytes = encode(given);
        expect(() => decode(bytes.subarray(0, at % bytes.length))).toThrow('damaged');
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, Value, RegExp]>([
    ['functions', { f: () => null }, /f.*function/],
    ['integers beyond 64 bits', [2n ** 64n], /64/],
    ['lone surrogates', { a: '\ud800' }, /surrogate/],
  ])('hold no %s', (_, given, message) => {
    expect(() => encode(given)).toThrow(message);
  });
});

describe('JSON text', () => {
  const json: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      beyondDouble,
      text,
      fc.array(tie('value')),
      fc.dictionary(text, tie('value')),
    ),
  })).value as fc.Arbitrary<Value>;

  it('comes back as it was, 64-bit integers included', () => {
    fc.assert(
      fc.property(json, fc.boolean(), (given, pretty) => {
        expect(fromJsonText(toJsonText(given, { pretty }))).toEqual(given);
      }),
      { numRuns: 500 },
    );
  });

  it('is read as JavaScript reads it', () => {
    fc.assert(
      fc.property(fc.json(), (given) => {
        expect(
          JSON.parse(JSON.stringify(fromJsonText(given), (_, item) => (item instanceof Float ? item.value : typeof item === 'bigint' ? Number(item) : item))),
        ).toEqual(JSON.parse(given));
      }),
      { numRuns: 300 },
    );
  });

  it.each(['', '{', '[1,]', '{"a" 1}', 'nul', '"\\x"', '[1] 2', '"a', '\u00a0[]', '['.repeat(100)])('that is none is one clear error: %s', (given) => {
    expect(() => fromJsonText(given)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  });
});

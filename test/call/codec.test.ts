import { encode as encodeByPeer, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, decodeSoon, encode, encodeSoon } from '../../src/call/codec.ts';
import { Cpu } from '../../src/call/cpu.ts';
import { fromJsonText, toJsonText } from '../../src/call/json.ts';
import { sameValue } from '../../src/call/same.ts';
import { inByteOrder, orderInSteps } from '../../src/call/text.ts';
import { Float, type Value } from '../../src/call/value.ts';
import { anyCharacter } from '../support/text.ts';

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
  it('are the bytes that another encoder makes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (json) => {
        const given = JSON.parse(json);
        expect(Buffer.from(encode(given)).toString('hex')).toBe(Buffer.from(encodeByPeer(given, rfc8949EncodeOptions)).toString('hex'));
      }),
      { numRuns: 150 },
    );
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(decode(encode(given))).toEqual(given);
      }),
      { numRuns: 150 },
    );
  });

  it('have one form: equal values have equal bytes, whatever the order of their keys', () => {
    fc.assert(
      fc.property(fc.dictionary(text, value), (given) => {
        const reversed = Object.fromEntries(Object.entries(given).reverse());
        expect(encode(reversed)).toEqual(encode(given));
        expect(sameValue(reversed, given)).toBe(true);
      }),
      { numRuns: 80 },
    );
  });

  it('are those of RFC 8949, appendix A', () => {
    const hex = (given: Value) => Buffer.from(encode(given)).toString('hex');
    const numbers = [0, 23, 24, 255, 256, 65_536, 4_294_967_296, -1, -24, -25, -257].map(hex);
    expect(numbers).toEqual(['00', '17', '1818', '18ff', '190100', '1a00010000', '1b0000000100000000', '20', '37', '3818', '390100']);
    const floats = [-0, 1.5, 2 ** -24, 100_000.5, 1.1, Number.POSITIVE_INFINITY, Number.NaN].map(hex);
    expect(floats).toEqual(['f98000', 'f93e00', 'f90001', 'fa47c35040', 'fb3ff199999999999a', 'f97c00', 'f97e00']);
    expect(hex([2n ** 63n - 1n, -(2n ** 63n)])).toBe('821b7fffffffffffffff3b7fffffffffffffff');
    expect(hex({ b: [true, null], a: 'ü', aa: new Uint8Array([1]) })).toBe('a3616162c3bc616282f5f66261614101');
  });

  const large: [Value][] = [
    [Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${(i * 7919) % 5_000} ${i % 3 ? 'x' : '\ufb01\u{1f600}'}`, i]))],
    [Array.from({ length: 20_000 }, (_, i) => ({ i: [i] }))],
    [['x'.repeat(300_000), 'ä€😀'.repeat(100_000), new Uint8Array(300_000).fill(7)]],
  ];
  it.each(large)('of any size have the same bytes, and value, at once and over several turns', async (given) => {
    const bytes = encode(given);
    const later = encodeSoon(new Cpu(), given);
    expect(Buffer.compare(await later, bytes)).toBe(0);
    expect(await decodeSoon(new Cpu(), bytes)).toEqual(decode(bytes));
    expect(Buffer.compare(encode(decode(bytes)), bytes)).toBe(0);
  });

  it('that cannot be stored are refused in the middle too, with the place', async () => {
    const given = [...Array.from({ length: 200_000 }, (_, i) => ({ i })), { f: () => null }] as Value;
    const refused = { code: 'BAD_ARGUMENT', message: 'x[200000].f: expected data that can be stored, got a function' };
    await expect(Promise.resolve(encodeSoon(new Cpu(), given, 'x'))).rejects.toMatchObject(refused);
    const bytes = encode(Array.from({ length: 200_000 }, (_, i) => ({ i })));
    await expect(Promise.resolve(decodeSoon(new Cpu(), bytes.subarray(0, -1)))).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });

  it('have the keys of their maps in the order of bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: anyCharacter, maxLength: 4 }), { maxLength: 3_000, size: 'max' }), (texts) => {
        const expected = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        const steps = orderInSteps(texts);
        let step = steps.next();
        while (!step.done) step = steps.next();
        expect(step.value).toEqual(expected);
        expect(inByteOrder([...texts])).toEqual(expected);
      }),
      { numRuns: 12 },
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
      { numRuns: 150 },
    );
    for (const integer of ['3bf4ffffffffffffff', '1bffffffffffffffff']) expect(() => decode(Buffer.from(integer, 'hex'))).toThrow('damaged');
    fc.assert(
      fc.property(value, fc.nat(), (given, at) => {
        const bytes = encode(given);
        expect(() => decode(bytes.subarray(0, at % bytes.length))).toThrow('damaged');
      }),
      { numRuns: 80 },
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
      { numRuns: 150 },
    );
  });

  it('is read as JavaScript reads it', () => {
    fc.assert(
      fc.property(fc.json(), (given) => {
        expect(
          JSON.parse(JSON.stringify(fromJsonText(given), (_, item) => (item instanceof Float ? item.value : typeof item === 'bigint' ? Number(item) : item))),
        ).toEqual(JSON.parse(given));
      }),
      { numRuns: 80 },
    );
  });

  it.each(['', '{', '[1,]', '{"a" 1}', 'nul', '"\\x"', '[1] 2', '"a', '\u00a0[]', '['.repeat(100)])('that is none is one clear error: %s', (given) => {
    expect(() => fromJsonText(given)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENT' }));
  });
});

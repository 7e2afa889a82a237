import fc from 'fast-check';
import type { Language } from '../../../src/call/context.ts';
import { Float, type Value } from '../../../src/call/value.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../engine.ts';
import { testHost, testRun } from '../run.ts';
import { anyCharacter } from '../text.ts';

/** Bytes that are no UTF-8: others come back from Lua as text. */
const bytes = fc.uint8Array({ maxLength: 40 }).map((tail) => Uint8Array.from([0xff, ...tail]));
const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((n) => !Number.isSafeInteger(Number(n)));
const fraction = fc.double().filter((n) => !Number.isInteger(n) || !Number.isSafeInteger(n));

/** Any value that both languages hold; `float` adds doubles with integral values, which only Lua tells from integers. */
export function anyData(language: Language): fc.Arbitrary<Value> {
  const scalar = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    language === 'lua' ? fraction.map((n): Value => (Number.isInteger(n) ? new Float(n) : n)) : fraction,
    integer,
    fc.string({ unit: anyCharacter }),
    fc.string({ unit: 'grapheme' }),
    bytes,
    ...(language === 'lua' ? [fc.maxSafeInteger().map((n) => new Float(n))] : []),
  );
  return fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(tie('value'), { maxLength: 12 }),
      fc.array(fc.maxSafeInteger(), { maxLength: 30 }),
      fc.dictionary(fc.string({ unit: anyCharacter }), tie('value'), { maxKeys: 8 }).map((map) => ({ ...map })),
    ),
  })).value;
}

/** Sends random values into a script and back, `runs` of them; fails with the smallest that comes back changed. */
export async function roundTrips(language: Language, runs: number, same: (got: unknown, wanted: unknown) => void): Promise<void> {
  const engine = language === 'lua' ? createLuaEngine() : createJavaScriptEngine();
  const host = testHost();
  const text = language === 'lua' ? 'return Try.echo(INPUT)' : 'return Try.echo(INPUT)';
  await fc.assert(
    fc.asyncProperty(anyData(language), async (value) => {
      same(await runText(engine, testRun({ host, language, input: value }).run, text), value);
    }),
    { numRuns: runs },
  );
}

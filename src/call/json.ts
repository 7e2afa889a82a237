import { inTurns } from './breath.ts';
import type { Cpu } from './cpu.ts';
import { type JsonTextOptions, JsonWriter, MAX_DEPTH, wrong } from './json-write.ts';
import { joinedSoon } from './long-text.ts';
import { type Soon, whenReady } from './soon.ts';
import { Float, type Value } from './value.ts';

/**
 * JSON text of a value: integers as digits however large, doubles with integral values as `2.0`, bytes as `{"$bytes": base64}`, NaN and infinities as null
 * (as JavaScript does), keys in the order they are in. Throws BAD_ARGUMENT for functions, handles, cycles and nesting over 64.
 */
export function toJsonText(value: Value, options: JsonTextOptions = {}): string {
  const writer = new JsonWriter(value, options);
  while (!writer.step());
  return writer.pieces.join('');
}

/** As `toJsonText`, for a run, over several turns of the event loop where the value is large; nobody may change it meanwhile. */
export function toJsonTextSoon(cpu: Cpu, value: Value, options: JsonTextOptions = {}): Soon<string> {
  const writer = new JsonWriter(value, options);
  return whenReady(inTurns(cpu, writer.step), () => joinedSoon(cpu, writer.pieces));
}

/** The value of JSON text: integers beyond ±2^53 as bigint, beyond 64 bits as doubles, `2.0` as Float. Throws BAD_ARGUMENT with what stands in the wrong place, behind `place`; for half of a surrogate pair too, which is no text. */
export function fromJsonText(text: string, place?: string): Value {
  if (MAY_HALVE.test(text)) refuseHalves(text, place);
  try {
    const value: Value = NUMBERS_NEED_CARE.test(text) ? JSON.parse(text, reviveNumber) : JSON.parse(text);
    if (!isShallow(value, 0)) throw new RangeError();
    return value;
  } catch (error) {
    if (error instanceof RangeError) throw wrong(place, `expected at most ${MAX_DEPTH} levels of nesting, got more`);
    throw wrong(place, `expected JSON text: ${error instanceof Error ? error.message.replaceAll(/[ \t\r\n]+/g, ' ') : ''}`);
  }
}

/** Long runs of digits, fractions and exponents, wherever they stand; without them plain parsing, several times faster, is exact. */
const NUMBERS_NEED_CARE = /\d{16}|\d[.eE]|-0/;

function reviveNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined) return value;
  if (!/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? new Float(value) : value;
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const integer = BigInt(source);
  return BigInt.asIntN(64, integer) === integer ? integer : value;
}

/** An escape of a surrogate, wherever it stands: rare, and only then escapes are looked through. */
const MAY_HALVE = /\\u[dD][89a-fA-F]/;
/** Escapes from left to right: a pair, half of one, any other. */
const ESCAPES = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u[dD][89a-fA-F][\da-fA-F]{2})|\\./gs;

function refuseHalves(text: string, place: string | undefined): void {
  for (const { 1: half, index } of text.matchAll(ESCAPES)) {
    if (half === undefined) continue;
    const lines = text.slice(0, index).split('\n');
    throw wrong(
      place,
      `expected text, got half of a surrogate pair (${half}) at position ${index} (line ${lines.length} column ${(lines.at(-1) ?? '').length + 1})`,
    );
  }
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_DEPTH && !(value instanceof Float)) return false;
  for (const key in value) if (!isShallow((value as Record<string, unknown>)[key], depth + 1)) return false;
  return true;
}

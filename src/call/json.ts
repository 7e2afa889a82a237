import { ScriptError } from '../errors.ts';
import { describe } from './check/failure.ts';
import { isMap } from './check/kind.ts';
import { Float, Handle, type Value } from './value.ts';

/** The deepest nesting that is written or read, as between scripts and the host. */
const MAX_DEPTH = 64;

export interface JsonTextOptions {
  /** Two spaces of indentation and a line per item. */
  readonly pretty?: boolean;
  /** Functions and handles as short descriptions instead of an error, for output that people read. */
  readonly describe?: boolean;
  /** How errors name the value, `JSON.stringify: value`. */
  readonly place?: string;
  /** Where positions in errors begin; 0 if not given. */
  readonly first?: 0 | 1;
}

/**
 * JSON text of a value: integers as digits however large, doubles with integral values as `2.0`, bytes as `{"$bytes": base64}`, NaN and infinities as null
 * (as JavaScript does), keys in the order they are in. Throws BAD_ARGUMENT for functions, handles, cycles and nesting over 64.
 */
export function toJsonText(value: Value, options: JsonTextOptions = {}): string {
  return write(value, options, options.place ?? '', options.pretty ? '\n' : '', 0);
}

function write(value: unknown, options: JsonTextOptions, path: string, newline: string, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return numberText(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'undefined':
      return 'null';
    case 'object':
      return value === null ? 'null' : writeObject(value, options, path, newline, depth);
    default:
      return opaque(value, options, path);
  }
}

/** A number that would be read as an integer. */
const DIGITS_ALONE = /^-?\d+$/;

function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function writeObject(value: object, options: JsonTextOptions, path: string, newline: string, depth: number): string {
  if (value instanceof Float) return numberText(value.value).replace(DIGITS_ALONE, '$&.0');
  if (value instanceof Uint8Array) return `{"$bytes":${options.pretty ? ' ' : ''}"${Buffer.from(value).toString('base64')}"}`;
  if (depth >= MAX_DEPTH) throw wrong(options.place, `expected at most ${MAX_DEPTH} levels of nesting, got more (or a value that contains itself)`);
  const inner = newline === '' ? '' : `${newline}  `;
  if (Array.isArray(value))
    return enclose(
      '[',
      ']',
      value.map((item, index) => write(item, options, `${path}[${index + (options.first ?? 0)}]`, inner, depth + 1)),
      newline,
      inner,
    );
  if (!isMap(value)) return opaque(value, options, path);
  const parts: string[] = [];
  const colon = newline === '' ? ':' : ': ';
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (item !== undefined) parts.push(JSON.stringify(key) + colon + write(item, options, path === '' ? key : `${path}.${key}`, inner, depth + 1));
  }
  return enclose('{', '}', parts, newline, inner);
}

function enclose(open: string, close: string, parts: readonly string[], newline: string, inner: string): string {
  return parts.length === 0 ? open + close : open + inner + parts.join(`,${inner}`) + newline + close;
}

function opaque(value: unknown, options: JsonTextOptions, path: string): string {
  if (options.describe)
    return JSON.stringify(value instanceof Handle ? `[${value.type.name}]` : typeof value === 'function' ? '[function]' : `[${describe(value)}]`);
  throw wrong(path, `expected data, got ${describe(value)}`);
}

function wrong(path: string | undefined, sentence: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', path ? `${path}: ${sentence}` : sentence);
}

/** The value of JSON text: integers beyond ±2^53 as bigint, beyond 64 bits as doubles, `2.0` as Float. Throws BAD_ARGUMENT with the line and column, behind `place`; for half of a surrogate pair too, which is no text. */
export function fromJsonText(text: string, place?: string): Value {
  if (MAY_HALVE.test(text)) refuseHalves(text, place);
  try {
    const value: Value = NUMBERS_NEED_CARE.test(text) ? JSON.parse(text, reviveNumber) : JSON.parse(text);
    if (!isShallow(value, 0)) throw new RangeError();
    return value;
  } catch (error) {
    if (error instanceof RangeError) throw wrong(place, `expected at most ${MAX_DEPTH} levels of nesting, got more`);
    throw wrong(place, `expected JSON text, got something else: ${error instanceof Error ? error.message : ''}`);
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

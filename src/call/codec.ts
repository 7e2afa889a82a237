import { decode as decodeCbor, encode as encodeCbor, rfc8949EncodeOptions, Token, Tokenizer, Type } from 'cborg';
import { ScriptError } from '../errors.ts';
import { describe } from './check/failure.ts';
import { isMap } from './check/kind.ts';
import { Float, type Value } from './value.ts';

/**
 * The one stored form of values: deterministic CBOR (RFC 8949, section 4.2), equal values in equal bytes, map keys in the order of their bytes.
 * Functions, handles, integers beyond 64 bits and texts with lone surrogates have no stored form: BAD_ARGUMENT with the place, which begins with `where`.
 */
export function encode(value: Value, where = ''): Uint8Array {
  try {
    return encodeCbor(value, ENCODE);
  } catch (error) {
    throw refusal(value, where, []) ?? new ScriptError('BAD_ARGUMENT', 'the value cannot be stored', { cause: error });
  }
}

/** The value of stored bytes; an integral double comes back as Float, an integer beyond ±2^53 as bigint. Throws STORE_FAILED when the bytes are damaged. */
export function decode(bytes: Uint8Array): Value {
  // Of a Buffer the decoder would give parts that are Buffers too.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return decodeCbor(plain, { ...DECODE, tokenizer: new FloatTokenizer(plain, DECODE) }) as Value;
  } catch (error) {
    throw new ScriptError('STORE_FAILED', 'a stored value is damaged and cannot be read', { cause: error });
  }
}

/** Something is in the way; which and where is found out afterwards. */
class Unstorable extends Error {}

const refuse = () => {
  throw new Unstorable();
};

const ENCODE = {
  ...rfc8949EncodeOptions,
  ignoreUndefinedProperties: true,
  typeEncoders: {
    undefined: () => new Token(Type.null, null),
    number: (value: number) => (Object.is(value, -0) ? new Token(Type.float, value) : null),
    bigint: (value: bigint) => (BigInt.asIntN(64, value) === value ? null : refuse()),
    string: (value: string) => (value.isWellFormed() ? null : refuse()),
    Function: refuse,
    Object: (value: object) => {
      if (value instanceof Float) return new Token(Type.float, value.value);
      return isMap(value) ? null : refuse();
    },
    ...Object.fromEntries(
      [
        'Date',
        'Map',
        'RegExp',
        'ArrayBuffer',
        'DataView',
        'Int8Array',
        'Uint8ClampedArray',
        'Int16Array',
        'Uint16Array',
        'Int32Array',
        'Uint32Array',
        'Float32Array',
        'Float64Array',
        'BigInt64Array',
        'BigUint64Array',
      ].map((name) => [name, refuse]),
    ),
  },
};

const DECODE = { strict: true, allowBigInt: true, allowIndefinite: false, allowUndefined: false, rejectDuplicateMapKeys: true };

/** Doubles with an integral value become Float while they can still be told from integers. */
class FloatTokenizer extends Tokenizer {
  override next(): Token {
    const token = super.next();
    if (token.type !== Type.float || !(Number.isSafeInteger(token.value) || Object.is(token.value, -0))) return token;
    return new Token(Type.float, new Float(token.value), token.encodedLength);
  }
}

/** Where and why a value has no stored form. */
function refusal(value: unknown, path: string, parents: readonly unknown[]): ScriptError | undefined {
  const no = (reason: string) => new ScriptError('BAD_ARGUMENT', path === '' ? reason : `${path}: ${reason}`);
  if (typeof value === 'string') return value.isWellFormed() ? undefined : no('expected text, got a string with half of a surrogate pair');
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? undefined : no(`expected an integer of at most 64 bits, got ${value}`);
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || value === undefined) return undefined;
  if (value instanceof Float || value instanceof Uint8Array) return undefined;
  if (parents.includes(value)) return no('expected data that can be stored, got a value that contains itself');
  if (!Array.isArray(value) && !isMap(value)) return no(`expected data that can be stored, got ${describe(value)}`);
  for (const [key, child] of Object.entries(value)) {
    const place = Array.isArray(value) ? `${path}[${key}]` : placeOf(path, key);
    const found = refusal(key, place, []) ?? refusal(child, place, [...parents, value]);
    if (found) return found;
  }
  return undefined;
}

function placeOf(path: string, key: string): string {
  if (!/^[A-Za-z_]\w*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

import { ScriptError } from '../errors.ts';
import { inTurns } from './breath.ts';
import { CborReader } from './cbor-read.ts';
import { CborWriter } from './cbor-write.ts';
import { describe } from './check/failure.ts';
import { isMap } from './check/kind.ts';
import type { Language } from './context.ts';
import type { Cpu } from './cpu.ts';
import { type Soon, whenReady } from './soon.ts';
import { Float, type Value } from './value.ts';

/**
 * The one stored form of values: deterministic CBOR (RFC 8949, section 4.2), equal values in equal bytes, map keys in the order of their bytes.
 * Functions, handles, integers beyond 64 bits and texts with lone surrogates have no stored form: BAD_ARGUMENT with the place, below `path`
 * (`State.save: value`) and with positions as in the language.
 */
export function encode(value: Value, path = '', language: Language = 'javascript'): Uint8Array {
  return writing(value, path, language, (writer) => {
    while (!writer.step());
    return writer.bytes;
  });
}

/** As `encode`, for a run, over several turns of the event loop where the value is large; nobody may change it meanwhile. */
export function encodeSoon(cpu: Cpu, value: Value, path = '', language: Language = 'javascript'): Soon<Uint8Array> {
  return writing(value, path, language, (writer) => whenReady(inTurns(cpu, writer.step), () => writer.bytes));
}

/** The value of stored bytes; an integral double comes back as Float, an integer beyond ±2^53 as bigint. Throws STORE_FAILED when the bytes are damaged. */
export function decode(bytes: Uint8Array): Value {
  return reading(bytes, (reader) => {
    while (!reader.step());
    return reader.value;
  });
}

/** As `decode`, for a run, over several turns of the event loop where the value is large. */
export function decodeSoon(cpu: Cpu, bytes: Uint8Array): Soon<Value> {
  return reading(bytes, (reader) => whenReady(inTurns(cpu, reader.step), () => reader.value));
}

function writing<T extends Soon<Uint8Array>>(value: Value, path: string, language: Language, write: (writer: CborWriter) => T): T {
  const fail = (error: unknown): never => {
    throw refusal(value, path, [], language === 'lua' ? 1 : 0) ?? new ScriptError('BAD_ARGUMENT', 'the value cannot be stored', { cause: error });
  };
  return guarded(() => write(new CborWriter(value)), fail);
}

function reading<T>(bytes: Uint8Array, read: (reader: CborReader) => T): T {
  const fail = (error: unknown): never => {
    throw new ScriptError('STORE_FAILED', 'a stored value is damaged and cannot be read', { cause: error });
  };
  return guarded(() => read(new CborReader(bytes)), fail);
}

/** Gives failures, now or later, to `fail`, which throws. */
function guarded<T>(work: () => T, fail: (error: unknown) => never): T {
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(fail) as T) : result;
  } catch (error) {
    return fail(error);
  }
}

/** Where and why a value has no stored form. */
function refusal(value: unknown, path: string, parents: readonly unknown[], first: number): ScriptError | undefined {
  const no = (reason: string) => new ScriptError('BAD_ARGUMENT', path === '' ? reason : `${path}: ${reason}`);
  if (typeof value === 'string') return value.isWellFormed() ? undefined : no('expected text, got a string with half of a surrogate pair');
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? undefined : no(`expected an integer of at most 64 bits, got ${value}`);
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || value === undefined) return undefined;
  if (value instanceof Float || value instanceof Uint8Array) return undefined;
  if (parents.includes(value)) return no('expected data that can be stored, got a value that contains itself');
  if (!Array.isArray(value) && !isMap(value)) return no(`expected data that can be stored, got ${describe(value)}`);
  for (const [key, child] of Object.entries(value)) {
    const place = Array.isArray(value) ? `${path}[${Number(key) + first}]` : placeOf(path, key);
    const found = refusal(key, place, [], first) ?? refusal(child, place, [...parents, value], first);
    if (found) return found;
  }
  return undefined;
}

function placeOf(path: string, key: string): string {
  if (!/^[A-Za-z_]\w*$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
  return path === '' ? key : `${path}.${key}`;
}

import { type Callback, Float, Handle, LazyMap, type Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { VALUE_LIMITS } from '../limits.ts';
import { EXCEPTION, immediate, NULL, PROPERTY, type QuickJSExports, TAG, tagOf, UNDEFINED } from './exports.ts';
import type { Heap } from './heap.ts';

/** Bytes of the area for texts and arguments on their way in. */
export const SCRATCH_BYTES = 16_384;
/** Property names that an instance keeps as atoms. */
const MOST_ATOMS = 4_096;
/** Up to this length a text is written character by character, which beats the encoder's call. */
const SHORT = 32;

/** What stands behind the functions and handles that go in. */
export interface Insertions {
  /** The engine's object for a handle, with a reference for the caller. */
  handle(handle: Handle): bigint;
  /** The script's own function, with a reference for the caller. */
  callback(callback: Callback): bigint;
  /** The engine's lazy object for one with the fields that go in at once, whose reference is taken over. */
  lazy(map: LazyMap, own: bigint): bigint;
}

/** Makes the script's values from the host's. A result `EXCEPTION` means that the engine has an exception pending: no memory left. */
export class Writer {
  readonly #x: QuickJSExports;
  readonly #heap: Heap;
  readonly #context: number;
  readonly #scratch: number;
  readonly #atoms = new Map<string, number>();
  readonly #insertions: Insertions;
  #used = 0;

  constructor(x: QuickJSExports, heap: Heap, context: number, scratch: number, insertions: Insertions) {
    this.#x = x;
    this.#heap = heap;
    this.#context = context;
    this.#scratch = scratch;
    this.#insertions = insertions;
  }

  /** Puts a value to an address. */
  put(at: number, value: Value | undefined): void {
    if (typeof value === 'number') this.#putNumber(at, value);
    else this.#heap.setValue(at, this.write(value));
  }

  /** The engine's value; the caller owns its reference. */
  write(value: Value | undefined, depth = 0): bigint {
    switch (typeof value) {
      case 'number':
        return this.#number(value);
      case 'string':
        return this.text(value);
      case 'boolean':
        return immediate(TAG.boolean, value ? 1 : 0);
      case 'bigint':
        return this.#bigint(value);
      case 'function':
        return this.#insertions.callback(value);
      case 'undefined':
        return UNDEFINED;
    }
    if (value === null) return NULL;
    if (value instanceof Uint8Array) return this.#bytes(value);
    if (value instanceof Float) return this.#number(value.value);
    if (value instanceof Handle) return this.#insertions.handle(value);
    if (value instanceof LazyMap) return this.#lazy(value, depth);
    if (depth >= VALUE_LIMITS.depth) throw new ScriptError('LIMIT_EXCEEDED', `a value for the script is nested deeper than ${VALUE_LIMITS.depth}`);
    return Array.isArray(value) ? this.#array(value, depth) : this.#object(value, depth);
  }

  /** A text. */
  text(text: string): bigint {
    const { pointer, size, end } = this.#encode(text);
    const value = this.#x.JS_NewStringLen(this.#context, pointer, size);
    this.#release(pointer, end);
    return value;
  }

  /** The atom of a property name; kept, so nobody frees it. */
  atom(name: string): number {
    const known = this.#atoms.get(name);
    if (known !== undefined) return known;
    if (this.#atoms.size >= MOST_ATOMS) {
      for (const atom of this.#atoms.values()) this.#x.JS_FreeAtom(this.#context, atom);
      this.#atoms.clear();
    }
    const { pointer, size, end } = this.#encode(name);
    const atom = this.#x.JS_NewAtomLen(this.#context, pointer, size);
    this.#release(pointer, end);
    if (atom !== 0) this.#atoms.set(name, atom);
    return atom;
  }

  /** Sets an own property and takes over the value; false when there is no memory. */
  define(object: bigint, name: string, value: bigint, flags: number = PROPERTY.plain): boolean {
    if (tagOf(value) === TAG.exception) return false;
    return this.#x.JS_DefinePropertyValue(this.#context, object, this.atom(name), value, flags) >= 0;
  }

  /** Memory for `size` bytes, given back in reverse order by the function returned. */
  reserve(size: number): { pointer: number; free: () => void } {
    const before = this.#used;
    const pointer = this.#take(size);
    return { pointer, free: () => this.#release(pointer, before) };
  }

  #putNumber(at: number, value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.#heap.setWord(at, value);
      this.#heap.setWord(at + 4, TAG.int);
    } else this.#heap.setDouble(at, Number.isNaN(value) ? Number.NaN : value);
  }

  #number(value: number): bigint {
    if ((value | 0) === value && !Object.is(value, -0)) return immediate(TAG.int, value);
    this.#heap.setDouble(this.#scratch, Number.isNaN(value) ? Number.NaN : value);
    return this.#heap.value(this.#scratch);
  }

  #bigint(value: bigint): bigint {
    if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) return this.#number(Number(value));
    if (BigInt.asIntN(64, value) !== value) throw new ScriptError('BAD_ARGUMENT', `the integer ${value} is beyond 64 bits`);
    return this.#x.JS_NewBigInt64(this.#context, value);
  }

  #bytes(bytes: Uint8Array): bigint {
    const before = this.#used;
    const pointer = this.#take(bytes.length);
    this.#heap.bytes.set(bytes, pointer);
    const value = this.#x.JS_NewUint8ArrayCopy(this.#context, pointer, bytes.length);
    this.#release(pointer, before);
    return value;
  }

  #array(items: readonly Value[], depth: number): bigint {
    const before = this.#used;
    const { length } = items;
    const pointer = this.#take(length * 8);
    try {
      let failed = false;
      for (let i = 0; i < length; i++) {
        const item = items[i];
        if (typeof item === 'number') {
          this.#putNumber(pointer + i * 8, item);
          continue;
        }
        const value = failed ? NULL : this.write(item ?? null, depth + 1);
        if (tagOf(value) === TAG.exception) failed = true;
        this.#heap.setValue(pointer + i * 8, tagOf(value) === TAG.exception ? NULL : value);
      }
      const array = this.#x.JS_NewArrayFrom(this.#context, length, pointer);
      return failed ? this.#drop(array) : array;
    } finally {
      this.#release(pointer, before);
    }
  }

  #object(map: { readonly [key: string]: Value }, depth: number): bigint {
    const object = this.#x.JS_NewObject(this.#context);
    if (tagOf(object) === TAG.exception) return EXCEPTION;
    for (const key of Object.keys(map)) {
      const value = map[key];
      if (value === undefined) continue;
      if (!this.define(object, key, this.write(value, depth + 1))) return this.#drop(object);
    }
    return object;
  }

  #lazy(map: LazyMap, depth: number): bigint {
    const own = this.#object(map.own, depth);
    return tagOf(own) === TAG.exception ? own : this.#insertions.lazy(map, own);
  }

  #drop(value: bigint): bigint {
    if (tagOf(value) !== TAG.exception) this.#x.JS_FreeValue(this.#context, value);
    return EXCEPTION;
  }

  #encode(text: string): { pointer: number; size: number; end: number } {
    const end = this.#used;
    const { length } = text;
    const pointer = this.#take(length * 3 + 1);
    const { bytes } = this.#heap;
    let size = 0;
    if (length <= SHORT) {
      for (; size < length; size++) {
        const code = text.charCodeAt(size);
        if (code >= 128) break;
        bytes[pointer + size] = code;
      }
    }
    if (size < length) size = bytes.utf8Write(text, pointer);
    bytes[pointer + size] = 0;
    return { pointer, size, end };
  }

  /** Part of the scratch area (behind its first 16 bytes), or memory of its own. */
  #take(size: number): number {
    const needed = (size + 15) & ~15;
    if (this.#used + needed + 16 <= SCRATCH_BYTES) {
      const pointer = this.#scratch + 16 + this.#used;
      this.#used += needed;
      return pointer;
    }
    const pointer = this.#x.wasm_malloc(needed);
    if (pointer === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for a value');
    return pointer;
  }

  #release(pointer: number, used: number): void {
    this.#used = used;
    if (pointer < this.#scratch || pointer >= this.#scratch + SCRATCH_BYTES) this.#x.wasm_free(pointer);
  }
}

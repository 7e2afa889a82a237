import { isMap } from '../../call/check/kind.ts';
import { BEYOND_LATIN1, pieceEnd } from '../../call/text.ts';
import { type Callback, Float, Handle, LazyMap, VALUE_LIMITS, type Value, type ValueMap } from '../../call/value.ts';
import { isOfEngine } from '../fatal.ts';
import { Misfit } from '../misfit.ts';
import { Place } from '../place.ts';
import { LONG_TEXT, type Steps, UNFINISHED, type Unfinished } from '../steps.ts';
import { EXCEPTION, immediate, NULL, PROPERTY, type QuickJSExports, TAG, tagOf, UNDEFINED } from './exports.ts';
import type { Heap } from './heap.ts';
import { Scratch } from './scratch.ts';

/** What stands behind the functions and handles that go in. */
export interface Insertions {
  /** The engine's object for a handle, with a reference for the caller. */
  handle(handle: Handle): bigint;
  /** The script's own function, with a reference for the caller. */
  callback(callback: Callback): bigint;
  /** The engine's lazy object for one with the fields that go in at once, whose reference is taken over. */
  lazy(map: LazyMap, own: bigint): bigint;
  /** The prelude's function (text, piece) that joins two texts. */
  readonly join: bigint;
}

/** A container, a long text or bytes that are being written. */
interface Level {
  readonly kind: 'array' | 'object' | 'text' | 'bytes';
  readonly of: readonly Value[] | ValueMap | string | Uint8Array;
  readonly keys: readonly string[];
  /** How many items, keys or units of the text there are, and how many are written. */
  count: number;
  next: number;
  /** Memory for the items, the bytes or a piece of the text, and what was in use before. */
  pointer: number;
  readonly before: number;
  /** The object, or the text so far. */
  made: bigint;
  /** Of the bytes. */
  readonly place: Place | undefined;
  readonly lazy: LazyMap | undefined;
  /** The engine has an exception pending. */
  failed: boolean;
}

const INSIDE = Symbol('inside');
const NO_KEYS: readonly string[] = [];
/** Numbers in front of an array that are written at once. */
const MOST_NUMBERS = 4_096;

/** Makes the script's values from the host's, in steps where they are large: nothing may enter the engine in between. A result `EXCEPTION` means that the engine has an exception pending: no memory left. */
export class Writer {
  readonly #x: QuickJSExports;
  readonly #heap: Heap;
  readonly #context: number;
  readonly scratch: Scratch;
  readonly #insertions: Insertions;
  readonly #steps: Steps;
  readonly #levels: Level[] = [];
  /** Parts of the value so far, and the length of its texts. */
  #nodes = 0;
  #bytes = 0;

  constructor(x: QuickJSExports, heap: Heap, context: number, scratch: number, insertions: Insertions, steps: Steps) {
    this.#x = x;
    this.#heap = heap;
    this.#context = context;
    this.scratch = new Scratch(x, heap, context, scratch);
    this.#insertions = insertions;
    this.#steps = steps;
  }

  /** The engine's value; the caller owns its reference. Throws Misfit where it cannot go to the script, as the others do, and LIMIT_EXCEEDED when the heap is full. */
  write(value: Value | undefined): bigint {
    const base = this.#levels.length;
    if (base === 0) this.#nodes = this.#bytes = 0;
    return this.#orAbandon(base, () => {
      const made = this.#value(value);
      return made === INSIDE ? (this.#go(base, true) as bigint) : made;
    });
  }

  /** As `write`, in steps that `more` continues. */
  begin(value: Value | undefined): bigint | Unfinished {
    this.#nodes = this.#bytes = 0;
    return this.#orAbandon(0, () => {
      const made = this.#value(value);
      return made === INSIDE ? this.#go(0, false) : made;
    });
  }

  /** Goes on with what was begun. */
  more(): bigint | Unfinished {
    return this.#orAbandon(0, () => this.#go(0, false));
  }

  /** Puts a value to an address. Gives false for one that is no number: it may take steps. */
  putNumber(at: number, value: Value | undefined): value is number {
    if (typeof value !== 'number') return false;
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.#heap.setWord(at, value);
      this.#heap.setWord(at + 4, TAG.int);
    } else this.#heap.setDouble(at, Number.isNaN(value) ? Number.NaN : value);
    return true;
  }

  /** Lets go of a value that will not be whole, above so many open containers. */
  abandon(base = 0): void {
    while (this.#levels.length > base) {
      const level = this.#levels.pop() as Level;
      level.place?.leave();
      if (level.kind === 'array') for (let i = 0; i < level.next; i++) this.#x.JS_FreeValue(this.#context, this.#heap.value(level.pointer + i * 8));
      if (level.kind === 'object' || level.kind === 'text') this.#x.JS_FreeValue(this.#context, level.made);
      if (level.kind !== 'object') this.scratch.release(level.pointer, level.before);
    }
  }

  #orAbandon<T>(base: number, write: () => T): T {
    try {
      return write();
    } catch (error) {
      const misfit = Misfit.at(this.#path(), error);
      if (!isOfEngine(error)) this.abandon(base);
      throw misfit;
    }
  }

  /** The keys that lead to what is being written. */
  #path(): (string | number)[] {
    return this.#levels
      .filter(({ kind }) => kind === 'object' || kind === 'array')
      .map(({ kind, keys, next }) => (kind === 'object' ? (keys[next] as string) : next));
  }

  #spend(nodes: number, length: number): void {
    this.#nodes += nodes;
    this.#bytes += length;
    if (this.#nodes >= VALUE_LIMITS.nodes) throw Misfit.limit('nodes');
    if (this.#bytes > VALUE_LIMITS.bytes) throw Misfit.limit('bytes');
  }

  /** Writes what is open above `base`; `whole` does not stop for others. */
  #go(base: number, whole: boolean): bigint | Unfinished {
    const levels = this.#levels;
    for (;;) {
      const level = levels[levels.length - 1] as Level;
      const state = this.#fill(level);
      if (state === UNFINISHED && !whole) return UNFINISHED;
      if (state !== undefined) continue;
      const made = this.#close(level);
      if (levels.length === base) return made;
      this.#set(levels[levels.length - 1] as Level, made);
    }
  }

  #fill(level: Level): Unfinished | typeof INSIDE | undefined {
    if (level.kind === 'array') return this.#items(level, level.of as readonly Value[]);
    if (level.kind === 'object') return this.#fields(level, level.of as ValueMap);
    while (level.next < level.count) {
      if (this.#steps.stop()) return UNFINISHED;
      this.#piece(level);
    }
    return undefined;
  }

  #items(level: Level, items: readonly Value[]): Unfinished | typeof INSIDE | undefined {
    while (level.next < level.count) {
      if (this.#steps.stop()) return UNFINISHED;
      const made = this.#value(items[level.next] ?? null);
      if (made === INSIDE) return INSIDE;
      this.#set(level, made);
    }
    return undefined;
  }

  #fields(level: Level, map: ValueMap): Unfinished | typeof INSIDE | undefined {
    const { keys } = level;
    while (level.next < level.count) {
      if (this.#steps.stop()) return UNFINISHED;
      const key = keys[level.next] as string;
      const value = map[key];
      if (value === undefined) {
        level.next++;
        continue;
      }
      this.#spend(0, key.length);
      const made = this.#value(value);
      if (made === INSIDE) return INSIDE;
      this.#set(level, made);
    }
    return undefined;
  }

  /** A container's next value is made; an exception, or no memory for the property, ends it there. */
  #set(level: Level, value: bigint): void {
    if (level.kind === 'object') {
      const key = level.keys[level.next] as string;
      this.#steps.count(0, key.length);
      if (this.define(level.made, key, value)) level.next++;
      else this.#fail(level);
    } else if (tagOf(value) === TAG.exception) this.#fail(level);
    else this.#heap.setValue(level.pointer + level.next++ * 8, value);
  }

  #fail(level: Level): void {
    level.failed = true;
    level.count = level.next;
  }

  #close(level: Level): bigint {
    const { kind, pointer, before, next, lazy, failed } = level;
    this.#levels.pop();
    let { made } = level;
    level.place?.leave();
    if (kind === 'array') made = this.#x.JS_NewArrayFrom(this.#context, next, pointer);
    if (kind === 'bytes') made = this.#x.JS_NewUint8ArrayCopy(this.#context, pointer, next);
    this.scratch.release(pointer, before);
    if (failed) return this.#drop(made);
    return lazy ? this.#insertions.lazy(lazy, made) : made;
  }

  #value(value: Value | undefined): bigint | typeof INSIDE {
    switch (typeof value) {
      case 'number':
        return this.#number(value);
      case 'string':
        this.#spend(0, value.length);
        if (value.length > LONG_TEXT) return this.#open('text', value, LONG_TEXT * 2);
        this.#steps.count(0, value.length);
        return this.scratch.text(value);
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
    if (value instanceof Uint8Array) {
      this.#spend(0, value.length);
      return value.length > LONG_TEXT ? this.#open('bytes', value, value.length) : this.#newBytes(value);
    }
    if (value instanceof Float) return this.#number(value.value);
    if (value instanceof Handle) return this.#insertions.handle(value);
    if (this.#levels.length >= VALUE_LIMITS.depth) throw Misfit.limit('depth');
    if (value instanceof LazyMap) return this.#openObject(value.own, value);
    if (Array.isArray(value)) return this.#openArray(value);
    if (isMap(value)) return this.#openObject(value);
    throw Misfit.noData(value);
  }

  /** Sets an own property and takes over the value; false when there is no memory. */
  define(object: bigint, name: string, value: bigint, flags: number = PROPERTY.plain): boolean {
    if (tagOf(value) === TAG.exception) return false;
    return this.#x.JS_DefinePropertyValue(this.#context, object, this.scratch.atom(name), value, flags) >= 0;
  }

  #number(value: number): bigint {
    if ((value | 0) === value && !Object.is(value, -0)) return immediate(TAG.int, value);
    this.#heap.setDouble(this.scratch.address, Number.isNaN(value) ? Number.NaN : value);
    return this.#heap.value(this.scratch.address);
  }

  #bigint(value: bigint): bigint {
    if (value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)) return this.#number(Number(value));
    if (BigInt.asIntN(64, value) !== value) throw new Misfit(`expected an integer of at most 64 bits, got ${value}`);
    return this.#x.JS_NewBigInt64(this.#context, value);
  }

  #newBytes(bytes: Uint8Array): bigint {
    const before = this.scratch.used;
    const pointer = this.scratch.take(bytes.length);
    this.#heap.bytes.set(bytes, pointer);
    const value = this.#x.JS_NewUint8ArrayCopy(this.#context, pointer, bytes.length);
    this.scratch.release(pointer, before);
    return value;
  }

  #openArray(items: readonly Value[]): bigint | typeof INSIDE {
    const before = this.scratch.used;
    const { length } = items;
    this.#spend(length, 0);
    const pointer = this.scratch.take(length * 8);
    let next = 0;
    // Numbers in front need no big integers.
    while (next < length && next < MOST_NUMBERS && this.putNumber(pointer + next * 8, items[next])) next++;
    return this.#enter({
      kind: 'array',
      of: items,
      keys: NO_KEYS,
      count: length,
      next,
      pointer,
      before,
      made: NULL,
      place: undefined,
      lazy: undefined,
      failed: false,
    });
  }

  #openObject(of: ValueMap, lazy?: LazyMap): bigint | typeof INSIDE {
    const keys = Object.keys(of);
    this.#spend(keys.length, 0);
    const object = this.#x.JS_NewObject(this.#context);
    if (tagOf(object) === TAG.exception) return EXCEPTION;
    return this.#enter({
      kind: 'object',
      of,
      keys,
      count: keys.length,
      next: 0,
      pointer: 0,
      before: this.scratch.used,
      made: object,
      place: undefined,
      lazy,
      failed: false,
    });
  }

  /** A long text or bytes, which go in in pieces through memory of so many bytes. */
  #open(kind: 'text' | 'bytes', of: string | Uint8Array, bytes: number): typeof INSIDE {
    this.#steps.weigh();
    const before = this.scratch.used;
    const pointer = this.scratch.take(bytes);
    const place = kind === 'bytes' ? new Place(this.#x.wasm_malloc, this.#x.wasm_free, bytes) : undefined;
    return this.#enter({ kind, of, keys: NO_KEYS, count: of.length, next: 0, pointer, before, made: UNDEFINED, place, lazy: undefined, failed: false });
  }

  #enter(level: Level): typeof INSIDE {
    this.#levels.push(level);
    return INSIDE;
  }

  #piece(level: Level): void {
    const { of, next } = level;
    if (typeof of === 'string') {
      level.next = pieceEnd(of, next, LONG_TEXT);
      this.#join(level, of.slice(next, level.next));
    } else {
      level.next = Math.min(level.count, next + LONG_TEXT);
      this.#heap.bytes.set((of as Uint8Array).subarray(next, level.next), level.pointer + next);
      level.place?.touch(this.#heap.bytes, level.next);
    }
    this.#steps.weigh();
  }

  /** A piece goes behind the text so far; the engine copies neither. */
  #join(level: Level, piece: string): void {
    const x = this.#x;
    const { pointer, made } = level;
    const { bytes } = this.#heap;
    const narrow = !BEYOND_LATIN1.test(piece);
    const size = narrow ? bytes.utf8Write(piece, pointer) : piece.length;
    if (!narrow) bytes.write(piece.toWellFormed(), pointer, 'utf16le');
    const more = (narrow ? x.JS_NewStringLen : x.JS_NewStringUTF16)(this.#context, pointer, size);
    level.made = made === UNDEFINED || tagOf(more) === TAG.exception ? more : this.#joined(pointer, made, more);
    if (level.made !== more) x.JS_FreeValue(this.#context, more);
    x.JS_FreeValue(this.#context, made);
    if (tagOf(level.made) === TAG.exception) this.#fail(level);
  }

  #joined(memory: number, text: bigint, piece: bigint): bigint {
    this.#heap.setValue(memory, text);
    this.#heap.setValue(memory + 8, piece);
    return this.#x.JS_Call(this.#context, this.#insertions.join, UNDEFINED, 2, memory);
  }

  #drop(value: bigint): bigint {
    if (tagOf(value) !== TAG.exception) this.#x.JS_FreeValue(this.#context, value);
    return EXCEPTION;
  }
}

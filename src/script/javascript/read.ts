import { type Callback, define, type Handle, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { VALUE_LIMITS } from '../limits.ts';
import { CLASS, FUNCTION_CLASSES, OBJECT, TAG } from './exports.ts';
import type { Heap } from './heap.ts';

/** What the reader must know of its context to tell plain data from everything else. */
export interface Prototypes {
  readonly object: number;
  readonly array: number;
  /** The handler of all lazy objects. */
  readonly lazyHandler: number;
}

/** What stands behind objects that are no data. */
export interface References {
  readonly handleClass: number;
  handle(object: number): Handle | undefined;
  callback(object: number): Callback;
  /** All fields of a lazy object that the script has not had yet. */
  lacking(target: number): ValueMap | undefined;
}

/** Copies the script's values out of the engine's memory; guided by nothing but the value. */
export class Reader {
  readonly #heap: Heap;
  readonly #prototypes: Prototypes;
  readonly #references: References;
  #nodes = 0;
  #bytes = 0;
  /** Where the reader is: objects from the outermost in, and the key taken in each. */
  readonly #seen: number[] = [];
  readonly #keys: (string | number)[] = [];

  constructor(heap: Heap, prototypes: Prototypes, references: References) {
    this.#heap = heap;
    this.#prototypes = prototypes;
    this.#references = references;
  }

  /** The value at an address; throws BAD_ARGUMENT with `name` and the path inside the value in front. */
  read(at: number, name: string): Value {
    const heap = this.#heap;
    switch (heap.tag(at)) {
      case TAG.int:
        return heap.word(at);
      case TAG.boolean:
        return heap.word(at) !== 0;
      case TAG.null:
      case TAG.undefined:
        return null;
    }
    this.#nodes = this.#bytes = this.#seen.length = 0;
    try {
      return this.#value(at);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new ScriptError('BAD_ARGUMENT', `${name}${pathText(this.#keys.slice(0, this.#seen.length))}: ${error.message}`);
    }
  }

  #value(at: number): Value {
    const heap = this.#heap;
    if (++this.#nodes > VALUE_LIMITS.nodes) throw new Refusal(`more than ${VALUE_LIMITS.nodes} values in one`);
    const tag = heap.tag(at);
    switch (tag) {
      case TAG.int:
        return heap.word(at);
      case TAG.string:
      case TAG.rope:
        return this.#text(tag, heap.pointer(at));
      case TAG.boolean:
        return heap.word(at) !== 0;
      case TAG.null:
      case TAG.undefined:
        return null;
      case TAG.object:
        return this.#object(heap.pointer(at));
      case TAG.shortBigint:
        return BigInt(heap.word(at));
      case TAG.bigint:
        return this.#bigint(heap.pointer(at));
      case TAG.symbol:
        throw new Refusal('a symbol cannot leave the script');
    }
    if (tag >= TAG.bigint && tag <= TAG.shortBigint + 1) throw new Refusal('this cannot leave the script');
    return heap.double(at);
  }

  #text(tag: number, string: number): string {
    this.#spend(this.#heap.stringBytes(string));
    const text = this.#heap.text(tag, string);
    if (!text.isWellFormed()) throw new Refusal('a text with half a surrogate pair');
    return text;
  }

  #bigint(pointer: number): bigint {
    const words = this.#heap.word(pointer);
    if (words > 2) throw new Refusal('an integer beyond 64 bits');
    const low = BigInt(this.#heap.pointer(pointer + 4));
    return words === 1 ? BigInt.asIntN(32, low) : (BigInt(this.#heap.word(pointer + 8)) << 32n) | low;
  }

  #object(object: number): Value {
    const heap = this.#heap;
    const kind = heap.classOf(object);
    if (kind === CLASS.object) return this.#inside(object, this.#plain);
    if (kind === CLASS.array) return this.#inside(object, this.#array);
    if (FUNCTION_CLASSES.has(kind)) return this.#references.callback(object);
    if (kind === this.#references.handleClass) {
      const handle = this.#references.handle(object);
      if (handle) return handle;
    }
    if (kind === CLASS.uint8Array) return this.#uint8Array(object);
    if (kind === CLASS.date) return this.#date(object);
    if (kind === CLASS.error) return this.#inside(object, this.#error);
    if (kind === CLASS.proxy) return this.#lazy(object);
    if (kind === CLASS.promise) throw new Refusal('a promise cannot leave the script: await it first');
    throw this.#noData(object);
  }

  #inside<T>(object: number, read: (object: number, depth: number) => T): T {
    const seen = this.#seen;
    if (seen.includes(object)) throw new Refusal('an object that contains itself');
    const depth = seen.length;
    if (depth >= VALUE_LIMITS.depth) throw new Refusal(`nested deeper than ${VALUE_LIMITS.depth}`);
    seen.push(object);
    this.#keys[depth] = '';
    const value = read.call(this, object, depth);
    seen.length = depth;
    return value;
  }

  #plain(object: number, depth: number): ValueMap {
    const heap = this.#heap;
    const prototype = heap.prototypeOf(object);
    if (prototype !== 0 && prototype !== this.#prototypes.object) {
      this.#seen.length = depth;
      throw this.#noData(object);
    }
    const map: ValueMap = {};
    for (const { key, at } of heap.slots(object)) {
      this.#keys[depth] = key;
      if (at === 0) throw new Refusal('an accessor cannot leave the script');
      if (!key.isWellFormed()) throw new Refusal('a name with half a surrogate pair');
      this.#spend(key.length);
      if (heap.tag(at) !== TAG.undefined) define(map, key, this.#value(at));
    }
    return map;
  }

  /** What stands behind a lazy object, with the fields that it still lacks; any other Proxy is refused. */
  #lazy(object: number): Value {
    const heap = this.#heap;
    const proxy = heap.pointer(object + OBJECT.data);
    if (proxy === 0 || heap.tag(proxy + 8) !== TAG.object || heap.pointer(proxy + 8) !== this.#prototypes.lazyHandler)
      throw new Refusal('a Proxy cannot leave the script');
    const target = heap.pointer(proxy);
    return { ...this.#references.lacking(target), ...this.#inside(target, this.#plain) };
  }

  #array(object: number, depth: number): Value[] {
    const heap = this.#heap;
    if (heap.prototypeOf(object) !== this.#prototypes.array) {
      this.#seen.length = depth;
      throw this.#noData(object);
    }
    const lengthAt = heap.pointer(object + OBJECT.properties);
    const length = heap.tag(lengthAt) === TAG.int ? heap.word(lengthAt) : heap.double(lengthAt);
    if (this.#nodes + length > VALUE_LIMITS.nodes) {
      this.#seen.length = depth;
      throw new Refusal(`more than ${VALUE_LIMITS.nodes} values in one`);
    }
    const items: Value[] = new Array(length);
    const present = heap.word(object + OBJECT.count);
    const first = heap.pointer(object + OBJECT.values);
    for (let i = 0; i < present; i++) {
      this.#keys[depth] = i;
      items[i] = this.#value(first + i * 8);
    }
    for (let i = present; i < length; i++) items[i] = null;
    if (present < length) this.#sparse(object, depth, items);
    return items;
  }

  /** Items of an array that keeps them as properties: one with holes or accessors. */
  #sparse(object: number, depth: number, items: Value[]): void {
    for (const { key, at } of this.#heap.slots(object, true)) {
      const index = Number(key);
      if (!(index < items.length) || String(index) !== key) continue;
      this.#keys[depth] = index;
      if (at === 0) throw new Refusal('an accessor cannot leave the script');
      items[index] = this.#value(at);
    }
  }

  #uint8Array(object: number): Uint8Array {
    const size = this.#heap.word(object + OBJECT.count);
    const start = this.#heap.pointer(object + OBJECT.values);
    this.#spend(size);
    return new Uint8Array(this.#heap.bytes.subarray(start, start + size));
  }

  #date(object: number): string {
    const at = object + OBJECT.data;
    const time = this.#heap.tag(at) === TAG.int ? this.#heap.word(at) : this.#heap.double(at);
    if (!Number.isFinite(time)) throw new Refusal('an invalid Date');
    return new Date(time).toISOString();
  }

  /** An error as data: what it says and the fields it carries. */
  #error(object: number, depth: number): ValueMap {
    const heap = this.#heap;
    const map: ValueMap = { name: heap.inheritedText(object, 'name') ?? 'Error', message: heap.inheritedText(object, 'message') ?? '' };
    for (const { key, at } of heap.slots(object, true)) {
      this.#keys[depth] = key;
      if (at !== 0 && key !== 'message' && key !== 'stack' && heap.tag(at) !== TAG.undefined) define(map, key, this.#value(at));
    }
    return map;
  }

  #noData(object: number): Refusal {
    const name = this.#className(object);
    return new Refusal(
      `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name} cannot leave the script: only plain objects, arrays, Uint8Array, Date and functions can`,
    );
  }

  /** The name of an object's class as its prototype's constructor tells it. */
  #className(object: number): string {
    const heap = this.#heap;
    const prototype = heap.prototypeOf(object);
    const at = prototype === 0 ? 0 : heap.slot(prototype, 'constructor');
    if (at === 0 || heap.tag(at) !== TAG.object) return 'object of a class';
    return heap.inheritedText(heap.pointer(at), 'name') || 'object of a class';
  }

  #spend(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > VALUE_LIMITS.bytes) throw new Refusal(`more than ${VALUE_LIMITS.bytes / 2 ** 20} MB in one value`);
  }
}

/** Says what is wrong with a value; the path is put in front where the reader ends. */
class Refusal extends Error {}

/** `.items[3]["a b"]` */
export function pathText(keys: readonly (string | number)[]): string {
  return keys.map((key) => (typeof key === 'number' ? `[${key}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)).join('');
}

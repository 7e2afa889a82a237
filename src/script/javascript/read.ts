import { pathText } from '../../call/path.ts';
import { type Callback, define, type Handle, MISFIT, VALUE_LIMITS, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { LONG_TEXT, type Steps, UNFINISHED, type Unfinished } from '../steps.ts';
import { CLASS, FUNCTION_CLASSES, OBJECT, TAG } from './exports.ts';
import type { Heap } from './heap.ts';
import { LongString } from './long.ts';

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

/** What kind of object is being read. */
type Kind = 'object' | 'error' | 'array' | 'sparse' | 'bytes' | 'text';

/** An object, or a long text, that is being read. */
interface Level {
  kind: Kind;
  object: number;
  /** How many properties, items or bytes there are to look at, and the next one. */
  count: number;
  next: number;
  key: string | number;
  into: Value[] | ValueMap | Uint8Array | LongString;
}

/** Copies the script's values out of the engine's memory, guided by nothing but the value, in steps: nothing may enter the engine in between. */
export class Reader {
  readonly #heap: Heap;
  readonly #prototypes: Prototypes;
  readonly #references: References;
  readonly #steps: Steps;
  #nodes = 0;
  #bytes = 0;
  #name = '';
  /** The objects around the reader, from the outermost in; those behind `#depth` are kept for the next ones. */
  readonly #levels: Level[] = [];
  #depth = 0;

  constructor(heap: Heap, prototypes: Prototypes, references: References, steps: Steps) {
    this.#heap = heap;
    this.#prototypes = prototypes;
    this.#references = references;
    this.#steps = steps;
  }

  /** The value at an address; throws BAD_ARGUMENT with `name` and the path inside the value in front. */
  read(at: number, name: string): Value {
    let value = this.begin(at, name);
    while (value === UNFINISHED) value = this.more();
    return value;
  }

  /** As `read`, in steps that `more` continues. */
  begin(at: number, name: string): Value | Unfinished {
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
    this.#nodes = this.#bytes = this.#depth = 0;
    this.#name = name;
    return this.#refusing(() => {
      const value = this.#value(at);
      return value === INSIDE ? this.#go() : value;
    });
  }

  /** Goes on with what was begun. */
  more(): Value | Unfinished {
    return this.#refusing(() => this.#go());
  }

  #refusing(read: () => Value | Unfinished): Value | Unfinished {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const keys = this.#levels
        .splice(0)
        .slice(0, this.#depth)
        .map(({ key }) => key);
      throw new ScriptError('BAD_ARGUMENT', `${this.#name}${pathText(keys)}: ${error.message}`);
    }
  }

  #go(): Value | Unfinished {
    for (;;) {
      const level = this.#levels[this.#depth - 1] as Level;
      const state = this.#fill(level);
      if (state === UNFINISHED) return UNFINISHED;
      if (state === INSIDE) continue;
      this.#depth--;
      const { into } = level;
      const value = into instanceof LongString ? this.#wellFormed(into.text) : into;
      if (this.#depth === 0) {
        if (this.#steps.large) this.#levels.length = 0;
        return value;
      }
      put(this.#levels[this.#depth - 1] as Level, value);
    }
  }

  #fill(level: Level): Unfinished | typeof INSIDE | undefined {
    switch (level.kind) {
      case 'array':
        return this.#items(level, level.into as Value[]);
      case 'bytes':
        return this.#pieces(level);
      case 'text':
        return this.#text(level.into as LongString);
      default:
        return this.#properties(level);
    }
  }

  #items(level: Level, items: Value[]): Unfinished | typeof INSIDE | undefined {
    const first = this.#heap.pointer(level.object + OBJECT.values);
    while (level.next < level.count) {
      if (this.#steps.stop()) return UNFINISHED;
      const i = level.next++;
      level.key = i;
      const value = this.#value(first + i * 8);
      if (value === INSIDE) return INSIDE;
      items[i] = value;
    }
    return undefined;
  }

  #pieces(level: Level): Unfinished | undefined {
    const first = this.#heap.pointer(level.object + OBJECT.values);
    for (;;) {
      const from = level.next;
      level.next = Math.min(level.count, from + LONG_TEXT);
      (level.into as Uint8Array).set(this.#heap.bytes.subarray(first + from, first + level.next), from);
      if (level.next === level.count) return undefined;
      if (this.#steps.look()) return UNFINISHED;
    }
  }

  #text(text: LongString): Unfinished | undefined {
    while (!text.step()) if (this.#steps.look()) return UNFINISHED;
    return undefined;
  }

  #properties(level: Level): Unfinished | typeof INSIDE | undefined {
    while (level.next < level.count) {
      if (this.#steps.stop()) return UNFINISHED;
      const at = this.#next(level);
      if (at === 0) continue;
      const value = this.#value(at);
      if (value === INSIDE) return INSIDE;
      put(level, value);
    }
    return undefined;
  }

  /** Where the next value of an object's properties is; 0 for none. */
  #next(level: Level): number {
    const heap = this.#heap;
    const { kind, object } = level;
    const i = level.next++;
    const slot = heap.slotAt(object, i, kind !== 'object');
    if (!slot) return 0;
    const { key, at } = slot;
    if (kind === 'sparse') {
      const index = Number(key);
      if (!(index < (level.into as Value[]).length) || String(index) !== key) return 0;
      level.key = index;
    } else level.key = key;
    if (kind === 'error') return at === 0 || key === 'message' || key === 'stack' || heap.tag(at) === TAG.undefined ? 0 : at;
    if (at === 0) throw new Refusal('an accessor cannot leave the script');
    if (kind === 'sparse') return at;
    if (!key.isWellFormed()) throw new Refusal(MISFIT.name);
    this.#spend(key.length);
    this.#steps.count(0, key.length);
    return heap.tag(at) === TAG.undefined ? 0 : at;
  }

  /** The value at an address; INSIDE where it is an object that has been gone into. */
  #value(at: number): Value | typeof INSIDE {
    const heap = this.#heap;
    if (++this.#nodes > VALUE_LIMITS.nodes) throw new Refusal(MISFIT.nodes);
    const tag = heap.tag(at);
    switch (tag) {
      case TAG.int:
        return heap.word(at);
      case TAG.string:
      case TAG.rope:
        return this.#string(tag, at);
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

  #string(tag: number, at: number): string | typeof INSIDE {
    const string = this.#heap.pointer(at);
    const size = this.#heap.stringBytes(string);
    this.#spend(size);
    if (size > LONG_TEXT) return this.#enter('text', string, 0, new LongString(this.#heap, at));
    this.#steps.count(0, size);
    return this.#wellFormed(this.#heap.text(tag, string));
  }

  #wellFormed(text: string): string {
    if (!text.isWellFormed()) throw new Refusal(MISFIT.text);
    return text;
  }

  #bigint(pointer: number): bigint {
    const words = this.#heap.word(pointer);
    if (words > 2) throw new Refusal('an integer beyond 64 bits');
    const low = BigInt(this.#heap.pointer(pointer + 4));
    return words === 1 ? BigInt.asIntN(32, low) : (BigInt(this.#heap.word(pointer + 8)) << 32n) | low;
  }

  #object(object: number): Value | typeof INSIDE {
    const heap = this.#heap;
    const kind = heap.classOf(object);
    if (kind === CLASS.object) return this.#plain(object);
    if (kind === CLASS.array) return this.#array(object);
    if (FUNCTION_CLASSES.has(kind)) return this.#references.callback(object);
    if (kind === this.#references.handleClass) {
      const handle = this.#references.handle(object);
      if (handle) return handle;
    }
    if (kind === CLASS.uint8Array) return this.#uint8Array(object);
    if (kind === CLASS.date) return this.#date(object);
    if (kind === CLASS.error) return this.#error(object);
    if (kind === CLASS.proxy) return this.#lazy(object);
    if (kind === CLASS.promise) throw new Refusal('a promise cannot leave the script: await it first');
    throw this.#noData(object);
  }

  /** Goes into an object, whose values go into that of the host. */
  #enter(kind: Kind, object: number, count: number, into: Level['into']): typeof INSIDE {
    for (let i = 0; i < this.#depth; i++) if (this.#levels[i]?.object === object) throw new Refusal('an object that contains itself');
    if (this.#depth >= VALUE_LIMITS.depth && kind !== 'bytes' && kind !== 'text') throw new Refusal(MISFIT.depth);
    const level = (this.#levels[this.#depth++] ??= { kind, object, count, next: 0, key: '', into });
    level.kind = kind;
    level.object = object;
    level.count = count;
    level.next = 0;
    level.key = '';
    level.into = into;
    return INSIDE;
  }

  #plain(object: number, into: ValueMap = {}): typeof INSIDE {
    const heap = this.#heap;
    const prototype = heap.prototypeOf(object);
    if (prototype !== 0 && prototype !== this.#prototypes.object) throw this.#noData(object);
    return this.#enter('object', object, heap.slotCount(object), into);
  }

  /** What stands behind a lazy object, with the fields that it still lacks; any other Proxy is refused. */
  #lazy(object: number): typeof INSIDE {
    const heap = this.#heap;
    const proxy = heap.pointer(object + OBJECT.data);
    if (proxy === 0 || heap.tag(proxy + 8) !== TAG.object || heap.pointer(proxy + 8) !== this.#prototypes.lazyHandler)
      throw new Refusal('a Proxy cannot leave the script');
    const target = heap.pointer(proxy);
    return this.#plain(target, { ...this.#references.lacking(target) });
  }

  /** An array, or one that keeps its items as properties: with holes or accessors. */
  #array(object: number): typeof INSIDE {
    const heap = this.#heap;
    if (heap.prototypeOf(object) !== this.#prototypes.array) throw this.#noData(object);
    const lengthAt = heap.pointer(object + OBJECT.properties);
    const length = heap.tag(lengthAt) === TAG.int ? heap.word(lengthAt) : heap.double(lengthAt);
    if (this.#nodes + length > VALUE_LIMITS.nodes) throw new Refusal(MISFIT.nodes);
    const present = heap.word(object + OBJECT.count);
    if (present === length) return this.#enter('array', object, length, new Array(length));
    if (present > 0) return this.#enter('array', object, present, new Array(length).fill(null));
    return this.#enter('sparse', object, heap.slotCount(object), new Array(length).fill(null));
  }

  #uint8Array(object: number): Uint8Array | typeof INSIDE {
    const size = this.#heap.word(object + OBJECT.count);
    const start = this.#heap.pointer(object + OBJECT.values);
    this.#spend(size);
    if (size > LONG_TEXT) return this.#enter('bytes', object, size, new Uint8Array(size));
    return new Uint8Array(this.#heap.bytes.subarray(start, start + size));
  }

  #date(object: number): string {
    const at = object + OBJECT.data;
    const time = this.#heap.tag(at) === TAG.int ? this.#heap.word(at) : this.#heap.double(at);
    if (!Number.isFinite(time)) throw new Refusal('an invalid Date');
    return new Date(time).toISOString();
  }

  /** An error as data: what it says and the fields it carries. */
  #error(object: number): typeof INSIDE {
    const heap = this.#heap;
    const into: ValueMap = { name: heap.inheritedText(object, 'name') ?? 'Error', message: heap.inheritedText(object, 'message') ?? '' };
    return this.#enter('error', object, heap.slotCount(object), into);
  }

  #noData(object: number): Refusal {
    const name = this.#className(object);
    return new Refusal(
      `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name} cannot leave the script: only plain objects, arrays, Uint8Array, Date, Error, handles and functions can`,
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
    if (this.#bytes > VALUE_LIMITS.bytes) throw new Refusal(MISFIT.bytes);
  }
}

const INSIDE = Symbol('inside');

function put({ key, into }: Level, value: Value): void {
  if (Array.isArray(into)) into[key as number] = value;
  else define(into as ValueMap, key as string, value);
}

/** Says what is wrong with a value; the path is put in front where the reader ends. */
class Refusal extends Error {}

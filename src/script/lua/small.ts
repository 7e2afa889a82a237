import { compareBytes } from '../../call/text.ts';
import { define, Float, VALUE_LIMITS, type Value, type ValueMap } from '../../call/value.ts';
import type { LuaMachine } from './machine.ts';
import { type LuaMemory, MOST_NUMBERS } from './memory.ts';

/** A cell, of which the linker tells more: what it is, a count or size, and from the eighth byte on a double or an address. */
const CELL = 16;
const KIND = { null: 0, false: 1, true: 2, integer: 3, float: 4, text: 5, map: 6, list: 7 } as const;
/** Where small tables lie; lists of numbers use the same room. */
const ROOM = MOST_NUMBERS * 9;
/** Deeper tables are not small. */
const DEPTH = 8;

/** Reads small tables of data alone, each in one call of the engine. */
export class SmallReader {
  readonly #machine: LuaMachine;
  readonly #memory: LuaMemory;
  readonly #arrayAddress: number;
  #words: Int32Array = new Int32Array();
  #doubles: Float64Array = new Float64Array();
  #at = 0;
  /** Keys and values of the maps around, until each is made in the order of its keys. */
  readonly #keys: string[] = [];
  readonly #values: Value[] = [];
  #taken = 0;
  /** Parts of what was read last, and the length of its texts. */
  nodes = 0;
  length = 0;

  constructor(machine: LuaMachine, arrayAddress: number) {
    this.#machine = machine;
    this.#memory = machine.memory;
    this.#arrayAddress = arrayAddress;
  }

  /** The table at a stack index, inside of so many others; undefined where it is to be read part by part. */
  read(L: number, index: number, around: number): Value | undefined {
    const { numbers } = this.#memory;
    if (this.#machine.readSmall(L, index, numbers, ROOM, this.#arrayAddress, Math.min(DEPTH, VALUE_LIMITS.depth - around)) === 0) return undefined;
    this.#words = this.#memory.words;
    this.#doubles = this.#memory.doubles;
    this.#at = numbers;
    this.nodes = this.length = this.#taken = 0;
    return this.#value();
  }

  /** The value at the next cells; undefined where a key is no text, or a text is long. */
  #value(): Value | undefined {
    const at = this.#at;
    this.#at = at + CELL;
    this.nodes++;
    switch (this.#words[at / 4]) {
      case KIND.false:
        return false;
      case KIND.true:
        return true;
      case KIND.integer:
        return this.#doubles[at / 8 + 1];
      case KIND.float: {
        const value = this.#doubles[at / 8 + 1] as number;
        return Number.isInteger(value) ? new Float(value) : value;
      }
      case KIND.text: {
        const text = this.#memory.shortText(this.#words[at / 4 + 2] as number, this.#words[at / 4 + 1] as number);
        this.length += text?.length ?? 0;
        return text;
      }
      case KIND.map:
        return this.#map(this.#words[at / 4 + 1] as number);
      case KIND.list:
        return this.#list(this.#words[at / 4 + 1] as number);
      default:
        return null;
    }
  }

  #list(count: number): Value[] | undefined {
    const list: Value[] = [];
    for (let i = 0; i < count; i++) {
      const value = this.#value();
      if (value === undefined) return undefined;
      list.push(value);
    }
    return list;
  }

  #map(count: number): ValueMap | undefined {
    const first = this.#taken;
    this.#taken += count;
    const whole = this.#fields(first, count);
    const map: ValueMap = {};
    for (let i = first; i < this.#taken; i++) {
      if (whole) define(map, this.#keys[i] as string, this.#values[i]);
      this.#values[i] = null;
    }
    this.#taken = first;
    return whole ? map : undefined;
  }

  /** The keys of a map and what belongs to them, in order, into the room that begins at `first`; false where one is read part by part. */
  #fields(first: number, count: number): boolean {
    const keys = this.#keys;
    const values = this.#values;
    for (let next = first; next < first + count; next++) {
      const at = this.#at;
      this.#at = at + CELL;
      const key = this.#memory.key(this.#words[at / 4 + 2] as number, this.#words[at / 4 + 1] as number);
      const value = key === undefined ? undefined : this.#value();
      if (key === undefined || value === undefined) return false;
      this.length += key.length;
      let place = next;
      for (; place > first && compareBytes(keys[place - 1] as string, key) > 0; place--) {
        keys[place] = keys[place - 1] as string;
        values[place] = values[place - 1] as Value;
      }
      keys[place] = key;
      values[place] = value;
    }
    return true;
  }
}

/** Makes small tables of data alone, each in one call of the engine. */
export class SmallWriter {
  readonly #machine: LuaMachine;
  readonly #memory: LuaMemory;
  readonly #arrayRef: number;
  #words: Int32Array = new Int32Array();
  #doubles: Float64Array = new Float64Array();
  #at = 0;
  #end = 0;
  /** How much of the texts' room is taken. */
  #text = 0;
  /** Parts of what was written last. */
  nodes = 0;

  constructor(machine: LuaMachine, arrayRef: number) {
    this.#machine = machine;
    this.#memory = machine.memory;
    this.#arrayRef = arrayRef;
  }

  /** Bytes of the texts and keys of what was written last. */
  get length(): number {
    return this.#text;
  }

  /** Pushes a container inside of so many others; false where it is to be made part by part. */
  push(L: number, value: Value[] | ValueMap, around: number): boolean {
    const { numbers } = this.#memory;
    this.#words = this.#memory.words;
    this.#doubles = this.#memory.doubles;
    this.#at = numbers;
    this.#end = numbers + ROOM - CELL;
    this.#text = this.nodes = 0;
    if (!this.#container(value, Math.min(DEPTH, VALUE_LIMITS.depth - around))) return false;
    this.#machine.writeSmall(L, numbers, this.#arrayRef);
    return true;
  }

  #put(value: Value | undefined, depth: number): boolean {
    if (this.#at > this.#end) return false;
    switch (typeof value) {
      case 'number':
        this.#double(Number.isSafeInteger(value) && !Object.is(value, -0) ? KIND.integer : KIND.float, value);
        return true;
      case 'string':
        return this.#string(value);
      case 'boolean':
        this.#cell(value ? KIND.true : KIND.false, 0);
        return true;
      case 'object':
        if (value !== null) return this.#container(value, depth);
    }
    if (value !== null && value !== undefined) return false;
    this.#cell(KIND.null, 0);
    return true;
  }

  #container(value: NonNullable<Value & object>, depth: number): boolean {
    if (Array.isArray(value)) {
      if (!this.#open(KIND.list, value.length, depth)) return false;
      for (let i = 0; i < value.length; i++) if (!this.#put(value[i], depth - 1)) return false;
      return true;
    }
    if (Object.getPrototypeOf(value) === Object.prototype) {
      const keys = Object.keys(value);
      if (!this.#open(KIND.map, keys.length, depth)) return false;
      this.nodes -= keys.length;
      for (const key of keys) {
        const field = (value as ValueMap)[key];
        // One that is undefined is left out, part by part.
        if (field === undefined || !this.#string(key) || !this.#put(field, depth - 1)) return false;
      }
      return true;
    }
    if (!(value instanceof Float)) return value instanceof Uint8Array && this.#string(value);
    this.#double(KIND.float, value.value);
    return true;
  }

  /** The cell of a container; false where its parts would have no room. */
  #open(kind: number, count: number, depth: number): boolean {
    if (depth <= 0 || this.#at + count * CELL >= this.#end) return false;
    this.#cell(kind, count);
    return true;
  }

  #string(value: string | Uint8Array): boolean {
    const size = this.#memory.write(value, this.#text);
    if (size === undefined || this.#at > this.#end) return false;
    this.#words[this.#at / 4 + 2] = this.#memory.scratch + this.#text;
    this.#text += size;
    this.#cell(KIND.text, size);
    return true;
  }

  #double(kind: number, value: number): void {
    this.#doubles[this.#at / 8 + 1] = value;
    this.#cell(kind, 0);
  }

  #cell(kind: number, count: number): void {
    this.#words[this.#at / 4] = kind;
    this.#words[this.#at / 4 + 1] = count;
    this.#at += CELL;
    this.nodes++;
  }
}

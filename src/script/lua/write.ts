import { isMap } from '../../call/check/kind.ts';
import { type Callback, Float, Handle, LazyMap, VALUE_LIMITS, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { isOfEngine } from '../fatal.ts';
import { Misfit } from '../misfit.ts';
import { LONG_TEXT, type Steps, UNFINISHED, type Unfinished } from '../steps.ts';
import { LUA, type LuaExports } from './exports.ts';
import type { LongText } from './long.ts';
import type { LuaMachine } from './machine.ts';
import type { LuaMemory } from './memory.ts';
import { writeNumbers } from './numbers.ts';
import { SmallWriter } from './small.ts';

/** Room on the stack for a container and for a small one in it. */
const SLOTS = 32;

/** What stands behind the functions and handles that go in. */
export interface LuaIncoming {
  readonly arrayRef: number;
  /** Function (table, id) that makes a table lazy. */
  readonly lazyRef: number;
  /** Pushes the script's own function. */
  function(L: number, callback: Callback): void;
  /** Pushes a handle; gives the fields that it is to have, and on top of it the function that sets them. */
  handle(L: number, handle: Handle): ValueMap | undefined;
  lazyId(map: LazyMap): number;
}

/** A container that is being written: its table is on top of the stack, a map's key above it while the value is made. */
interface Level {
  readonly of: readonly Value[] | ValueMap;
  readonly keys: readonly string[] | undefined;
  readonly count: number;
  /** Calls what lies below the table with it: the table becomes lazy, or the fields of a handle. */
  readonly after: (() => void) | undefined;
  next: number;
}

/** Makes the script's values from the host's, in steps: nothing may enter the state in between. Half of a surrogate pair becomes U+FFFD. */
export class LuaWriter {
  readonly #machine: LuaMachine;
  readonly #x: LuaExports;
  readonly #memory: LuaMemory;
  readonly #in: LuaIncoming;
  readonly #steps: Steps;
  readonly #small: SmallWriter;
  readonly #levels: Level[] = [];
  /** A long text on its way into memory. */
  #text: LongText | undefined;
  #L = 0;
  /** Parts of the value so far, and the length of its texts. */
  #nodes = 0;
  #bytes = 0;

  constructor(machine: LuaMachine, incoming: LuaIncoming, steps: Steps) {
    this.#machine = machine;
    this.#x = machine.x;
    this.#memory = machine.memory;
    this.#in = incoming;
    this.#steps = steps;
    this.#small = new SmallWriter(machine, incoming.arrayRef);
  }

  /** Begins to push a value; true when it is on the stack. Throws Misfit where it cannot go to the script, and LIMIT_EXCEEDED when the heap is full. */
  begin(L: number, value: Value | undefined): true | Unfinished {
    if (typeof value === 'number') {
      this.#number(L, value);
      return true;
    }
    if (this.#levels.length > 0 || this.#text) this.abandon();
    this.#L = L;
    if (value === null || value === undefined) {
      this.#x.lua_pushnil(L);
      return true;
    }
    this.#nodes = 1;
    this.#bytes = 0;
    try {
      return this.#put(value) || this.#goOn();
    } catch (error) {
      throw Misfit.at(this.#path(), error);
    }
  }

  /** Goes on with what was begun. */
  more(): true | Unfinished {
    try {
      return this.#goOn();
    } catch (error) {
      throw Misfit.at(this.#path(), error);
    }
  }

  /** The keys that lead to what is being written. */
  #path(): (string | number)[] {
    return this.#levels.map(({ keys, next }) => (keys ? (keys[next - 1] as string) : next));
  }

  #goOn(): true | Unfinished {
    const levels = this.#levels;
    for (;;) {
      if (this.#text) {
        if (!this.#piece(this.#text)) return UNFINISHED;
      } else {
        const level = levels[levels.length - 1];
        if (!level) return true;
        const whole = this.#fill(level);
        if (whole === UNFINISHED) return UNFINISHED;
        if (!whole) continue;
        this.#close(level);
      }
      const around = levels[levels.length - 1];
      if (!around) return true;
      this.#set(around);
    }
  }

  /** Lets go of a value that will not be whole. */
  abandon(): void {
    this.#levels.length = 0;
    this.#text?.free();
    this.#text = undefined;
  }

  /** Fills a table; true at its end, false where a value in it is to be made first. */
  #fill(level: Level): boolean | Unfinished {
    const { keys, of, count } = level;
    while (level.next < count) {
      if (this.#steps.stop()) return UNFINISHED;
      let value: Value | undefined;
      if (keys) {
        const key = keys[level.next++] as string;
        value = (of as ValueMap)[key];
        if (value === undefined) continue;
        this.#key(key);
      } else value = (of as readonly Value[])[level.next++];
      if (value === null || value === undefined) this.#x.lua_pushlightuserdata(this.#L, 0);
      else if (!this.#put(value)) return false;
      this.#set(level);
    }
    return true;
  }

  #key(key: string): void {
    this.#spend(0, key.length);
    this.#memory.push(this.#L, key);
    this.#steps.count(0, key.length);
  }

  #spend(nodes: number, length: number): void {
    this.#nodes += nodes;
    this.#bytes += length;
    if (this.#nodes > VALUE_LIMITS.nodes) throw Misfit.limit('nodes');
    if (this.#bytes > VALUE_LIMITS.bytes) throw Misfit.limit('bytes');
  }

  /** The value on top of the stack goes into the table below. */
  #set(level: Level): void {
    if (level.keys) this.#x.lua_rawset(this.#L, -3);
    else this.#machine.rawseti(this.#L, -2, level.next);
  }

  /** Pushes a value; false when it is not whole yet. */
  #put(value: NonNullable<Value>): boolean {
    const x = this.#x;
    const L = this.#L;
    switch (typeof value) {
      case 'number':
        this.#number(L, value);
        return true;
      case 'string':
        return this.#string(value);
      case 'boolean':
        x.lua_pushboolean(L, value ? 1 : 0);
        return true;
      case 'bigint':
        if (BigInt.asIntN(64, value) !== value) throw new Misfit(`expected an integer of at most 64 bits, got ${value}`);
        x.lua_pushinteger(L, value);
        return true;
      case 'function':
        this.#in.function(L, value);
        return true;
    }
    if (value instanceof Uint8Array) return this.#string(value);
    if (value instanceof Float) {
      x.lua_pushnumber(L, value.value);
      return true;
    }
    return this.#container(value);
  }

  #number(L: number, value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#machine.pushInteger(L, value);
    else this.#x.lua_pushnumber(L, value);
  }

  #string(value: string | Uint8Array): boolean {
    this.#spend(0, value.length);
    if (value.length <= LONG_TEXT) {
      this.#memory.push(this.#L, value);
      this.#steps.count(0, value.length);
      return true;
    }
    this.#text = this.#memory.begin(value);
    return false;
  }

  /** Copies a piece of a long text; true when the whole text is on the stack. */
  #piece(text: LongText): boolean {
    while (!text.more()) if (this.#steps.look()) return false;
    this.#text = undefined;
    text.push(this.#L);
    return true;
  }

  #container(value: Handle | LazyMap | Value[] | ValueMap): boolean {
    const x = this.#x;
    const L = this.#L;
    if (!x.lua_checkstack(L, SLOTS)) throw new ScriptError('LIMIT_EXCEEDED', 'not enough stack for a result');
    if (value instanceof Handle) {
      const fields = this.#in.handle(L, value);
      if (!fields) return true;
      this.#map(fields, () => x.lua_callk(L, 2, 0, 0, 0));
      return false;
    }
    if (this.#levels.length >= VALUE_LIMITS.depth) throw Misfit.limit('depth');
    if (value instanceof LazyMap) {
      this.#machine.rawgeti(L, LUA.registry, this.#in.lazyRef);
      this.#map(value.own, () => {
        this.#machine.pushInteger(L, this.#in.lazyId(value));
        x.lua_callk(L, 2, 1, 0, 0);
      });
    } else if (this.#pushSmall(value)) return true;
    else if (Array.isArray(value)) {
      this.#spend(value.length, 0);
      x.lua_createtable(L, value.length, 0);
      if (writeNumbers(this.#machine, L, value)) {
        this.#mark();
        return true;
      }
      this.#levels.push({ of: value, keys: undefined, count: value.length, after: undefined, next: 0 });
    } else if (isMap(value)) this.#map(value, undefined);
    else throw Misfit.noData(value);
    return false;
  }

  #pushSmall(value: Value[] | ValueMap): boolean {
    try {
      if (!this.#small.push(this.#L, value, this.#levels.length)) return false;
    } catch (error) {
      // What cannot be read is met again, part by part, which knows the place.
      if (isOfEngine(error)) throw error;
      return false;
    }
    this.#steps.count(this.#small.nodes, 0);
    if (this.#levels.length > 0) this.#spend(this.#small.nodes - 1, this.#small.length);
    return true;
  }

  #map(map: ValueMap, after: Level['after']): void {
    const keys = Object.keys(map);
    this.#spend(keys.length, 0);
    this.#x.lua_createtable(this.#L, 0, keys.length);
    this.#levels.push({ of: map, keys, count: keys.length, after, next: 0 });
  }

  #close(level: Level): void {
    this.#levels.pop();
    if (!level.keys) this.#mark();
    level.after?.();
  }

  /** The table on top of the stack is an array, even if it is empty. */
  #mark(): void {
    this.#machine.rawgeti(this.#L, LUA.registry, this.#in.arrayRef);
    this.#x.lua_setmetatable(this.#L, -2);
  }
}

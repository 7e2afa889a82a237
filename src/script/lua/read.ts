import { pathText } from '../../call/path.ts';
import { orderInSteps } from '../../call/text.ts';
import { type Callback, define, Float, type Handle, MISFIT, VALUE_LIMITS, type Value, type ValueMap } from '../../call/value.ts';
import { LONG_TEXT, type Steps, UNFINISHED, type Unfinished } from '../steps.ts';
import { LUA, type LuaExports } from './exports.ts';
import type { LongString } from './long.ts';
import type { LuaMachine } from './machine.ts';
import type { LuaMemory } from './memory.ts';
import { readNumbers } from './numbers.ts';
import { SmallReader } from './small.ts';
import { filled, LENGTH_OF_A_KEY, MANY_KEYS, refuse, sorted, tooLong, tooMany } from './table.ts';

/** The items of a table that has none yet. */
const NONE: Value[] = [];

/** What stands behind values that are no data. */
export interface LuaOutgoing {
  /** Address of the metatable that tells an array from a map. */
  readonly arrayAddress: number;
  handle(id: number): Handle | undefined;
  /** The host's function for the one at a stack index. */
  callback(L: number, index: number): Callback;
  /** True while any table may be a lazy map. */
  lazy(): boolean;
  /** All fields of a lazy map at a stack index that the script has not had yet; undefined for any other table. */
  lacking(L: number, index: number): ValueMap | undefined;
}

/** A table that is being read; its key and value are at `top + 1` and `top + 2`. */
interface Level {
  index: number;
  top: number;
  address: number;
  key: string | number;
  items: Value[];
  sparse: Map<number, Value> | undefined;
  map: ValueMap | undefined;
  /** A map's keys as they came. */
  keys: string[];
  /** How many keys they count for: more where they are long. */
  weight: number;
  /** What belongs to the keys where there are many: an object would be built twice, the second time in the order of its keys. */
  many: Map<string, Value> | undefined;
  /** Where there are many keys and all have come: puts them in order. Then they move to the map, where `done` of them are. */
  ordering: Generator<undefined, string[]> | undefined;
  done: number;
}

/** Copies the script's values out of its tables, in steps: nothing may enter the state in between. */
export class LuaReader {
  readonly #machine: LuaMachine;
  readonly #x: LuaExports;
  readonly #memory: LuaMemory;
  readonly #out: LuaOutgoing;
  readonly #steps: Steps;
  readonly #small: SmallReader;
  /** Of all tables around the reader; those behind `#depth` are kept for the next ones. */
  readonly #levels: Level[] = [];
  #depth = 0;
  #nodes = 0;
  #bytes = 0;
  #L = 0;
  #name = '';
  /** A long text on its way out of memory. */
  #long: LongString | undefined;

  constructor(machine: LuaMachine, out: LuaOutgoing, steps: Steps) {
    this.#machine = machine;
    this.#x = machine.x;
    this.#memory = machine.memory;
    this.#out = out;
    this.#steps = steps;
    this.#small = new SmallReader(machine, out.arrayAddress);
  }

  /** Begins with the value at an absolute stack index, which `name` names in errors: BAD_ARGUMENT with the path in it. */
  begin(L: number, index: number, name: string): Value | Unfinished {
    const type = this.#x.lua_type(L, index);
    if (type === LUA.number) return this.#number(L, index);
    this.#nodes = this.#bytes = this.#depth = 0;
    this.#long = undefined;
    this.#L = L;
    this.#name = name;
    const whole = this.#value(index, type);
    return whole === undefined ? this.more() : whole;
  }

  /** Goes on with what was begun. */
  more(): Value | Unfinished {
    for (;;) {
      const value = this.#long ? this.#pieces(this.#long) : this.#goOn(this.#levels[this.#depth - 1] as Level);
      if (value === UNFINISHED) return UNFINISHED;
      if (value === undefined) continue;
      if (this.#depth === 0) {
        if (this.#steps.large) this.abandon();
        return value;
      }
      this.#put(this.#levels[this.#depth - 1] as Level, value);
    }
  }

  /** Goes on with the innermost table; its value at its end. */
  #goOn(level: Level): Value | Unfinished | undefined {
    const value = level.ordering ? this.#order(level, level.ordering) : this.#fill(level);
    if (value !== UNFINISHED && value !== undefined) this.#depth--;
    return value;
  }

  #pieces(long: LongString): Value | Unfinished {
    for (;;) {
      const text = long.more();
      if (text !== undefined) {
        this.#long = undefined;
        this.#count(text);
        return text;
      }
      if (this.#steps.look()) return UNFINISHED;
    }
  }

  /** Lets go of what was begun: nothing of a large value stays behind. */
  abandon(): void {
    this.#levels.length = this.#depth = 0;
    this.#long = undefined;
  }

  /** Reads a table until its end, whose value is given; undefined where there is another level to go on with. */
  #fill(level: Level): Value | Unfinished | undefined {
    const x = this.#x;
    const L = this.#L;
    const { index, top } = level;
    for (;;) {
      if (this.#steps.stop()) return UNFINISHED;
      if (!x.lua_next(L, index)) return this.#close(level);
      const type = x.lua_type(L, top + 2);
      this.#key(level);
      const whole = this.#value(top + 2, type);
      if (whole === undefined) return undefined;
      this.#put(level, whole);
    }
  }

  /** A value; undefined where it is a table or a long text that has been begun with. */
  #value(index: number, type: number): Value | undefined {
    const L = this.#L;
    if (type === LUA.table) return this.#open(index);
    if (++this.#nodes > VALUE_LIMITS.nodes) throw tooMany(this.#path());
    switch (type) {
      case LUA.number:
        return this.#number(L, index);
      case LUA.string:
        return this.#text(index);
      case LUA.boolean:
        return this.#x.lua_toboolean(L, index) !== 0;
      case LUA.function:
        return this.#out.callback(L, index);
      case LUA.userdata:
        return this.#out.handle(this.#memory.view.getUint32(this.#x.lua_touserdata(L, index), true)) ?? null;
      case LUA.thread:
        throw refuse(this.#path(), 'a coroutine cannot leave the script');
      default:
        return null;
    }
  }

  #number(L: number, index: number): number | bigint | Float {
    const value = this.#x.lua_tonumberx(L, index, 0);
    if (!Number.isInteger(value)) return value;
    if (!this.#x.lua_isinteger(L, index)) return new Float(value);
    return Number.isSafeInteger(value) ? value : this.#x.lua_tointegerx(L, index, 0);
  }

  #text(index: number): string | Uint8Array | undefined {
    const text = this.#memory.readShort(this.#L, index);
    if (text === undefined) this.#long = this.#memory.beginRead(this.#L, index);
    else this.#count(text);
    return text;
  }

  #count({ length }: string | Uint8Array): void {
    this.#bytes += length;
    this.#steps.count(0, length);
    if (this.#bytes > VALUE_LIMITS.bytes) throw tooLong(this.#path());
    if (length > LONG_TEXT) this.#steps.large = true;
  }

  /** Goes into the table at a stack index; one that is small, or a list of numbers alone, is read at once. */
  #open(index: number): Value | undefined {
    const x = this.#x;
    const L = this.#L;
    if (++this.#nodes > VALUE_LIMITS.nodes) throw tooMany(this.#path());
    const address = x.lua_topointer(L, index);
    for (let i = 0; i < this.#depth; i++) if (this.#levels[i]?.address === address) throw refuse(this.#path(), 'a table that contains itself');
    if (this.#depth >= VALUE_LIMITS.depth) throw refuse(this.#path(), MISFIT.depth);
    if (!x.lua_checkstack(L, 6)) throw refuse(this.#path(), 'not enough stack');
    const numbers = readNumbers(this.#machine, L, index);
    if (numbers) {
      this.#nodes += numbers.length;
      if (this.#nodes > VALUE_LIMITS.nodes) throw tooMany(this.#path());
      return numbers;
    }
    const small = this.#readSmall(index);
    if (small) return small;
    const level = (this.#levels[this.#depth++] ??= {
      index: 0,
      top: 0,
      address: 0,
      key: 0,
      items: [],
      sparse: undefined,
      map: undefined,
      keys: [],
      weight: 0,
      many: undefined,
      ordering: undefined,
      done: 0,
    });
    level.index = index;
    level.address = address;
    level.top = x.lua_gettop(L);
    level.key = 0;
    level.items = NONE;
    level.sparse = level.map = level.many = level.ordering = undefined;
    x.lua_pushnil(L);
    return undefined;
  }

  #readSmall(index: number): Value | undefined {
    if (this.#out.lazy()) return undefined;
    const small = this.#small;
    const value = small.read(this.#L, index, this.#depth);
    if (value === undefined) return undefined;
    const nodes = this.#nodes + small.nodes - 1;
    const bytes = this.#bytes + small.length;
    // Beyond a limit the way part by part says where.
    if (nodes > VALUE_LIMITS.nodes || bytes > VALUE_LIMITS.bytes) return undefined;
    this.#nodes = nodes;
    this.#bytes = bytes;
    this.#steps.count(small.nodes, small.length);
    return value;
  }

  /** Takes note of the key that came, and of what kind of table it makes this. */
  #key(level: Level): void {
    const x = this.#x;
    const L = this.#L;
    const at = level.top + 1;
    const type = x.lua_type(L, at);
    if (type === LUA.string) {
      if (level.items.length > 0 || level.sparse) throw refuse(this.#path(true), 'a table with both positions and names as keys');
      const key = this.#memory.read(L, at);
      if (typeof key !== 'string') throw refuse(this.#path(true), 'a table key that is no UTF-8 text');
      this.#bytes += key.length;
      this.#steps.count(0, key.length);
      if (this.#bytes > VALUE_LIMITS.bytes) throw tooLong(this.#path(true));
      if (!level.map) {
        level.map = {};
        level.keys = [];
        level.weight = 0;
      }
      level.key = key;
      level.keys.push(key);
      level.weight += 1 + Math.floor(key.length / LENGTH_OF_A_KEY);
      if (level.weight >= MANY_KEYS) level.many ??= new Map(Object.entries(level.map));
      return;
    }
    const position = type === LUA.number && x.lua_isinteger(L, at) ? x.lua_tonumberx(L, at, 0) : 0;
    if (position < 1 || level.map)
      throw refuse(
        this.#path(true),
        level.map ? 'a table with both positions and names as keys' : 'a table key that is neither a string nor a position from 1',
      );
    level.key = position;
  }

  #put(level: Level, value: Value): void {
    const { key, items } = level;
    if (typeof key === 'string') level.many ? level.many.set(key, value) : define(level.map as ValueMap, key, value);
    else if (key !== items.length + 1) (level.sparse ??= new Map()).set(key, value);
    else if (items === NONE) level.items = [value];
    else items.push(value);
    this.#x.lua_settop(this.#L, level.top + 1);
  }

  /** The table's end: its value, or undefined where many keys are still to be put in order. */
  #close(level: Level): Value | undefined {
    const { map, many, items, sparse } = level;
    if (map) {
      const lacking = this.#out.lacking(this.#L, level.index);
      if (lacking) return sorted({ ...lacking, ...(many ? Object.fromEntries(many) : map) });
      if (!many) return sorted(map, level.keys);
      level.ordering = orderInSteps(level.keys);
      level.map = {};
      level.done = -1;
      return undefined;
    }
    if (sparse) return filled(items === NONE ? [] : items, sparse, this.#path(true));
    if (items !== NONE) return items;
    return this.#isArray(level.index) ? [] : {};
  }

  /** Goes on to make a map of many keys in their order. */
  #order(level: Level, ordering: Generator<undefined, string[]>): ValueMap | Unfinished {
    if (level.done < 0) {
      for (let step = ordering.next(); ; step = ordering.next()) {
        if (step.done) {
          level.keys = step.value;
          level.done = 0;
          break;
        }
        if (this.#steps.look()) return UNFINISHED;
      }
    }
    const map = level.map as ValueMap;
    while (level.done < level.keys.length) {
      if (this.#steps.stop()) return UNFINISHED;
      const key = level.keys[level.done++] as string;
      define(map, key, level.many?.get(key));
    }
    return map;
  }

  #isArray(index: number): boolean {
    const x = this.#x;
    if (!x.lua_getmetatable(this.#L, index)) return false;
    const marked = x.lua_topointer(this.#L, -1) === this.#out.arrayAddress;
    x.lua_settop(this.#L, -2);
    return marked;
  }

  /** Where the reader is, `State.save: value.a[2]`; `around` leaves the innermost key out. */
  #path(around = false): string {
    const levels = this.#levels.slice(0, this.#depth - (around ? 1 : 0));
    return this.#name + pathText(levels.map(({ key }) => key));
  }
}

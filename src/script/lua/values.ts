import type { ScriptInvoke } from '../../call/run.ts';
import { type Callback, define, Float, Handle, type HandleType, LazyMap, SCRIPT_CALLBACK, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { LazyMaps } from '../lazy.ts';
import { MAX_HANDLES, VALUE_LIMITS } from '../limits.ts';
import { ScriptRef } from '../refs.ts';
import { LUA, type LuaExports } from './exports.ts';
import type { LuaMachine } from './machine.ts';
import type { LuaMemory } from './memory.ts';
import { readNumbers, writeNumbers } from './numbers.ts';
import { filled, refuse, sorted, tooLong, tooMany } from './table.ts';

/** Marks and metatables that the image holds, as references into the registry and addresses. */
export interface LuaMarks {
  /** Metatable of arrays; its address tells an array from a map. */
  readonly arrayRef: number;
  readonly arrayAddress: number;
  readonly errorAddress: number;
  /** By handle type: the metatable. */
  readonly handleRefs: ReadonlyMap<HandleType, number>;
  /** Function (handle, fields) that keeps a handle's fields. */
  readonly setFieldsRef: number;
  /** Weak table of handles by id. */
  readonly handlesRef: number;
  /** Function (table, id) that makes a table lazy, and the weak table of the ids of those that still lack fields. */
  readonly lazyRef: number;
  readonly lazyIdsRef: number;
}

/** What values need of their instance. */
export interface LuaOwner {
  readonly dropped: number[];
  /** Makes the host's function for a referenced script function. */
  callback(ref: ScriptRef): Callback;
}

interface Budget {
  nodes: number;
  bytes: number;
  readonly seen: number[];
}

/** Values between Lua's stack and the host, by the C API. */
export class LuaValues {
  readonly #machine: LuaMachine;
  readonly #x: LuaExports;
  readonly #memory: LuaMemory;
  readonly #marks: LuaMarks;
  readonly #owner: LuaOwner;
  readonly lazy = new LazyMaps();
  readonly #handles: Handle[] = [];
  readonly #handleIds = new Map<object, number>();
  readonly #functions = new WeakMap<Callback, ScriptRef>();

  constructor(machine: LuaMachine, marks: LuaMarks, owner: LuaOwner) {
    this.#machine = machine;
    this.#x = machine.x;
    this.#memory = machine.memory;
    this.#marks = marks;
    this.#owner = owner;
  }

  // Out of Lua.

  /** The value at an absolute stack index; throws BAD_ARGUMENT with the path in it. */
  read(L: number, index: number, path: string): Value {
    const type = this.#x.lua_type(L, index);
    if (type === LUA.table || type === LUA.function) return this.#readAt(L, index, type, path, { nodes: 0, bytes: 0, seen: [] });
    const value = this.#readScalar(L, index, type, path);
    if (type === LUA.string && (value as string | Uint8Array).length > VALUE_LIMITS.bytes) throw tooLong(path);
    return value;
  }

  #readScalar(L: number, index: number, type: number, path: string): Value {
    switch (type) {
      case LUA.number:
        return this.#readNumber(L, index);
      case LUA.string:
        return this.#memory.read(L, index);
      case LUA.boolean:
        return this.#x.lua_toboolean(L, index) !== 0;
      case LUA.userdata:
        return this.#handles[this.#memory.view.getUint32(this.#x.lua_touserdata(L, index), true)] ?? null;
      case LUA.thread:
        throw refuse(path, 'a coroutine cannot leave the script');
      default:
        return null;
    }
  }

  #readNumber(L: number, index: number): number | bigint | Float {
    const value = this.#x.lua_tonumberx(L, index, 0);
    if (!Number.isInteger(value)) return value;
    if (!this.#x.lua_isinteger(L, index)) return new Float(value);
    return Number.isSafeInteger(value) ? value : this.#x.lua_tointegerx(L, index, 0);
  }

  #readAt(L: number, index: number, type: number, path: string, budget: Budget): Value {
    if (++budget.nodes > VALUE_LIMITS.nodes) throw tooMany(path);
    if (type === LUA.table) return this.#readTable(L, index, path, budget);
    if (type === LUA.function) return this.#readFunction(L, index);
    const value = this.#readScalar(L, index, type, path);
    if (typeof value === 'string' || value instanceof Uint8Array) {
      budget.bytes += value.length;
      if (budget.bytes > VALUE_LIMITS.bytes) throw tooLong(path);
    }
    return value;
  }

  #readFunction(L: number, index: number): Callback {
    this.#x.lua_pushvalue(L, index);
    const ref = new ScriptRef(this.#owner, this.#x.luaL_ref(L, LUA.registry));
    const callback = this.#owner.callback(ref);
    this.#functions.set(callback, ref);
    return callback;
  }

  #readTable(L: number, index: number, path: string, budget: Budget): Value {
    const x = this.#x;
    const address = x.lua_topointer(L, index);
    if (budget.seen.includes(address)) throw refuse(path, 'a table that contains itself');
    if (budget.seen.length >= VALUE_LIMITS.depth) throw refuse(path, `nested deeper than ${VALUE_LIMITS.depth}`);
    if (!x.lua_checkstack(L, 6)) throw refuse(path, 'not enough stack');
    const numbers = readNumbers(this.#machine, L, index);
    if (numbers) {
      budget.nodes += numbers.length;
      if (budget.nodes > VALUE_LIMITS.nodes) throw tooMany(path);
      return numbers;
    }
    budget.seen.push(address);
    const top = x.lua_gettop(L);
    const items: Value[] = [];
    let sparse: Map<number, Value> | undefined;
    let map: ValueMap | undefined;
    x.lua_pushnil(L);
    while (x.lua_next(L, index)) {
      const type = x.lua_type(L, top + 2);
      const keyType = x.lua_type(L, top + 1);
      if (keyType === LUA.string) {
        if (items.length > 0 || sparse) throw refuse(path, 'a table with both positions and names as keys');
        const key = this.#memory.read(L, top + 1);
        if (typeof key !== 'string') throw refuse(path, 'a table key that is no UTF-8 text');
        budget.bytes += key.length;
        if (budget.bytes > VALUE_LIMITS.bytes) throw tooLong(path);
        map ??= {};
        define(map, key, this.#readAt(L, top + 2, type, `${path}.${key}`, budget));
      } else {
        const position = keyType === LUA.number && x.lua_isinteger(L, top + 1) ? x.lua_tonumberx(L, top + 1, 0) : 0;
        if (position < 1 || map)
          throw refuse(path, map ? 'a table with both positions and names as keys' : 'a table key that is neither a string nor a position from 1');
        const value = this.#readAt(L, top + 2, type, path, budget);
        if (position === items.length + 1) items.push(value);
        else (sparse ??= new Map()).set(position, value);
      }
      x.lua_settop(L, top + 1);
    }
    budget.seen.pop();
    const lacking = map && this.lazy.any ? this.#lacking(L, index) : undefined;
    if (lacking) map = { ...lacking, ...map };
    if (map) return sorted(map);
    if (sparse) return filled(items, sparse, path);
    if (items.length > 0 || this.#isArray(L, index)) return items;
    return {};
  }

  /** All fields of a lazy map that the script has not had yet; undefined for any other table. */
  #lacking(L: number, index: number): ValueMap | undefined {
    const x = this.#x;
    this.#machine.rawgeti(L, LUA.registry, this.#marks.lazyIdsRef);
    x.lua_pushvalue(L, index);
    x.lua_rawget(L, -2);
    const id = x.lua_tonumberx(L, -1, 0);
    x.lua_settop(L, -3);
    return id === 0 ? undefined : this.lazy.get(id);
  }

  #isArray(L: number, index: number): boolean {
    if (!this.#x.lua_getmetatable(L, index)) return false;
    const marked = this.#x.lua_topointer(L, -1) === this.#marks.arrayAddress;
    this.#x.lua_settop(L, -2);
    return marked;
  }

  // Into Lua.

  /** Pushes a value; data only, and functions and handles of this run. */
  push(L: number, value: Value | undefined): void {
    const x = this.#x;
    switch (typeof value) {
      case 'number':
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.#machine.pushInteger(L, value);
        else x.lua_pushnumber(L, value);
        return;
      case 'string':
        return this.#memory.push(L, value);
      case 'boolean':
        return x.lua_pushboolean(L, value ? 1 : 0);
      case 'bigint':
        return x.lua_pushinteger(L, BigInt.asIntN(64, value));
      case 'function':
        return this.pushRef(L, this.#functions.get(value));
      case 'undefined':
        return x.lua_pushnil(L);
    }
    if (value === null) x.lua_pushnil(L);
    else this.#pushObject(L, value, 0);
  }

  /** Pushes the very value that a reference stands for. */
  pushRef(L: number, ref: ScriptRef | undefined): void {
    if (!ref || ref.owner !== this.#owner || ref.released) throw new ScriptError('INTERNAL', 'a function of another run, or one that was let go');
    this.#machine.rawgeti(L, LUA.registry, ref.ref);
  }

  #pushInside(L: number, value: Value | undefined, depth: number): void {
    if (value === null || value === undefined) this.#x.lua_pushlightuserdata(L, 0);
    else if (typeof value === 'object') this.#pushObject(L, value, depth);
    else this.push(L, value);
  }

  #pushObject(L: number, value: Exclude<Value & object, Callback>, depth: number): void {
    const x = this.#x;
    if (value instanceof Uint8Array) return this.#memory.push(L, value);
    if (value instanceof Float) return x.lua_pushnumber(L, value.value);
    if (value instanceof Handle) return this.#pushHandle(L, value);
    if (depth > VALUE_LIMITS.depth) throw new ScriptError('LIMIT_EXCEEDED', `a result is nested deeper than ${VALUE_LIMITS.depth}`);
    if (!x.lua_checkstack(L, 6)) throw new ScriptError('LIMIT_EXCEEDED', 'not enough stack for a result');
    if (Array.isArray(value)) {
      x.lua_createtable(L, value.length, 0);
      const quick = writeNumbers(this.#machine, L, value);
      for (let i = quick ? value.length : 0; i < value.length; i++) {
        this.#pushInside(L, value[i], depth + 1);
        this.#machine.rawseti(L, -2, i + 1);
      }
      this.#machine.rawgeti(L, LUA.registry, this.#marks.arrayRef);
      x.lua_setmetatable(L, -2);
      return;
    }
    if (value instanceof LazyMap) {
      this.#machine.rawgeti(L, LUA.registry, this.#marks.lazyRef);
      this.#pushObject(L, value.own, depth);
      this.#machine.pushInteger(L, this.lazy.add(value));
      x.lua_callk(L, 2, 1, 0, 0);
      return;
    }
    const keys = Object.keys(value);
    x.lua_createtable(L, 0, keys.length);
    for (const key of keys) {
      this.#memory.push(L, key);
      this.#pushInside(L, value[key], depth + 1);
      x.lua_rawset(L, -3);
    }
  }

  #pushHandle(L: number, handle: Handle): void {
    const x = this.#x;
    const marks = this.#marks;
    const known = this.#handleIds.get(handle.target);
    this.#machine.rawgeti(L, LUA.registry, marks.handlesRef);
    if (known !== undefined) {
      this.#machine.rawgeti(L, -1, known);
      if (x.lua_type(L, -1) === LUA.userdata) {
        x.lua_rotate(L, -2, 1);
        x.lua_settop(L, -2);
        return;
      }
      x.lua_settop(L, -2);
    }
    const metatable = marks.handleRefs.get(handle.type);
    if (metatable === undefined) throw new ScriptError('INTERNAL', `no handle type ${handle.type.name}`);
    const id = known ?? this.#handles.push(handle) - 1;
    if (id >= MAX_HANDLES) throw new ScriptError('LIMIT_EXCEEDED', `more than ${MAX_HANDLES} handles in one run`);
    this.#handleIds.set(handle.target, id);
    this.#memory.view.setUint32(x.lua_newuserdatauv(L, 4, 0), id, true);
    this.#machine.rawgeti(L, LUA.registry, metatable);
    x.lua_setmetatable(L, -2);
    x.lua_pushvalue(L, -1);
    this.#machine.rawseti(L, -3, id);
    x.lua_rotate(L, -2, 1);
    x.lua_settop(L, -2);
    const fields = handle.type.fields?.(handle.target);
    if (!fields) return;
    this.#machine.rawgeti(L, LUA.registry, marks.setFieldsRef);
    x.lua_pushvalue(L, -2);
    this.#pushObject(L, fields, 0);
    x.lua_callk(L, 2, 0, 0, 0);
  }
}

/** Marks a host function as one of the script's. */
export function scriptCallback(ref: ScriptRef, invoke: ScriptInvoke): Callback {
  const callback: Callback = () => {
    throw new ScriptError('INTERNAL', 'a function of the script was called without a context');
  };
  return Object.assign(callback, { [SCRIPT_CALLBACK]: Object.assign(invoke, { release: () => ref.release() }) });
}

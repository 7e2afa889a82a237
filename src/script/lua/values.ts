import { fieldsOf } from '../../call/crossing.ts';
import type { ScriptInvoke } from '../../call/run.ts';
import { type Callback, type Handle, type HandleType, type LazyMap, SCRIPT_CALLBACK, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { LazyMaps } from '../lazy.ts';
import { MAX_HANDLES } from '../limits.ts';
import { Misfit } from '../misfit.ts';
import { ScriptRef } from '../refs.ts';
import { type Steps, UNFINISHED, type Unfinished } from '../steps.ts';
import { LUA, type LuaExports } from './exports.ts';
import type { LuaMachine } from './machine.ts';
import type { LuaMemory } from './memory.ts';
import { LuaReader } from './read.ts';
import { LuaWriter } from './write.ts';

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

  readonly #reader: LuaReader;
  readonly #writer: LuaWriter;

  constructor(machine: LuaMachine, marks: LuaMarks, owner: LuaOwner, steps: Steps) {
    this.#machine = machine;
    this.#x = machine.x;
    this.#memory = machine.memory;
    this.#marks = marks;
    this.#owner = owner;
    const outgoing = {
      arrayAddress: marks.arrayAddress,
      handle: (id: number) => this.#handles[id],
      callback: (L: number, index: number) => this.#callback(L, index),
      lazy: () => this.lazy.any,
      lacking: (L: number, index: number) => (this.lazy.any ? this.#lacking(L, index) : undefined),
    };
    this.#reader = new LuaReader(machine, outgoing, steps);
    const incoming = {
      arrayRef: marks.arrayRef,
      lazyRef: marks.lazyRef,
      function: (L: number, callback: Callback) => {
        const ref = this.#functions.get(callback);
        if (!ref) throw Misfit.noData(callback);
        this.pushRef(L, ref);
      },
      handle: (L: number, handle: Handle) => this.#pushHandle(L, handle),
      lazyId: (map: LazyMap) => this.lazy.add(map),
    };
    this.#writer = new LuaWriter(machine, incoming, steps);
  }

  // Out of Lua.

  /** The value at an absolute stack index; throws BAD_ARGUMENT with the path in it. */
  read(L: number, index: number, path: string): Value {
    let value = this.#reader.begin(L, index, path);
    while (value === UNFINISHED) value = this.#reader.more();
    return value;
  }

  /** As `read`, in steps that `readMore` continues. */
  beginRead(L: number, index: number, path: string): Value | Unfinished {
    return this.#reader.begin(L, index, path);
  }

  readMore(): Value | Unfinished {
    return this.#reader.more();
  }

  #callback(L: number, index: number): Callback {
    this.#x.lua_pushvalue(L, index);
    const ref = new ScriptRef(this.#owner, this.#x.luaL_ref(L, LUA.registry));
    const callback = this.#owner.callback(ref);
    this.#functions.set(callback, ref);
    return callback;
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

  // Into Lua.

  /** Pushes a value; data only, and functions and handles of this run. Throws Misfit, as the others do. */
  push(L: number, value: Value | undefined): void {
    let done = this.#writer.begin(L, value);
    while (done === UNFINISHED) done = this.#writer.more();
  }

  /** As `push`, in steps that `pushMore` continues; true when the value is on the stack. */
  beginPush(L: number, value: Value | undefined): true | Unfinished {
    return this.#writer.begin(L, value);
  }

  pushMore(): true | Unfinished {
    return this.#writer.more();
  }

  /** Lets go of what was begun and will not be whole. */
  abandon(): void {
    this.#reader.abandon();
    this.#writer.abandon();
  }

  /** Pushes the very value that a reference stands for. */
  pushRef(L: number, ref: ScriptRef): void {
    if (ref.owner !== this.#owner || ref.released) throw new ScriptError('INTERNAL', 'a function of another run, or one that was let go');
    this.#machine.rawgeti(L, LUA.registry, ref.ref);
  }

  /** Pushes a handle; a new one's fields are given, with the function that sets them and the handle on top of the stack. */
  #pushHandle(L: number, handle: Handle): ValueMap | undefined {
    const x = this.#x;
    const marks = this.#marks;
    const known = this.#handleIds.get(handle.target);
    this.#machine.rawgeti(L, LUA.registry, marks.handlesRef);
    if (known !== undefined) {
      this.#machine.rawgeti(L, -1, known);
      if (x.lua_type(L, -1) === LUA.userdata) {
        x.lua_rotate(L, -2, 1);
        x.lua_settop(L, -2);
        return undefined;
      }
      x.lua_settop(L, -2);
    }
    const metatable = marks.handleRefs.get(handle.type);
    if (metatable === undefined) throw new ScriptError('INTERNAL', `no handle type ${handle.type.name}`);
    const id = known ?? this.#handles.push(handle) - 1;
    if (id >= MAX_HANDLES) throw new ScriptError('LIMIT_EXCEEDED', `more than ${MAX_HANDLES} handles in one run`);
    const fields = fieldsOf(handle);
    this.#handleIds.set(handle.target, id);
    this.#memory.view.setUint32(x.lua_newuserdatauv(L, 4, 0), id, true);
    this.#machine.rawgeti(L, LUA.registry, metatable);
    x.lua_setmetatable(L, -2);
    x.lua_pushvalue(L, -1);
    this.#machine.rawseti(L, -3, id);
    x.lua_rotate(L, -2, 1);
    x.lua_settop(L, -2);
    if (!fields) return undefined;
    this.#machine.rawgeti(L, LUA.registry, marks.setFieldsRef);
    x.lua_pushvalue(L, -2);
    return fields;
  }
}

/** Marks a host function as one of the script's. */
export function scriptCallback(ref: ScriptRef, invoke: ScriptInvoke): Callback {
  const callback: Callback = () => {
    throw new ScriptError('INTERNAL', 'a function of the script was called without a context');
  };
  return Object.assign(callback, { [SCRIPT_CALLBACK]: Object.assign(invoke, { release: () => ref.release() }) });
}

import { readFileSync } from 'node:fs';
import type { MethodTable } from '../../call/dispatch.ts';
import { ScriptError } from '../../errors.ts';
import { captureImage, type MemoryImage } from '../wasm/image.ts';
import { keptImage } from '../wasm/kept.ts';
import { LUA } from './exports.ts';
import { INTERNALS } from './internals.ts';
import { LuaMachine } from './machine.ts';
import { LuaMemory } from './memory.ts';
import type { LuaMarks } from './values.ts';

/** What the prelude returns and the engine keeps, by name. */
const KEPT = [
  'make_error',
  'show',
  'place_of',
  'error_text',
  'error_metatable',
  'array_metatable',
  'array',
  'null_metatable',
  'handle_metatable',
  'set_fields',
  'handles',
  'handler',
  'lazy',
  'lazy_ids',
  'seed',
] as const;
type Kept = (typeof KEPT)[number];

/** What is made once, and kept: no part of it belongs to one process. */
interface Made extends Omit<LuaImage, 'marks'> {
  readonly marks: Omit<LuaMarks, 'handleRefs'>;
  /** In the order of the table's handles. */
  readonly handleRefs: readonly number[];
}

/** A Lua state with everything in it, as bytes: the start of each context. */
export interface LuaImage {
  readonly memory: MemoryImage;
  /** Of `LuaMemory`. */
  readonly block: number;
  readonly L: number;
  readonly stackTop: number;
  readonly marks: LuaMarks;
  /** Registry references. */
  readonly refs: Readonly<Record<Kept, number>>;
}

const PRELUDE = readFileSync(new URL('./prelude.lua', import.meta.url));

/** The base image of a method table. */
export function createLuaImage(table: MethodTable): LuaImage {
  const { marks, handleRefs, ...made } = keptImage('lua', table, [PRELUDE, make, captureImage, LuaMachine, LuaMemory], () => make(table));
  return { ...made, marks: { ...marks, handleRefs: new Map(table.handles.map(({ type }, i) => [type, handleRefs[i] as number])) } };
}

/** Opens and trims the standard library, adds the globals of the table, and copies the memory. */
function make(table: MethodTable): Made {
  const machine = new LuaMachine();
  const { x, memory } = machine;
  const L = x.luaL_newstate();
  x.luaL_openlibs(L);
  const ref = () => x.luaL_ref(L, LUA.registry);
  const pushFunction = (index: number) => {
    x.lua_pushnumber(L, index);
    x.lua_pushcclosure(L, machine.hostFunction, 1);
  };
  const setField = (name: string) => x.lua_setfield(L, -2, memory.name(name));
  const check = (status: number, what: string) => {
    if (status !== LUA.ok) throw new ScriptError('INTERNAL', `the Lua prelude failed ${what}: ${memory.describe(L, -1)}`);
  };

  const text = memory.allocate(new Uint8Array(PRELUDE));
  const name = memory.allocate('=[llmspell]');
  check(x.luaL_loadbufferx(L, text.pointer, text.size, name.pointer, 0), 'to load');
  x.free(text.pointer);
  x.free(name.pointer);
  x.lua_createtable(L, 0, 8);
  for (const [key, index] of Object.entries(INTERNALS)) {
    pushFunction(index);
    setField(key);
  }
  check(x.lua_pcallk(L, 1, 1, 0, 0, 0), 'to run');

  const refs = {} as Record<Kept, number>;
  const addresses = {} as Record<Kept, number>;
  for (const key of KEPT) {
    x.lua_pushvalue(L, -1);
    memory.push(L, key);
    x.lua_rawget(L, -2);
    addresses[key] = x.lua_topointer(L, -1);
    refs[key] = ref();
    x.lua_settop(L, -2);
  }
  x.lua_settop(L, 0);

  const methods = (entries: readonly (readonly [string, { readonly index: number }])[]) => {
    x.lua_createtable(L, 0, entries.length);
    for (const [method, { index }] of entries) {
      pushFunction(index);
      setField(method);
    }
  };
  for (const global of table.globals('lua')) {
    if (global.callable) pushFunction(global.callable.index);
    else methods(global.methods);
    if (global.name === 'JSON') addJson();
    x.lua_setglobal(L, memory.name(global.name));
  }
  x.lua_pushlightuserdata(L, 0);
  machine.rawgeti(L, LUA.registry, refs.null_metatable);
  x.lua_setmetatable(L, -2);
  x.lua_settop(L, 0);
  function addJson(): void {
    x.lua_pushlightuserdata(L, 0);
    setField('null');
    machine.rawgeti(L, LUA.registry, refs.array);
    setField('array');
  }

  const handleRefs: number[] = [];
  for (const handle of table.handles) {
    machine.rawgeti(L, LUA.registry, refs.handle_metatable);
    memory.push(L, handle.type.name);
    methods(handle.methods);
    check(x.lua_pcallk(L, 2, 1, 0, 0, 0), `to make ${handle.type.name}`);
    handleRefs.push(ref());
  }
  return {
    memory: captureImage(x.memory),
    block: memory.block,
    L,
    stackTop: x.stackSave(),
    refs,
    handleRefs,
    marks: {
      arrayRef: refs.array_metatable,
      arrayAddress: addresses.array_metatable,
      errorAddress: addresses.error_metatable,
      setFieldsRef: refs.set_fields,
      handlesRef: refs.handles,
      lazyRef: refs.lazy,
      lazyIdsRef: refs.lazy_ids,
    },
  };
}

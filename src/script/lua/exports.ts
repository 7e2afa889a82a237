/** The functions of the Lua C API that the engine calls; `lua_State*` and other pointers are numbers. */
export interface LuaExports {
  readonly memory: WebAssembly.Memory;
  readonly __indirect_function_table: WebAssembly.Table;
  readonly __fuel: WebAssembly.Global<'i32'>;
  readonly __fuel_reset: WebAssembly.Global<'i32'>;
  readonly __running: WebAssembly.Global<'i32'>;
  readonly __fuel_slot: WebAssembly.Table;
  __wasm_call_ctors(): void;
  emscripten_stack_init(): void;
  stackSave(): number;
  stackRestore(pointer: number): void;
  malloc(size: number): number;
  free(pointer: number): void;
  luaL_newstate(): number;
  luaL_openlibs(L: number): void;
  luaL_loadbufferx(L: number, text: number, size: number, name: number, mode: number): number;
  luaL_ref(L: number, table: number): number;
  luaL_unref(L: number, table: number, ref: number): void;
  luaL_tolstring(L: number, index: number, size: number): number;
  luaL_traceback(L: number, of: number, message: number, level: number): void;
  luaL_where(L: number, level: number): void;
  lua_callk(L: number, args: number, results: number, context: number, k: number): void;
  lua_pcallk(L: number, args: number, results: number, handler: number, context: number, k: number): number;
  lua_checkstack(L: number, slots: number): number;
  lua_createtable(L: number, items: number, fields: number): void;
  lua_getglobal(L: number, name: number): number;
  lua_getiuservalue(L: number, index: number, n: number): number;
  lua_getmetatable(L: number, index: number): number;
  lua_gettop(L: number): number;
  lua_isinteger(L: number, index: number): number;
  lua_newthread(L: number): number;
  lua_newuserdatauv(L: number, size: number, values: number): number;
  lua_next(L: number, index: number): number;
  lua_pushboolean(L: number, value: number): void;
  lua_pushcclosure(L: number, fn: number, upvalues: number): void;
  lua_pushinteger(L: number, value: bigint): void;
  lua_pushlightuserdata(L: number, pointer: number): void;
  lua_pushlstring(L: number, text: number, size: number): number;
  lua_pushnil(L: number): void;
  lua_pushnumber(L: number, value: number): void;
  lua_pushvalue(L: number, index: number): void;
  lua_rawequal(L: number, a: number, b: number): number;
  lua_rawget(L: number, index: number): number;
  lua_rawgeti(L: number, index: number, key: bigint): number;
  lua_rawset(L: number, index: number): void;
  lua_rawseti(L: number, index: number, key: bigint): void;
  lua_rotate(L: number, index: number, n: number): void;
  lua_setfield(L: number, index: number, name: number): void;
  lua_setglobal(L: number, name: number): void;
  lua_sethook(L: number, hook: number, mask: number, count: number): void;
  lua_setiuservalue(L: number, index: number, n: number): number;
  lua_setmetatable(L: number, index: number): number;
  lua_settop(L: number, index: number): void;
  lua_toboolean(L: number, index: number): number;
  lua_tointegerx(L: number, index: number, ok: number): bigint;
  lua_tolstring(L: number, index: number, size: number): number;
  lua_tonumberx(L: number, index: number, ok: number): number;
  lua_topointer(L: number, index: number): number;
  lua_touserdata(L: number, index: number): number;
  lua_type(L: number, index: number): number;
  lua_xmove(from: number, to: number, n: number): void;
}

export const LUA = {
  registry: -1_001_000,
  firstUpvalue: -1_001_001,
  nil: 0,
  boolean: 1,
  lightuserdata: 2,
  number: 3,
  string: 4,
  table: 5,
  function: 6,
  userdata: 7,
  thread: 8,
  ok: 0,
  errorRun: 2,
  errorSyntax: 3,
  errorMemory: 4,
  maskCount: 8,
} as const;

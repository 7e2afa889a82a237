import type { FuelPlan } from './instrument.ts';
import type { MemorySize } from './memories.ts';

export type EngineName = 'lua' | 'javascript';

/** Everything that is assumed of one binary: where it comes from, what is kept and rewritten, and what must come out. */
export interface Manifest {
  /** The package's file, as an import specifier. */
  readonly source: string;
  readonly sourceSha256: string;
  readonly memory: MemorySize;
  readonly exports: readonly string[];
  readonly fuel: FuelPlan;
  /** Of the binary that the rewriter makes. */
  readonly sha256: string;
}

/** Operands in the interpreter's jump table (opcode − 1) that can jump back or call: JMP, EQ … TESTSET, CALL, TAILCALL, FORLOOP, TFORLOOP and their like. */
const LUA_JUMPS = [55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 72, 75, 76];

/** The pinned binaries. `npm run wasm -- --pin` prints the hashes of what the installed packages give. */
export const MANIFESTS: Readonly<Record<EngineName, Manifest>> = {
  lua: {
    source: 'wasmoon/dist/glue.wasm',
    sourceSha256: '95f3f19ddb740125883bc41d5ec670cd0828e7b58c8bdad385323cbff497b55c',
    memory: { initial: 28, maximum: 32_768 },
    exports: [
      ...['memory', '__indirect_function_table', '__wasm_call_ctors', 'emscripten_stack_init', 'stackSave', 'stackRestore', 'setThrew', 'malloc', 'free'],
      ...['luaL_newstate', 'luaL_openlibs', 'luaL_loadbufferx', 'luaL_ref', 'luaL_unref', 'luaL_tolstring', 'luaL_traceback', 'luaL_where'],
      ...['lua_callk', 'lua_pcallk', 'lua_error', 'lua_checkstack', 'lua_createtable', 'lua_getglobal', 'lua_getiuservalue', 'lua_getmetatable', 'lua_gettop'],
      ...['lua_isinteger', 'lua_newthread', 'lua_newuserdatauv', 'lua_next', 'lua_pushboolean', 'lua_pushcclosure', 'lua_pushinteger', 'lua_pushlightuserdata'],
      ...['lua_pushlstring', 'lua_pushnil', 'lua_pushnumber', 'lua_pushvalue', 'lua_rawequal', 'lua_rawget', 'lua_rawgeti', 'lua_rawlen', 'lua_rawset'],
      ...['lua_rawseti', 'lua_rotate', 'lua_setfield', 'lua_setglobal', 'lua_sethook', 'lua_setiuservalue', 'lua_setmetatable', 'lua_settop', 'lua_toboolean'],
      ...['lua_tointegerx', 'lua_tolstring', 'lua_tonumberx', 'lua_topointer', 'lua_touserdata', 'lua_type', 'lua_xmove'],
    ],
    fuel: { stackPointer: 0, dispatch: { function: 575, cases: 82, operands: LUA_JUMPS } },
    sha256: 'dbf5700d5bc2fdebc712eb34202fb96edadc109149379a989106475ea03e7be4',
  },
  javascript: {
    source: 'quickjs-wasi/quickjs.wasm',
    sourceSha256: 'd4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9',
    memory: { initial: 18, maximum: 32_768 },
    exports: [
      ...['memory', '__stack_pointer', '__indirect_function_table', '_initialize', 'wasm_malloc', 'wasm_free'],
      ...['qjs_init2', 'qjs_get_runtime_ptr', 'qjs_get_context_ptr', 'qjs_set_runtime_and_context', 'qjs_set_interrupt_handler', 'qjs_set_memory_limit'],
      ...['qjs_set_promise_rejection_handler', 'qjs_set_module_loader'],
      ...[
        'JS_Call',
        'JS_DefinePropertyValue',
        'JS_DupValue',
        'JS_Eval',
        'JS_EvalFunction',
        'JS_ExecutePendingJob',
        'JS_FreeAtom',
        'JS_FreeValue',
        'JS_FreezeObject',
      ],
      ...['JS_GetException', 'JS_GetGlobalObject', 'JS_GetModuleNamespace', 'JS_GetPropertyStr', 'JS_IsJobPending', 'JS_NewArrayFrom', 'JS_NewAtomLen'],
      ...['JS_NewBigInt64', 'JS_NewCFunctionData2', 'JS_NewClass', 'JS_NewClassID', 'JS_NewObject', 'JS_NewObjectProtoClass', 'JS_NewStringLen'],
      ...[
        'JS_NewUint8ArrayCopy',
        'JS_PreventExtensions',
        'JS_PromiseMarkAsHandled',
        'JS_PromiseResult',
        'JS_PromiseState',
        'JS_ReadObject',
        'JS_RunGC',
        'JS_SetUncatchableError',
        'JS_Throw',
        'JS_WriteObject',
      ],
    ],
    fuel: { stackPointer: 0, skip: [92] },
    sha256: 'a242645660ab39b89d77916b326767ca3eac165df260174feb99e80facaceada',
  },
};

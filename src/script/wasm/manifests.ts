import { MOST_MEMORY_MB } from '../../config/config.ts';
import type { FuelPlan } from './instrument.ts';
import type { MemorySize } from './memories.ts';
import type { StackPlan } from './reshape.ts';

export type EngineName = 'lua' | 'javascript';

/** Everything that is assumed of one binary: where it comes from, what is kept and rewritten, and what must come out. */
export interface Manifest {
  /** The package's file, as an import specifier. */
  readonly source: string;
  readonly sourceSha256: string;
  readonly memory: MemorySize;
  readonly exports: readonly string[];
  readonly stack: StackPlan;
  readonly fuel: FuelPlan;
  /** Of the binary that the rewriter makes. */
  readonly sha256: string;
}

/** Pages of 64 KiB that a memory may have. */
const MOST_PAGES = MOST_MEMORY_MB * 16;

/** Operands in the interpreter's jump table (opcode − 1) that can jump back or call: JMP, EQ … TESTSET, CALL, TAILCALL, FORLOOP, TFORLOOP and their like. */
const LUA_JUMPS = [55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 72, 75, 76];

/**
 * Values that the stack of one Lua thread may hold (LUAI_MAXSTACK, a million as Lua comes), 16 bytes each. Recursion without end is to
 * reach it before it reaches limits.memory_mb, also where that is small: the error of the stack names its line.
 */
export const LUA_SLOTS = 100_000;

/** Functions of QuickJS that recurse with a small frame of their own and a large one of V8's, by what their own lacks. */
const JAVASCRIPT_FRAMES: Readonly<Record<number, number>> = {
  // The parser: unary expressions, member expressions, functions.
  ...{ 1086: 352, 1082: 16, 1000: 256 },
  // Regular expressions: groups, nested sets of characters.
  ...{ 1474: 32, 1484: 32 },
  // JSON, written and read.
  ...{ 933: 48, 940: 32 },
  // Traps of proxies, among them those of proxies around proxies.
  ...{ 181: 32, 219: 16, 488: 16, 689: 256, 911: 64, 913: 64, 914: 48, 915: 16 },
  // The next value of an iterator, helpers of iterators.
  ...{ 252: 48, 1291: 64 },
  // Objects as numbers or texts, arrays as texts, flat.
  ...{ 126: 32, 1274: 64, 1286: 32 },
};

/** The pinned binaries. `npm run wasm -- --pin` prints the hashes of what the installed packages give. */
export const MANIFESTS: Readonly<Record<EngineName, Manifest>> = {
  lua: {
    source: 'wasmoon/dist/glue.wasm',
    sourceSha256: '95f3f19ddb740125883bc41d5ec670cd0828e7b58c8bdad385323cbff497b55c',
    memory: { initial: 28, maximum: MOST_PAGES },
    exports: [
      ...['memory', '__indirect_function_table', '__wasm_call_ctors', 'emscripten_stack_init', 'stackSave', 'stackRestore', 'setThrew', 'malloc', 'free'],
      ...['luaL_newstate', 'luaL_openlibs', 'luaL_loadbufferx', 'luaL_ref', 'luaL_unref', 'luaL_tolstring', 'luaL_traceback', 'luaL_where'],
      ...['lua_callk', 'lua_pcallk', 'lua_error', 'lua_checkstack', 'lua_createtable', 'lua_getglobal', 'lua_getiuservalue', 'lua_getmetatable', 'lua_gettop'],
      ...['lua_isinteger', 'lua_newthread', 'lua_newuserdatauv', 'lua_next', 'lua_pushboolean', 'lua_pushcclosure', 'lua_pushinteger', 'lua_pushlightuserdata'],
      ...['lua_pushlstring', 'lua_pushnil', 'lua_pushnumber', 'lua_pushvalue', 'lua_rawequal', 'lua_rawget', 'lua_rawgeti', 'lua_rawlen', 'lua_rawset'],
      ...['lua_rawseti', 'lua_rotate', 'lua_setfield', 'lua_setglobal', 'lua_sethook', 'lua_setiuservalue', 'lua_setmetatable', 'lua_settop', 'lua_toboolean'],
      ...['lua_tointegerx', 'lua_tolstring', 'lua_tonumberx', 'lua_topointer', 'lua_touserdata', 'lua_type', 'lua_xmove'],
    ],
    stack: {
      stackPointer: 0,
      constants: [
        // luaD_growstack; the first is in bytes.
        { function: 285, value: 16_000_001, times: 1, becomes: 16 * LUA_SLOTS + 1 },
        { function: 285, value: 999_999, times: 1, becomes: LUA_SLOTS - 1 },
        { function: 285, value: 1_000_000, times: 3, becomes: LUA_SLOTS },
        { function: 285, value: 1_000_200, times: 1, becomes: LUA_SLOTS + 200 },
        // luaD_shrinkstack
        { function: 286, value: 999_999, times: 1, becomes: LUA_SLOTS - 1 },
        { function: 286, value: 1_000_000, times: 3, becomes: LUA_SLOTS },
        { function: 286, value: 333_332, times: 1, becomes: Math.floor(LUA_SLOTS / 3) - 1 },
      ],
    },
    // luaV_execute, lua_resume
    fuel: { stackPointer: 0, dispatch: { function: 575, cases: 82, operands: LUA_JUMPS }, runners: [575, 296] },
    sha256: '606bcffcbded69fc6f8478b7c28c0ba4748ed5a91c20da8ee9c9c685b0a6e708',
  },
  javascript: {
    source: 'quickjs-wasi/quickjs.wasm',
    sourceSha256: 'd4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9',
    memory: { initial: 18, maximum: MOST_PAGES },
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
        'JS_NewStringUTF16',
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
    stack: {
      stackPointer: 0,
      frames: JAVASCRIPT_FRAMES,
      // Calls of functions of the script, with all their variables, and of those of the engine and of ours, with missing arguments; bound ones.
      counted: { functions: [92, 554, 555, 556, 558], limit: 644 },
      guards: [{ function: 1291, runtime: 8, limit: 644, done: 4, raise: 95, exception: 6n << 32n }],
    },
    fuel: { stackPointer: 0, skip: [92] },
    sha256: 'dc9e0d5cc1bb22419fae2411db929b218bdba5f5f1a63cb4123aa438ac75a4b4',
  },
};

/** The functions of the QuickJS C API that the engine calls; pointers are numbers, values are NaN-boxed 64-bit integers. */
export interface QuickJSExports {
  readonly memory: WebAssembly.Memory;
  readonly __stack_pointer: WebAssembly.Global<'i32'>;
  readonly __indirect_function_table: WebAssembly.Table;
  readonly __fuel: WebAssembly.Global<'i32'>;
  readonly __fuel_reset: WebAssembly.Global<'i32'>;
  readonly __fuel_slot: WebAssembly.Table;
  _initialize(): void;
  qjs_init2(intrinsics: number): number;
  qjs_get_runtime_ptr(): number;
  qjs_get_context_ptr(): number;
  qjs_set_runtime_and_context(runtime: number, context: number): void;
  qjs_set_interrupt_handler(on: number): void;
  qjs_set_promise_rejection_handler(on: number): void;
  qjs_set_module_loader(on: number): void;
  qjs_set_memory_limit(bytes: number): void;
  wasm_malloc(size: number): number;
  wasm_free(pointer: number): void;
  JS_Call(context: number, fn: bigint, self: bigint, count: number, args: number): bigint;
  JS_DefinePropertyValue(context: number, object: bigint, atom: number, value: bigint, flags: number): number;
  JS_DupValue(context: number, value: bigint): bigint;
  JS_Eval(context: number, text: number, size: number, name: number, flags: number): bigint;
  JS_EvalFunction(context: number, fn: bigint): bigint;
  JS_FreeAtom(context: number, atom: number): void;
  JS_FreeValue(context: number, value: bigint): void;
  JS_FreezeObject(context: number, object: bigint): number;
  JS_GetException(context: number): bigint;
  JS_GetGlobalObject(context: number): bigint;
  JS_GetModuleNamespace(context: number, module: number): bigint;
  JS_GetPropertyStr(context: number, object: bigint, name: number): bigint;
  JS_IsJobPending(runtime: number): number;
  JS_NewArrayFrom(context: number, count: number, values: number): bigint;
  JS_NewAtomLen(context: number, text: number, size: number): number;
  JS_NewBigInt64(context: number, value: bigint): bigint;
  JS_NewCFunctionData2(context: number, fn: number, name: number, length: number, magic: number, count: number, data: number): bigint;
  JS_NewClass(runtime: number, id: number, definition: number): number;
  JS_NewClassID(runtime: number, id: number): number;
  JS_NewObject(context: number): bigint;
  JS_NewObjectProtoClass(context: number, prototype: bigint, id: number): bigint;
  JS_NewStringLen(context: number, text: number, size: number): bigint;
  JS_NewStringUTF16(context: number, units: number, count: number): bigint;
  JS_NewUint8ArrayCopy(context: number, bytes: number, size: number): bigint;
  JS_PreventExtensions(context: number, object: bigint): number;
  JS_PromiseMarkAsHandled(context: number, promise: bigint): void;
  JS_PromiseResult(context: number, promise: bigint): bigint;
  JS_PromiseState(context: number, promise: bigint): number;
  JS_ReadObject(context: number, bytes: number, size: number, flags: number): bigint;
  JS_RunGC(runtime: number): void;
  JS_SetUncatchableError(context: number, error: bigint): void;
  JS_Throw(context: number, value: bigint): bigint;
  JS_WriteObject(context: number, size: number, value: bigint, flags: number): number;
}

/** Upper half of a value, signed; any other number is the upper half of a double, less `DOUBLE`. */
export const TAG = {
  bigint: -9,
  symbol: -8,
  string: -7,
  rope: -6,
  module: -3,
  object: -1,
  int: 0,
  boolean: 1,
  null: 2,
  undefined: 3,
  uninitialized: 4,
  exception: 6,
  shortBigint: 7,
} as const;

/** What the engine takes from the upper half of a double. */
export const DOUBLE = 0x7ff8000a;

/** A value of no reference: its tag and its lower half. */
export function immediate(tag: number, low = 0): bigint {
  return (BigInt(tag) << 32n) | BigInt(low >>> 0);
}

export const UNDEFINED = immediate(TAG.undefined);
export const NULL = immediate(TAG.null);
export const EXCEPTION = immediate(TAG.exception);

/** The tag of a value. */
export function tagOf(value: bigint): number {
  return Number(value >> 32n);
}

/** The object, string or module that a value points to. */
export function pointerOf(value: bigint): number {
  return Number(value & 0xffffffffn);
}

/** The value of an object. */
export function objectValue(pointer: number): bigint {
  return immediate(TAG.object, pointer);
}

/** Numbers of the engine's own classes of objects. */
export const CLASS = { object: 1, array: 2, error: 3, date: 10, uint8Array: 24, proxy: 51, promise: 52 } as const;
/** Classes that are called. */
export const FUNCTION_CLASSES: ReadonlySet<number> = new Set([12, 13, 14, 15, 17, 55, 59]);

/** Offsets inside the engine's structures, bytes; the probe checks them. */
export const RUNTIME = { atoms: 568, stackLimit: 644, frame: 660 } as const;
export const CONTEXT = { random: 280, polls: 292, modules: 296 } as const;
/** Modules are linked in a list that the context begins. */
export const MODULE = { name: 0, link: 4, next: 8, status: 92 } as const;
/** How far a module is, the highest byte of its status word: from here on anybody may import it. */
export const EVALUATING_ASYNC = 4;
export const OBJECT = { flags: 8, classId: 10, shape: 12, properties: 16, data: 24, values: 28, count: 32 } as const;
export const SHAPE = { mask: 16, count: 24, prototype: 36, table: 40 } as const;
export const STRING = { length: 0, kind: 4, data: 24, sliceOf: 24, sliceStart: 28 } as const;
export const ROPE = { wide: 4, left: 8, right: 16 } as const;

export const EVAL = { module: 1, compileOnly: 32, async: 128 } as const;
/** Flags of objects as bytes: code; and without the text that it was made of. */
export const BYTECODE = { code: 1, withoutSource: 16 } as const;
export const PROMISE = { pending: 0, fulfilled: 1, rejected: 2 } as const;
/** Property flags: enumerable only, and nothing at all. */
export const PROPERTY = { readonlyShown: 4, hidden: 0, writableHidden: 3, plain: 7 } as const;

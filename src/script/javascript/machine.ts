import { ScriptError } from '../../errors.ts';
import type { Outcome } from '../instance.ts';
import { STACK_ALIGNMENT, STACK_BYTES } from '../limits.ts';
import { applyImage, type MemoryImage } from '../wasm/image.ts';
import { letGo } from '../wasm/let-go.ts';
import { type EngineModules, loadEngine } from '../wasm/load.ts';
import { type QuickJSExports, RUNTIME } from './exports.ts';
import { Heap } from './heap.ts';

/** What the engine asks of its host. */
export interface MachineHooks {
  /** A method is called; 1 means that its answer must be waited for. */
  call(cell: number, count: number, args: number, index: number): number;
  wait(): Promise<Outcome>;
  /** The wait has ended: its outcome goes to the cell, but for 1, which waits again. */
  finish(cell: number, outcome: Outcome): number;
  /** The collector frees a handle. */
  finalize(object: number): void;
  /** Fuel is used up. */
  tick(): 0 | 1;
  /** The interpreter asks: 0 go on, 1 pause, 2 interrupt. */
  look(): 0 | 1 | 2;
  pause(): Promise<void>;
  /** A job has ended while some module's body was running. */
  loaded(): void;
  now(): number;
  rejection(promise: number, reason: number, handled: boolean): void;
  /**
   * The name of a module that another one imports, and its text, as addresses of memory that the engine frees; 0 when an exception is pending.
   * The name may be -1: wait, and ask again with how that ended.
   */
  moduleName(from: number, specifier: number, waited: Outcome | null): number;
  moduleText(name: number, size: number): number;
}

/** The hooks of a machine that no script runs on: whatever it asks for is refused. */
export function withoutHost(refuse: () => never): MachineHooks {
  return {
    call: refuse,
    wait: refuse,
    finish: refuse,
    finalize: refuse,
    tick: () => 0,
    look: () => 0,
    pause: refuse,
    loaded: refuse,
    now: () => 0,
    rejection: refuse,
    moduleName: refuse,
    moduleText: refuse,
  };
}

/** A base context's memory and what must be known to go on from it. */
export interface MachineImage {
  readonly memory: MemoryImage;
  readonly runtime: number;
  readonly context: number;
  readonly stackTop: number;
}

interface Linker {
  readonly host_fn: WebAssembly.ExportValue;
  readonly finalizer: WebAssembly.ExportValue;
  readonly csf: WebAssembly.Global<'i32'>;
  readonly loading: WebAssembly.Global<'i32'>;
  readonly module_normalize: WebAssembly.ExportValue;
  run_jobs(runtime: number, cell: number, most: number): number;
}

/** All optional parts of the language but WeakRef with FinalizationRegistry, and performance. */
const INTRINSICS = 0x1fff & ~(1 << 9) & ~(1 << 10);
/** A shadow stack's last bytes, which the engine keeps for itself to report that it is full. */
const MARGIN = 8_192;
/** What engine functions that the host calls have of the binary's own stack, which begins at address 0; the rest of it serves fibers. */
const HOST_BYTES = 65_536;

/** One engine, linked with its host: fresh, or going on from an image. */
export class Machine {
  readonly x: QuickJSExports;
  readonly heap: Heap;
  readonly runtime: number;
  readonly context: number;
  readonly stackTop: number;
  /** Slots of our functions in the engine's table; the same in every instance. */
  readonly hostFunction: number;
  readonly finalizer: number;
  readonly #linker: Linker;
  /** Leaves the memory to another context where nothing can enter this one again, else lets it go. */
  readonly release: (empty: boolean) => void;
  #promising: Promising | undefined;

  constructor(hooks: MachineHooks, image?: MachineImage, engine: EngineModules = loadEngine('javascript')) {
    const { linkers } = engine;
    const memory = engine.memories.take(image?.memory.length);
    this.release = (empty) => (image && empty ? engine.memories.give(memory, image.memory.length) : letGo(memory));
    const pause = new WebAssembly.Suspending(() => hooks.pause());
    const before = new WebAssembly.Instance(linkers.first, { host: { tick: () => hooks.look(), pause } }).exports;
    const x = new WebAssembly.Instance(engine.module, {
      host: { memory },
      env: {
        host_interrupt: before.host_interrupt as WebAssembly.ImportValue,
        host_get_timezone_offset: () => 0,
        host_promise_rejection: (promise: number, reason: number, handled: number) => hooks.rejection(promise, reason, handled !== 0),
        host_module_normalize: before.module_normalize as WebAssembly.ImportValue,
        host_module_load: (name: number, size: number) => hooks.moduleText(name, size),
        host_call: () => 0,
      },
      wasi_snapshot_preview1: {
        clock_time_get: (_clock: number, _precision: bigint, at: number) => {
          new DataView(memory.buffer).setBigInt64(at, BigInt(Math.round(hooks.now() * 1e6)), true);
          return 0;
        },
        random_get: () => 52,
        fd_close: () => 52,
        fd_fdstat_get: () => 52,
        fd_seek: () => 52,
        fd_write: () => 52,
      },
    }).exports as unknown as QuickJSExports;
    this.x = x;
    this.#linker = new WebAssembly.Instance(linkers.second, {
      q: x as unknown as WebAssembly.ModuleImports,
      host: {
        call: (_context: number, cell: number, count: number, args: number, index: number) => hooks.call(cell, count, args, index),
        wait: new WebAssembly.Suspending(() => hooks.wait()),
        finish: (cell: number, outcome: Outcome) => hooks.finish(cell, outcome),
        finalize: (object: number) => hooks.finalize(object),
        module: (from: number, specifier: number, waited: Outcome | null) => hooks.moduleName(from, specifier, waited),
        loaded: () => hooks.loaded(),
      },
    }).exports as Linker;
    (before.slots as WebAssembly.Table).set(0, this.#linker.module_normalize);
    this.hostFunction = x.__indirect_function_table.grow(2);
    this.finalizer = this.hostFunction + 1;
    x.__indirect_function_table.set(this.hostFunction, this.#linker.host_fn);
    x.__indirect_function_table.set(this.finalizer, this.#linker.finalizer);
    x.__fuel_slot.set(0, new WebAssembly.Instance(linkers.tick, { host: { tick: () => hooks.tick(), pause } }).exports.tick);
    if (image) restore(x, image);
    else start(x);
    this.runtime = image?.runtime ?? x.qjs_get_runtime_ptr();
    this.context = image?.context ?? x.qjs_get_context_ptr();
    this.stackTop = image?.stackTop ?? x.__stack_pointer.value;
    this.#linker.csf.value = this.runtime + RUNTIME.frame;
    this.heap = new Heap(x.memory, this.runtime);
    this.toMain();
  }

  /** Calls of the engine on a fiber, which can be paused and can wait. */
  get promising(): Promising {
    this.#promising ??= {
      compile: WebAssembly.promising(this.x.JS_Eval),
      evaluate: WebAssembly.promising(this.x.JS_EvalFunction),
      call: WebAssembly.promising(this.x.JS_Call),
      free: WebAssembly.promising(this.x.JS_FreeValue),
      runJobs: WebAssembly.promising(this.#linker.run_jobs),
    };
    return this.#promising;
  }

  /** Whether the host wants to be told of the end of each job. */
  set tellsOfJobs(tells: boolean) {
    this.#linker.loading.value = tells ? 1 : 0;
  }

  /** Makes the main shadow stack current, for engine functions that the host calls from the event loop. */
  toMain(): void {
    this.#stack(this.stackTop, this.stackTop - HOST_BYTES + MARGIN);
  }

  /** Where the shadow stacks of the first fibers are: below the host's, in memory that is there anyway. */
  ownStacks(): number[] {
    const count = Math.floor((this.stackTop - HOST_BYTES) / STACK_BYTES.javascript);
    return Array.from({ length: count }, (_, i) => i * STACK_BYTES.javascript);
  }

  /** Memory for one more fiber's shadow stack, aligned as C wants it. */
  allocateStack(): number {
    const region = this.x.wasm_malloc(STACK_BYTES.javascript + STACK_ALIGNMENT);
    if (region === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for another fiber');
    return Math.ceil(region / STACK_ALIGNMENT) * STACK_ALIGNMENT;
  }

  /** Makes a fiber's shadow stack current, with no frame of the script below. */
  toFiber(region: number): void {
    this.#stack(region + STACK_BYTES.javascript, region + MARGIN);
  }

  #stack(top: number, limit: number): void {
    this.x.__stack_pointer.value = top;
    this.heap.setWord(this.runtime + RUNTIME.frame, 0);
    this.heap.setWord(this.runtime + RUNTIME.stackLimit, limit);
  }
}

interface Promising {
  compile(context: number, text: number, size: number, name: number, flags: number): Promise<bigint>;
  evaluate(context: number, compiled: bigint): Promise<bigint>;
  call(context: number, fn: bigint, self: bigint, count: number, args: number): Promise<bigint>;
  free(context: number, value: bigint): Promise<void>;
  runJobs(runtime: number, cell: number, most: number): Promise<number>;
}

function start(x: QuickJSExports): void {
  x._initialize();
  if (x.qjs_init2(INTRINSICS) !== 0) throw new ScriptError('INTERNAL', 'the JavaScript engine does not start');
  x.qjs_set_interrupt_handler(1);
  x.qjs_set_promise_rejection_handler(1);
  x.qjs_set_module_loader(1);
}

function restore(x: QuickJSExports, image: MachineImage): void {
  applyImage(x.memory, image.memory);
  x.qjs_set_runtime_and_context(image.runtime, image.context);
  x.__stack_pointer.value = image.stackTop;
}

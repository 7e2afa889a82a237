import { ScriptError } from '../../errors.ts';
import type { Outcome } from '../instance.ts';
import { STACK_ALIGNMENT } from '../limits.ts';
import { applyImage } from '../wasm/image.ts';
import { letGo } from '../wasm/let-go.ts';
import { type EngineModules, loadEngine } from '../wasm/load.ts';
import type { LuaExports } from './exports.ts';
import type { LuaImage } from './image.ts';
import { LuaMemory, MOST_ARGUMENTS } from './memory.ts';

/** What the engine asks of its instance. */
export interface LuaHost {
  readonly image: LuaImage;
  /** The heap's cap, bytes, beyond what the image and the fibers' stacks take. */
  readonly memoryBytes: number;
  now(): number;
  /** A host function of that number with so many arguments was called; those at `memory.values` are read already. */
  call(L: number, index: number, count: number): number;
  wait(): Promise<Outcome>;
  finish(L: number, outcome: Outcome): number;
  interrupt(L: number): number;
  tick(): 0 | 1;
  pause(): Promise<void>;
}

type Pcall = (L: number, args: number, results: number, handler: number, context: number, k: number) => Promise<number>;
type Load = (L: number, text: number, size: number, name: number, mode: number) => Promise<number>;

/** The wasm modules of one Lua state, linked; from an image, or fresh to make one. */
export class LuaMachine {
  readonly x: LuaExports;
  readonly memory: LuaMemory;
  /** Slots in the function table: what every host function is, and the count hook of interrupts. */
  readonly hostFunction: number;
  readonly hook: number;
  /** Lists of numbers in one call each way; see the linker. */
  readonly readNumbers: ReadNumbers;
  readonly writeNumbers: WriteNumbers;
  /** Small tables in one call each way, as cells; see the linker. */
  readonly readSmall: ReadSmall;
  readonly writeSmall: WriteSmall;
  /** `lua_pushinteger`, `lua_rawgeti` and `lua_rawseti` with plain numbers. */
  readonly pushInteger: (L: number, value: number) => void;
  readonly rawgeti: (L: number, index: number, key: number) => number;
  readonly rawseti: (L: number, index: number, key: number) => void;
  #maxBytes: number;
  /** Leaves the memory to another context where nothing can enter this one again, else lets it go. */
  readonly release: (empty: boolean) => void;
  readonly #pcall: Pcall;
  readonly #load: Load;

  constructor(host?: LuaHost, engine: EngineModules = loadEngine('lua')) {
    this.#maxBytes = host ? host.memoryBytes : 64 * 2 ** 20;
    const wasm = engine.memories.take(host?.image.memory.length);
    this.release = (empty) => (host && empty ? engine.memories.give(wasm, host.image.memory.length) : letGo(wasm));
    const first = new WebAssembly.Instance(engine.linkers.first, {}).exports as LinkExports;
    const instance = new WebAssembly.Instance(engine.module, this.#imports(first, wasm, host?.now ?? (() => 0)));
    this.x = instance.exports as LuaExports;
    const { x } = this;
    const second = new WebAssembly.Instance(engine.linkers.second, {
      first,
      lua: instance.exports,
      host: {
        call: host ? (L: number, index: number, count: number) => host.call(L, index, count) : unreachable,
        wait: new WebAssembly.Suspending(host ? () => host.wait() : unreachable),
        finish: host ? (L: number, outcome: Outcome) => host.finish(L, outcome) : unreachable,
        interrupt: host ? (L: number) => host.interrupt(L) : unreachable,
      },
    }).exports as LinkExports;
    first.slots.set(0, second.invoke_vii);
    const table = x.__indirect_function_table;
    this.hostFunction = table.grow(2);
    this.hook = this.hostFunction + 1;
    table.set(this.hostFunction, second.host_fn);
    table.set(this.hook, second.hook);
    if (host) {
      const { image } = host;
      this.#maxBytes += image.memory.length;
      applyImage(x.memory, image.memory);
      x.emscripten_stack_init();
      x.stackRestore(image.stackTop);
      const tick = new WebAssembly.Instance(engine.linkers.tick, { host: { tick: () => host.tick(), pause: new WebAssembly.Suspending(() => host.pause()) } })
        .exports as LinkExports;
      x.__fuel_slot.set(0, tick.tick);
    } else x.__wasm_call_ctors();
    this.memory = new LuaMemory(x, host?.image.block);
    second.values.value = this.memory.values;
    second.kinds.value = this.memory.values + 8 * MOST_ARGUMENTS;
    this.readNumbers = second.read_numbers;
    this.writeNumbers = second.write_numbers;
    this.readSmall = second.read_small;
    this.writeSmall = second.write_small;
    this.pushInteger = second.push_integer;
    this.rawgeti = second.rawgeti;
    this.rawseti = second.rawseti;
    this.#pcall = WebAssembly.promising(x.lua_pcallk);
    this.#load = WebAssembly.promising(x.luaL_loadbufferx);
  }

  /** The `lua_State` that runs, or whose call into C code of the library does. */
  get running(): number {
    return this.x.__running.value;
  }

  /** Memory for a fiber's shadow stack, aligned as C wants it (printf goes wrong otherwise); the heap's cap grows with it. */
  allocateStack(bytes: number): number {
    this.#maxBytes += bytes;
    const region = this.x.malloc(bytes + STACK_ALIGNMENT);
    if (!region) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for another fiber');
    return Math.ceil(region / STACK_ALIGNMENT) * STACK_ALIGNMENT;
  }

  /** `lua_pcallk` with one result, the message handler at index 1, on the shadow stack that ends at `top`. */
  pcall(top: number, L: number, args: number): Promise<number> {
    this.#begin(top, L);
    return this.#pcall(L, args, 1, 1, 0, 0);
  }

  /** Compiles a text chunk on that shadow stack. */
  load(top: number, L: number, text: { pointer: number; size: number }, name: number): Promise<number> {
    this.#begin(top, L);
    return this.#load(L, text.pointer, text.size, name, 0);
  }

  #begin(top: number, L: number): void {
    this.x.stackRestore(top);
    this.x.__running.value = L;
  }

  #imports(first: LinkExports, memory: WebAssembly.Memory, now: () => number): WebAssembly.Imports {
    const none = () => 0;
    const abort = () => {
      throw new WebAssembly.RuntimeError('the Lua engine aborted');
    };
    const env: Record<string, WebAssembly.ImportValue> = {
      abort,
      exit: abort,
      invoke_vii: first.invoke_vii,
      _emscripten_throw_longjmp: first.throw_longjmp,
      emscripten_date_now: now,
      emscripten_resize_heap: (wanted: number) => this.#grow(wanted >>> 0),
    };
    const named = [
      'strftime',
      'system',
      '_emscripten_get_now_is_monotonic',
      '__syscall_openat',
      '__syscall_fcntl64',
      '__syscall_ioctl',
      '__syscall_dup3',
      '_mktime_js',
      '_localtime_js',
      '_gmtime_js',
      '__syscall_unlinkat',
      '__syscall_rmdir',
      '__syscall_renameat',
      '__syscall_readlinkat',
      '_tzset_js',
    ];
    for (const name of named) env[name] = none;
    const sizes = (count: number, bytes: number) => {
      const view = new DataView(memory.buffer);
      view.setUint32(count, 0, true);
      view.setUint32(bytes, 0, true);
      return 0;
    };
    return {
      host: { memory },
      env,
      wasi_snapshot_preview1: { fd_write: none, fd_read: none, fd_close: none, fd_seek: none, environ_get: none, environ_sizes_get: sizes },
    };
  }

  /** The heap grows by a fifth at a time up to its cap; refusal is Lua's own memory error. */
  #grow(wanted: number): number {
    const { memory } = this.x;
    const now = memory.buffer.byteLength;
    if (wanted > this.#maxBytes) return 0;
    const target = Math.min(this.#maxBytes, Math.max(wanted, now * 1.2));
    try {
      memory.grow(Math.max(1, Math.ceil((target - now) / 65_536)));
      return 1;
    } catch {
      return 0;
    }
  }
}

type ReadNumbers = (L: number, index: number, at: number, kinds: number, least: number, most: number) => number;
type WriteNumbers = (L: number, at: number, kinds: number, count: number) => void;
type ReadSmall = (L: number, index: number, at: number, bytes: number, arrayAddress: number, depth: number) => number;
type WriteSmall = (L: number, at: number, arrayRef: number) => number;

interface LinkExports extends WebAssembly.Exports {
  readonly invoke_vii: (fn: number, a: number, b: number) => void;
  readonly throw_longjmp: () => void;
  readonly slots: WebAssembly.Table;
  readonly host_fn: (L: number) => number;
  readonly hook: (L: number, info: number) => void;
  readonly values: WebAssembly.Global<'i32'>;
  readonly kinds: WebAssembly.Global<'i32'>;
  readonly read_numbers: ReadNumbers;
  readonly write_numbers: WriteNumbers;
  readonly read_small: ReadSmall;
  readonly write_small: WriteSmall;
  readonly push_integer: LuaMachine['pushInteger'];
  readonly rawgeti: LuaMachine['rawgeti'];
  readonly rawseti: LuaMachine['rawseti'];
  readonly tick: () => void;
}

function unreachable(): never {
  throw new WebAssembly.RuntimeError('the image called its host');
}

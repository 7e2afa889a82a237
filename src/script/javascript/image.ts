import { readFileSync } from 'node:fs';
import type { BoundGlobal, Entry, MethodTable } from '../../call/dispatch.ts';
import type { HandleType } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { Steps } from '../steps.ts';
import { captureImage } from '../wasm/image.ts';
import { keptImage } from '../wasm/kept.ts';
import { BYTECODE, EVAL, PROPERTY, pointerOf, TAG, tagOf, UNDEFINED } from './exports.ts';
import { Machine, type MachineImage, withoutHost } from './machine.ts';
import type { Prototypes } from './read.ts';
import { SCRATCH_BYTES } from './scratch.ts';
import { PRELUDE_NAME } from './trace.ts';
import { Writer } from './write.ts';

/** The prelude's own functions have numbers behind all methods. */
export const INTERNALS = { print: 0xffff, fill: 0xfffe } as const;

/** A context with all globals, from which each run's context starts. */
export interface JavaScriptImage {
  readonly machine: MachineImage;
  readonly prototypes: Prototypes;
  readonly errorPrototype: bigint;
  /** The prelude's function that makes a value readable. */
  readonly show: bigint;
  /** Function (object, id) that makes an object lazy. */
  readonly lazy: bigint;
  /** Function (text, piece) that joins two texts. */
  readonly join: bigint;
  readonly handleClass: number;
  readonly handlePrototypes: ReadonlyMap<HandleType, bigint>;
  /** Memory for texts and arguments; its first sixteen bytes are the cell for single values. */
  readonly scratch: number;
}

/** Free memory in the image, so that a small script's context never grows: growing costs, and a memory that has grown serves no other. */
const ROOM_BYTES = 512 * 1024;

/** What is made once, and kept: no part of it belongs to one process. */
interface Made extends Omit<JavaScriptImage, 'handlePrototypes'> {
  /** In the order of the table's handles. */
  readonly handlePrototypes: readonly bigint[];
}

const refuse = () => {
  throw new ScriptError('INTERNAL', 'a call while the base image is made');
};

/** The base image of a method table. */
export function createJavaScriptImage(table: MethodTable): JavaScriptImage {
  const made = keptImage('javascript', table, [PRELUDE, make, captureImage, Builder, Machine, Writer], () => make(table));
  return { ...made, handlePrototypes: new Map(table.handles.map(({ type }, i) => [type, made.handlePrototypes[i] as bigint])) };
}

function make(table: MethodTable): Made {
  // What compiling leaves in memory is left in a machine of its own.
  const prelude = new Builder().compile(PRELUDE, PRELUDE_NAME);
  const builder = new Builder();
  const { machine, writer, scratch } = builder;
  const { x, context } = machine;
  const shared = builder.prelude(prelude);
  const handleClass = builder.handleClass();
  const handlePrototypes = table.handles.map(({ type, methods }) =>
    builder.call(shared.handlePrototype, writer.scratch.text(type.name), builder.methods(methods)),
  );
  for (const global of table.globals('javascript')) builder.global(global);
  x.JS_RunGC(machine.runtime);
  const room = x.wasm_malloc(ROOM_BYTES);
  // What the allocator wrote there, at the ends of memory as it grew, is nothing any more.
  builder.machine.heap.bytes.fill(0, room, room + ROOM_BYTES);
  x.wasm_free(room);
  return {
    machine: { memory: captureImage(x.memory), runtime: machine.runtime, context, stackTop: machine.stackTop },
    prototypes: { object: pointerOf(shared.objectPrototype), array: pointerOf(shared.arrayPrototype), lazyHandler: pointerOf(shared.lazyHandler) },
    show: shared.show,
    errorPrototype: shared.errorPrototype,
    lazy: shared.lazy,
    join: shared.join,
    handleClass,
    handlePrototypes,
    scratch,
  };
}

const SHARED = ['objectPrototype', 'arrayPrototype', 'errorPrototype', 'handlePrototype', 'show', 'lazy', 'join', 'lazyHandler'] as const;

/** Engine calls that make a base context in a machine of its own. */
class Builder {
  readonly machine = new Machine(withoutHost(refuse));
  readonly scratch: number;
  readonly writer: Writer;

  constructor() {
    const { x, heap, context } = this.machine;
    this.scratch = x.wasm_malloc(SCRATCH_BYTES);
    this.writer = new Writer(x, heap, context, this.scratch, { handle: refuse, callback: refuse, lazy: refuse, join: UNDEFINED }, new Steps(() => false));
  }

  /** The code of a script, without its text: each function would keep its own part of it. */
  compile(text: string, name: string): Uint8Array {
    const { x, context, heap } = this.machine;
    const source = this.#bytes(Buffer.from(`${text}\0`));
    const title = this.#bytes(Buffer.from(`${name}\0`));
    const code = this.#checked(x.JS_Eval(context, source.pointer, Buffer.byteLength(text), title.pointer, EVAL.compileOnly));
    const written = x.JS_WriteObject(context, this.scratch, code, BYTECODE.code | BYTECODE.withoutSource);
    if (written === 0) throw new ScriptError('INTERNAL', 'the JavaScript prelude cannot be written as code');
    return heap.bytes.slice(written, written + heap.word(this.scratch));
  }

  /** Runs the prelude and gives what the engine keeps of it. */
  prelude(code: Uint8Array): Record<(typeof SHARED)[number], bigint> {
    const { x, context } = this.machine;
    const bytes = this.#bytes(code);
    const read = this.#checked(x.JS_ReadObject(context, bytes.pointer, code.length, BYTECODE.code));
    bytes.free();
    const main = this.#checked(x.JS_EvalFunction(context, read));
    const host = this.#checked(x.JS_NewObject(context));
    for (const [key, index] of Object.entries(INTERNALS)) this.writer.define(host, key, this.#function(key, 0, index));
    const result = this.call(main, host);
    return Object.fromEntries(SHARED.map((key) => [key, this.#property(result, key)])) as Record<(typeof SHARED)[number], bigint>;
  }

  /** Registers the class of handles: its objects are told to the host when they are freed. */
  handleClass(): number {
    const { x, runtime, heap, finalizer } = this.machine;
    const memory = this.#bytes(new Uint8Array(64));
    const [id, definition, name] = [memory.pointer, memory.pointer + 8, memory.pointer + 32];
    heap.bytes.latin1Write('Handle\0', name);
    heap.setWord(definition, name);
    heap.setWord(definition + 4, finalizer);
    const number = x.JS_NewClassID(runtime, id);
    if (x.JS_NewClass(runtime, number, definition) !== 0) throw new ScriptError('INTERNAL', 'the class of handles cannot be made');
    memory.free();
    return number;
  }

  /** Puts one global in its place: an object of methods, or the function itself with its methods. */
  global({ name, callable, methods }: BoundGlobal): void {
    const { x, context } = this.machine;
    const object = callable ? this.#method(name, callable) : this.#checked(x.JS_NewObject(context));
    for (const [method, entry] of methods) this.writer.define(object, method, this.#method(method, entry));
    this.writer.define(x.JS_GetGlobalObject(context), name, this.#frozen(object), PROPERTY.writableHidden);
  }

  methods(methods: readonly (readonly [string, Entry])[]): bigint {
    const { x, context } = this.machine;
    const object = this.#checked(x.JS_NewObject(context));
    for (const [method, entry] of methods) this.writer.define(object, method, this.#method(method, entry));
    return object;
  }

  /** Calls a function of the prelude; the value stays referenced for good. */
  call(fn: bigint, ...args: bigint[]): bigint {
    const { x, context, heap } = this.machine;
    args.forEach((arg, i) => heap.setValue(this.scratch + 16 + i * 8, arg));
    return this.#checked(x.JS_Call(context, fn, UNDEFINED, args.length, this.scratch + 16));
  }

  #method(name: string, entry: Entry): bigint {
    return this.#function(name, entry.parameterNames.length, entry.index);
  }

  #function(name: string, length: number, index: number): bigint {
    const { x, context, hostFunction } = this.machine;
    const text = this.#bytes(Buffer.from(`${name}\0`));
    const fn = this.#checked(x.JS_NewCFunctionData2(context, hostFunction, text.pointer, length, index, 0, 0));
    text.free();
    return fn;
  }

  #frozen(object: bigint): bigint {
    this.machine.x.JS_FreezeObject(this.machine.context, object);
    return object;
  }

  #property(object: bigint, name: string): bigint {
    const { x, context } = this.machine;
    const text = this.#bytes(Buffer.from(`${name}\0`));
    const value = this.#checked(x.JS_GetPropertyStr(context, object, text.pointer));
    text.free();
    return value;
  }

  #bytes(bytes: Uint8Array): { pointer: number; free: () => void } {
    const memory = this.writer.scratch.reserve(bytes.length);
    this.machine.heap.bytes.set(bytes, memory.pointer);
    return memory;
  }

  #checked(value: bigint): bigint {
    if (tagOf(value) !== TAG.exception) return value;
    const { x, context, heap } = this.machine;
    const error = pointerOf(x.JS_GetException(context));
    throw new ScriptError('INTERNAL', `the JavaScript prelude failed: ${heap.inheritedText(error, 'message')}`);
  }
}

const PRELUDE = readFileSync(new URL('./prelude.js', import.meta.url), 'utf8');

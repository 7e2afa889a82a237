import { readFileSync } from 'node:fs';
import type { BoundGlobal, Entry, MethodTable } from '../../call/dispatch.ts';
import type { HandleType } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { Steps } from '../steps.ts';
import { captureImage } from '../wasm/image.ts';
import { keptImage } from '../wasm/kept.ts';
import { PROPERTY, pointerOf, TAG, tagOf, UNDEFINED } from './exports.ts';
import { Machine, type MachineImage } from './machine.ts';
import type { Prototypes } from './read.ts';
import { PRELUDE_NAME } from './trace.ts';
import { SCRATCH_BYTES, Writer } from './write.ts';

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
  const machine = new Machine({
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
  });
  const { x, context, heap } = machine;
  const scratch = x.wasm_malloc(SCRATCH_BYTES);
  const writer = new Writer(x, heap, context, scratch, { handle: refuse, callback: refuse, lazy: refuse }, new Steps(() => false));
  const builder = new Builder(machine, writer, scratch);
  const shared = builder.prelude();
  const handleClass = builder.handleClass();
  const handlePrototypes = table.handles.map(({ type, methods }) => builder.call(shared.handlePrototype, writer.text(type.name), builder.methods(methods)));
  for (const global of table.globals('javascript')) builder.global(global);
  x.JS_RunGC(machine.runtime);
  x.wasm_free(x.wasm_malloc(ROOM_BYTES));
  return {
    machine: { memory: captureImage(x.memory), runtime: machine.runtime, context, stackTop: machine.stackTop },
    prototypes: { object: pointerOf(shared.objectPrototype), array: pointerOf(shared.arrayPrototype), lazyHandler: pointerOf(shared.lazyHandler) },
    show: shared.show,
    errorPrototype: shared.errorPrototype,
    lazy: shared.lazy,
    handleClass,
    handlePrototypes,
    scratch,
  };
}

const SHARED = ['objectPrototype', 'arrayPrototype', 'errorPrototype', 'handlePrototype', 'show', 'lazy', 'lazyHandler'] as const;

/** Engine calls that make the base context. */
class Builder {
  readonly #machine: Machine;
  readonly #writer: Writer;
  readonly #scratch: number;

  constructor(machine: Machine, writer: Writer, scratch: number) {
    this.#machine = machine;
    this.#writer = writer;
    this.#scratch = scratch;
  }

  /** Runs the prelude and gives what the engine keeps of it. */
  prelude(): Record<(typeof SHARED)[number], bigint> {
    const { x, context } = this.#machine;
    const text = this.#writer.reserve(0x10000);
    const size = this.#machine.heap.bytes.utf8Write(`${PRELUDE}\0`, text.pointer) - 1;
    const name = this.#writer.reserve(PRELUDE_NAME.length + 1);
    this.#machine.heap.bytes.latin1Write(`${PRELUDE_NAME}\0`, name.pointer);
    const main = this.#checked(x.JS_Eval(context, text.pointer, size, name.pointer, 0));
    name.free();
    text.free();
    const host = this.#checked(x.JS_NewObject(context));
    for (const [key, index] of Object.entries(INTERNALS)) this.#writer.define(host, key, this.#function(key, 0, index));
    const result = this.call(main, host);
    return Object.fromEntries(SHARED.map((key) => [key, this.#property(result, key)])) as Record<(typeof SHARED)[number], bigint>;
  }

  /** Registers the class of handles: its objects are told to the host when they are freed. */
  handleClass(): number {
    const { x, runtime, heap, finalizer } = this.#machine;
    const memory = this.#writer.reserve(64);
    const [id, definition, name] = [memory.pointer, memory.pointer + 8, memory.pointer + 32];
    for (let at = memory.pointer; at < memory.pointer + 64; at += 4) heap.setWord(at, 0);
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
    const { x, context } = this.#machine;
    const object = callable ? this.#method(name, callable) : this.#checked(x.JS_NewObject(context));
    for (const [method, entry] of methods) this.#writer.define(object, method, this.#frozen(this.#method(method, entry)));
    this.#writer.define(x.JS_GetGlobalObject(context), name, this.#frozen(object), PROPERTY.writableHidden);
  }

  methods(methods: readonly (readonly [string, Entry])[]): bigint {
    const { x, context } = this.#machine;
    const object = this.#checked(x.JS_NewObject(context));
    for (const [method, entry] of methods) this.#writer.define(object, method, this.#frozen(this.#method(method, entry)));
    return object;
  }

  /** Calls a function of the prelude; the value stays referenced for good. */
  call(fn: bigint, ...args: bigint[]): bigint {
    const { x, context, heap } = this.#machine;
    args.forEach((arg, i) => heap.setValue(this.#scratch + 16 + i * 8, arg));
    return this.#checked(x.JS_Call(context, fn, UNDEFINED, args.length, this.#scratch + 16));
  }

  #method(name: string, entry: Entry): bigint {
    return this.#function(name, entry.compiled.parameterNames.length, entry.index);
  }

  #function(name: string, length: number, index: number): bigint {
    const { x, context, heap, hostFunction } = this.#machine;
    const text = this.#writer.reserve(name.length + 1);
    heap.bytes.latin1Write(`${name}\0`, text.pointer);
    const fn = this.#checked(x.JS_NewCFunctionData2(context, hostFunction, text.pointer, length, index, 0, 0));
    text.free();
    return fn;
  }

  #frozen(object: bigint): bigint {
    this.#machine.x.JS_FreezeObject(this.#machine.context, object);
    return object;
  }

  #property(object: bigint, name: string): bigint {
    const { x, context, heap } = this.#machine;
    const text = this.#writer.reserve(name.length + 1);
    heap.bytes.latin1Write(`${name}\0`, text.pointer);
    const value = this.#checked(x.JS_GetPropertyStr(context, object, text.pointer));
    text.free();
    return value;
  }

  #checked(value: bigint): bigint {
    if (tagOf(value) !== TAG.exception) return value;
    const { x, context, heap } = this.#machine;
    const error = pointerOf(x.JS_GetException(context));
    throw new ScriptError('INTERNAL', `the JavaScript prelude failed: ${heap.inheritedText(error, 'message')}`);
  }
}

const PRELUDE = readFileSync(new URL('./prelude.js', import.meta.url), 'utf8');

import { fieldsOf } from '../../call/crossing.ts';
import type { ScriptInvoke } from '../../call/run.ts';
import { type Callback, type Handle, type HandleType, SCRIPT_CALLBACK } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { MAX_HANDLES } from '../limits.ts';
import { Misfit } from '../misfit.ts';
import { type RefOwner, ScriptRef } from '../refs.ts';
import { objectValue, PROPERTY, pointerOf, type QuickJSExports, TAG, tagOf } from './exports.ts';
import type { Writer } from './write.ts';

/** Makes the host's way to run a function of the script. */
export type MakeInvoke = (ref: ScriptRef) => ScriptInvoke;

interface KnownCallback {
  readonly callback: WeakRef<Callback>;
  readonly ref: number;
}

/** What the host holds of the script (functions, thrown values) and the script of the host (handles). */
export class References implements RefOwner {
  readonly dropped: number[] = [];
  readonly handleClass: number;
  readonly #x: QuickJSExports;
  readonly #context: number;
  readonly #prototypes: ReadonlyMap<HandleType, bigint>;
  readonly #makeInvoke: MakeInvoke;
  #next = 1;
  readonly #kept = new Map<number, bigint>();
  /** Functions by the address of the object, which stays where it is as long as it is kept. */
  readonly #callbacks = new Map<number, KnownCallback>();
  readonly #refs = new WeakMap<Callback, ScriptRef>();
  readonly #handles = new Map<number, Handle>();
  readonly #objects = new Map<object, number>();

  constructor(x: QuickJSExports, context: number, handles: { class: number; prototypes: ReadonlyMap<HandleType, bigint> }, makeInvoke: MakeInvoke) {
    this.#x = x;
    this.#context = context;
    this.handleClass = handles.class;
    this.#prototypes = handles.prototypes;
    this.#makeInvoke = makeInvoke;
  }

  /** Keeps a value for the host and takes over its reference. */
  keep(value: bigint): ScriptRef {
    const id = this.#next++;
    this.#kept.set(id, value);
    return new ScriptRef(this, id);
  }

  /** The very value that is kept, with a reference for the caller. */
  take(ref: ScriptRef): bigint {
    const value = ref.owner === this && !ref.released ? this.#kept.get(ref.ref) : undefined;
    if (value === undefined) throw new ScriptError('INTERNAL', 'a function of another run, or one that was let go');
    return this.#x.JS_DupValue(this.#context, value);
  }

  /** Frees what the host has dropped. */
  release(): void {
    if (this.dropped.length === 0) return;
    for (const id of this.dropped.splice(0)) {
      const value = this.#kept.get(id);
      if (value === undefined) continue;
      this.#kept.delete(id);
      const object = pointerOf(value);
      if (this.#callbacks.get(object)?.ref === id) this.#callbacks.delete(object);
      this.#x.JS_FreeValue(this.#context, value);
    }
  }

  /** The host's function for a function of the script: the same one as long as the host holds it. */
  callbackOf(object: number): Callback {
    const known = this.#callbacks.get(object)?.callback.deref();
    if (known && !this.#refs.get(known)?.released) return known;
    const ref = this.keep(this.#x.JS_DupValue(this.#context, objectValue(object)));
    const callback = scriptCallback(this.#makeInvoke(ref));
    this.#callbacks.set(object, { callback: new WeakRef(callback), ref: ref.ref });
    this.#refs.set(callback, ref);
    return callback;
  }

  /** The script's own function behind a callback. */
  callback(callback: Callback): bigint {
    const ref = this.#refs.get(callback);
    if (!ref) throw Misfit.noData(callback);
    return this.take(ref);
  }

  /** The handle behind an object of the handle class. */
  handleOf(object: number): Handle | undefined {
    return this.#handles.get(object);
  }

  /** The script's object for a handle: the same one as long as the script holds it. */
  handle(handle: Handle, writer: Writer): bigint {
    const known = this.#objects.get(handle.target);
    if (known !== undefined) return this.#x.JS_DupValue(this.#context, objectValue(known));
    const prototype = this.#prototypes.get(handle.type);
    if (prototype === undefined) throw new ScriptError('INTERNAL', `no handle type ${handle.type.name}`);
    if (this.#handles.size >= MAX_HANDLES) throw new ScriptError('LIMIT_EXCEEDED', `more than ${MAX_HANDLES} handles in one run`);
    const fields = Object.entries(fieldsOf(handle) ?? {});
    const value = this.#x.JS_NewObjectProtoClass(this.#context, prototype, this.handleClass);
    if (tagOf(value) === TAG.exception) return value;
    this.#handles.set(pointerOf(value), handle);
    this.#objects.set(handle.target, pointerOf(value));
    try {
      for (const [name, field] of fields) writer.define(value, name, writer.write(field), PROPERTY.readonlyShown);
    } catch (error) {
      this.#x.JS_FreeValue(this.#context, value);
      throw error;
    }
    this.#x.JS_PreventExtensions(this.#context, value);
    return value;
  }

  /** Told by the engine's collector that the script let go of a handle. */
  finalize(object: number): void {
    const handle = this.#handles.get(object);
    if (!handle) return;
    this.#handles.delete(object);
    this.#objects.delete(handle.target);
  }
}

/** A function that stands for one of the script; it runs through `Context.invoke` only. */
function scriptCallback(invoke: ScriptInvoke): Callback {
  const callback: Callback = () => {
    throw new ScriptError('INTERNAL', 'a function of the script was called without a context');
  };
  return Object.assign(callback, { [SCRIPT_CALLBACK]: invoke });
}

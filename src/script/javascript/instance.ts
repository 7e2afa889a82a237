import type { MethodTable } from '../../call/dispatch.ts';
import { CallContext, type RunContainer, type ScriptInvoke } from '../../call/run.ts';
import type { Value } from '../../call/value.ts';
import { asScriptError, ScriptError } from '../../errors.ts';
import { parseArguments } from '../arguments.ts';
import type { ScriptInstance, Source } from '../engine.ts';
import { Fiber } from '../fiber.ts';
import { Instance, type Outcome } from '../instance.ts';
import type { ScriptRef } from '../refs.ts';
import { scheduler } from '../scheduler.ts';
import { type Compiled, compile, resultOf } from './compile.ts';
import { Errors } from './errors.ts';
import { CLASS, CONTEXT, PROMISE, PROPERTY, pointerOf, TAG, tagOf, UNDEFINED } from './exports.ts';
import { INTERNALS, type JavaScriptImage } from './image.ts';
import { LazyObjects } from './lazy.ts';
import { Machine } from './machine.ts';
import { ModuleFiles } from './modules.ts';
import { Parking } from './parking.ts';
import { Reader } from './read.ts';
import { References } from './references.ts';
import { Rejections } from './rejections.ts';
import { Writer } from './write.ts';

/** A fiber that was told to stop and still computes after this, ms, takes its instance with it. */
const INTERRUPT_GRACE_MS = 200;
/** Promise jobs between two looks at the clock. */
const JOBS_PER_LOOK = 64;

/** One QuickJS context for one run. */
export class JavaScriptInstance extends Instance implements ScriptInstance {
  readonly #machine: Machine;
  readonly #cell: number;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #errors: Errors;
  readonly #references: References;
  readonly #rejections: Rejections;
  readonly #parking: Parking;
  readonly #files: ModuleFiles;
  readonly #lazy: LazyObjects;
  readonly #regions: number[] = [];
  readonly #parameters: (readonly string[] | undefined)[] = [];
  /** Methods of handles, which get `this` as their first argument. */
  readonly #ofHandles: ReadonlySet<number>;
  #jobFibers = 0;
  #jobs: Promise<void> | undefined;

  constructor(image: JavaScriptImage, table: MethodTable, run: RunContainer) {
    super(run, table);
    this.#machine = new Machine(
      {
        call: (cell, count, args, index) => this.#call(cell, count, args, index),
        wait: () => this.#wait(),
        finish: (cell, outcome) => this.#finish(cell, outcome),
        finalize: (object) => this.#references.finalize(object),
        tick: () => this.tick(),
        look: () => this.#look(),
        pause: () => this.pause(),
        now: run.now,
        rejection: (promise, reason, handled) => this.outside(() => this.#rejection(promise, reason, handled)),
        moduleName: (from, specifier) => this.outside(() => this.#moduleName(from, specifier)),
        moduleText: (name, size) => this.outside(() => this.#moduleText(name, size)),
      },
      image.machine,
    );
    const { x, heap, context } = this.#machine;
    this.#cell = image.scratch;
    this.#lazy = new LazyObjects(this.#machine, image.lazy);
    this.#references = new References(x, context, { class: image.handleClass, prototypes: image.handlePrototypes }, (ref) => this.#invoke(ref));
    this.#reader = new Reader(heap, image.prototypes, {
      handleClass: image.handleClass,
      handle: (object) => this.#references.handleOf(object),
      callback: (object) => this.#references.callbackOf(object),
      lacking: (target) => this.#lazy.lacking(target),
    });
    this.#writer = new Writer(x, heap, context, image.scratch, {
      handle: (handle) => this.#references.handle(handle, this.#writer),
      callback: (callback) => this.#references.callback(callback),
      lazy: (map, own) => this.#lazy.add(map, own),
    });
    const { reader, writer, references, cell } = { reader: this.#reader, writer: this.#writer, references: this.#references, cell: this.#cell };
    this.#errors = new Errors({ x, context, heap, reader, writer, references, prototype: image.errorPrototype, cell });
    this.#rejections = new Rejections(x, context);
    this.#parking = new Parking(
      run.pending,
      (promise) => x.JS_IsJobPending(this.#machine.runtime) !== 0 || x.JS_PromiseState(context, promise) !== PROMISE.pending,
    );
    this.#files = new ModuleFiles(run);
    this.#ofHandles = new Set(table.handles.flatMap(({ methods }) => methods.map(([, entry]) => entry.index)));
    x.qjs_set_memory_limit(Math.floor(run.limits.memory_mb * 2 ** 20));
    heap.setWord(context + CONTEXT.random, Math.floor(run.random() * 2 ** 32) | 1);
    heap.setWord(context + CONTEXT.random + 4, Math.floor(run.random() * 2 ** 32) | 0);
  }

  execute(source: Source): Promise<Value> {
    const fiber = this.mainFiber();
    return this.enter(fiber, () =>
      this.#counted(async () => {
        this.#defineInputs();
        this.#files.main = source;
        const compiled = await compile(source, (text, flags) => this.#compile(fiber, source.name, text, flags));
        const promise = await this.#evaluate(fiber, compiled);
        const value = resultOf(this.#machine, compiled, await this.#settle(fiber, promise), this.#cell);
        const result = await this.#result(fiber, await this.#settle(fiber, value), compiled.form === 'script');
        await this.#finishJobs(fiber);
        return result;
      }),
    );
  }

  close(): void {
    this.kill(new ScriptError('CANCELLED', 'the run has ended'));
  }

  // What every language supplies.

  protected toMain(): void {
    this.#machine.toMain();
  }

  protected prepare(fiber: Fiber): void {
    fiber.region = this.#regions.pop() ?? this.#machine.allocateStack();
  }

  protected dispose(fiber: Fiber): void {
    this.#regions.push(fiber.region);
  }

  protected releaseDropped(): void {
    this.#references.release();
  }

  protected setFuel(amount: number): void {
    this.#machine.x.__fuel.value = amount;
    this.#machine.x.__fuel_reset.value = amount;
  }

  /** The interpreter's own handler raises it; here it is only said whether there is time left for that. */
  protected interrupt(fiber: Fiber): boolean {
    return performance.now() - fiber.interruptedAt < INTERRUPT_GRACE_MS;
  }

  protected memoryBytes(): number {
    return this.#machine.x.memory.buffer.byteLength;
  }

  #look(): 0 | 1 | 2 {
    const answer = this.tick(false);
    return this.computing && this.fiber?.interruptedAt ? 2 : answer;
  }

  /** Makes a promising call on the fiber's own stack; an exception of the script is thrown as a ScriptError. */
  async #run(fiber: Fiber, start: () => Promise<bigint>): Promise<bigint> {
    const value = await this.compute(() => {
      this.#machine.toFiber(fiber.region);
      return start();
    });
    if (tagOf(value) !== TAG.exception) return value;
    throw this.#exception(fiber);
  }

  #exception(fiber: Fiber): ScriptError {
    const { x, context } = this.#machine;
    const thrown = x.JS_GetException(context);
    if (!fiber.interruptedAt || !fiber.ending) return this.#errors.leave(thrown);
    x.JS_FreeValue(context, thrown);
    return fiber.ending;
  }

  async #compile(fiber: Fiber, name: string, text: string, flags: number): Promise<bigint> {
    const { x, heap, context, promising } = this.#machine;
    const size = Buffer.byteLength(text);
    const memory = x.wasm_malloc(size + 1 + Buffer.byteLength(name) + 1);
    if (memory === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for the script');
    heap.bytes.utf8Write(`${text}\0${name}\0`, memory);
    try {
      return await this.#run(fiber, () => promising.compile(context, memory, size, memory + size + 1, flags));
    } finally {
      if (!this.dead) x.wasm_free(memory);
    }
  }

  #evaluate(fiber: Fiber, { value }: Compiled): Promise<bigint> {
    return this.#run(fiber, () => this.#machine.promising.evaluate(this.#machine.context, value));
  }

  async #free(fiber: Fiber, value: bigint): Promise<void> {
    const { x, context, promising } = this.#machine;
    if (tagOf(value) !== TAG.object) return x.JS_FreeValue(context, value);
    await this.compute(() => {
      this.#machine.toFiber(fiber.region);
      return promising.free(context, value);
    });
  }

  /** The host's copy of a value, which is freed; `lenient` takes null for what is no data. */
  async #result(fiber: Fiber, value: bigint, lenient = false): Promise<Value> {
    this.#machine.heap.setValue(this.#cell, value);
    let result: Value;
    try {
      result = this.#reader.read(this.#cell, 'the result');
      if (lenient && typeof result === 'function') result = null;
    } catch (error) {
      if (!lenient || !(error instanceof ScriptError)) throw error;
      result = null;
    }
    if (tagOf(value) < TAG.int && tagOf(value) >= TAG.bigint) await this.#free(fiber, value);
    return result;
  }

  // Callbacks.

  #invoke(ref: ScriptRef): ScriptInvoke {
    return (context, args, options) =>
      this.invoke(context, options, (fiber) =>
        this.#counted(async () => {
          const value = await this.#callFunction(fiber, ref, args);
          const result = await this.#result(fiber, await this.#settle(fiber, value));
          this.#startJobs();
          return result;
        }),
      );
  }

  async #callFunction(fiber: Fiber, ref: ScriptRef, args: readonly Value[]): Promise<bigint> {
    const { x, heap, context, promising } = this.#machine;
    const fn = this.#references.take(ref);
    const memory = x.wasm_malloc(8 * args.length + 8);
    if (memory === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for a call');
    args.forEach((arg, i) => this.#writer.put(memory + 8 * i, arg));
    try {
      if (args.some((_, i) => heap.tag(memory + 8 * i) === TAG.exception)) throw this.#exception(fiber);
      return await this.#run(fiber, () => promising.call(context, fn, UNDEFINED, args.length, memory));
    } finally {
      if (!this.dead) {
        args.forEach((_, i) => x.JS_FreeValue(context, heap.value(memory + 8 * i)));
        x.wasm_free(memory);
        x.JS_FreeValue(context, fn);
      }
    }
  }

  // Promises.

  /** What a promise comes to, and that promise's promise; a value that is none is the answer. */
  async #settle(fiber: Fiber, value: bigint): Promise<bigint> {
    const { x, heap, context, runtime } = this.#machine;
    while (tagOf(value) === TAG.object && heap.classOf(pointerOf(value)) === CLASS.promise) {
      const state = x.JS_PromiseState(context, value);
      if (state === PROMISE.pending) {
        if (x.JS_IsJobPending(runtime)) await this.#runJobs(fiber);
        else await this.#park(fiber, value);
        continue;
      }
      const result = x.JS_PromiseResult(context, value);
      if (state === PROMISE.rejected) {
        x.JS_PromiseMarkAsHandled(context, value);
        this.#rejections.forget(value);
      }
      x.JS_FreeValue(context, value);
      if (state === PROMISE.rejected) throw this.#errors.leave(result);
      value = result;
    }
    return value;
  }

  /** Runs pending jobs for a while. */
  async #runJobs(fiber: Fiber): Promise<void> {
    const { x, context, runtime, promising } = this.#machine;
    const most = Math.min(JOBS_PER_LOOK, this.run.limits.jobs_per_turn);
    const left = await this.compute(() => {
      this.#machine.toFiber(fiber.region);
      return promising.runJobs(runtime, this.#cell, most);
    });
    if (left < 0) x.JS_FreeValue(context, x.JS_GetException(context));
    if (fiber.ending && fiber.interruptedAt) throw fiber.ending;
    if (!scheduler.expired(performance.now())) return;
    await this.pause();
    this.computing = false;
    this.toMain();
  }

  /** Waits until something may have happened to a promise that no job of now settles. */
  async #park(fiber: Fiber, promise: bigint): Promise<void> {
    this.#throwUnhandled(fiber);
    const outcome = await this.#waitFor(this.#parking.park(promise));
    if ('error' in outcome) throw outcome.error;
  }

  /** Host code waits without the baton. */
  async #waitFor(pending: Promise<Value>): Promise<Outcome> {
    const outcome = await this.wait(pending);
    this.computing = false;
    this.toMain();
    return outcome;
  }

  /** Runs what no fiber waits for on a fiber of its own. */
  #startJobs(onFirstWait?: () => void): void {
    if (this.#jobs || !this.#machine.x.JS_IsJobPending(this.#machine.runtime)) return;
    const fiber = new Fiber({ id: `jobs.${++this.#jobFibers}`, context: new CallContext(this.run), onFirstWait });
    const body = () =>
      this.#counted(async () => {
        while (this.#machine.x.JS_IsJobPending(this.#machine.runtime)) await this.#runJobs(fiber);
      });
    this.#jobs = this.enter(fiber, body).finally(() => {
      this.#jobs = undefined;
    });
    this.run.background(this.#jobs);
  }

  /** At the end of the main chunk: jobs run until they end or first wait; a rejection that nobody handles fails the run. */
  async #finishJobs(fiber: Fiber): Promise<void> {
    if (this.#machine.x.JS_IsJobPending(this.#machine.runtime)) {
      const { promise, resolve } = Promise.withResolvers<Value>();
      this.#startJobs(() => resolve(null));
      this.#jobs?.then(
        () => resolve(null),
        () => resolve(null),
      );
      await this.#waitFor(promise);
    }
    this.#throwUnhandled(fiber);
  }

  #throwUnhandled(fiber: Fiber): void {
    if (fiber.id !== MAIN) return;
    const reason = this.#rejections.take();
    if (reason === undefined) return;
    throw this.#errors.leave(reason);
  }

  /** Counts the fiber in as long as it runs, and tells those that wait for promises when it ends. */
  async #counted<T>(body: () => Promise<T>): Promise<T> {
    this.#parking.enter();
    try {
      return await body();
    } finally {
      this.#parking.leave();
    }
  }

  #rejection(promiseAt: number, reasonAt: number, handled: boolean): void {
    const { x, heap } = this.#machine;
    const [promise, reason] = [heap.value(promiseAt), heap.value(reasonAt)];
    x.wasm_free(promiseAt);
    x.wasm_free(reasonAt);
    this.#rejections.track(promise, reason, handled);
  }

  // Host calls; all on the fiber's stack with frames of the host below, so nothing may pause in them.

  #call(cell: number, count: number, args: number, index: number): 0 | 1 {
    this.computing = false;
    let result: Value | Promise<Value>;
    try {
      if (index === INTERNALS.print) result = this.run.print(this.#line(args)) ?? null;
      else if (index === INTERNALS.fill) result = this.#lazy.take(this.#machine.heap.word(args));
      else result = this.callHost(index, this.#arguments(cell, count, args, index));
    } catch (error) {
      this.#raise(cell, error);
      this.computing = true;
      return 0;
    }
    if (result instanceof Promise) return 1;
    this.#put(cell, result);
    this.computing = true;
    return 0;
  }

  #arguments(cell: number, count: number, args: number, index: number): Value[] {
    const names = (this.#parameters[index] ??= this.#nameParameters(index));
    const values: Value[] = [];
    if (this.#ofHandles.has(index)) values.push(this.#reader.read(cell, names[0] as string));
    for (let i = 0; i < count; i++)
      values.push(this.#reader.read(args + 8 * i, names[values.length] ?? `${this.table.entries[index]?.name}: argument ${i + 1}`));
    return values;
  }

  #nameParameters(index: number): string[] {
    const entry = this.table.entries[index];
    return entry?.compiled.parameterNames.map((name) => `${entry.name}: ${name}`) ?? [];
  }

  #line(args: number): string {
    const { heap } = this.#machine;
    return heap.text(heap.tag(args), heap.pointer(args)).toWellFormed();
  }

  #wait(): Promise<Outcome> {
    this.#parking.look();
    return this.wait();
  }

  #finish(cell: number, outcome: Outcome): void {
    this.computing = false;
    if ('error' in outcome) this.#raise(cell, outcome.error);
    else this.#put(cell, outcome.value);
    this.computing = true;
  }

  /** Results are converted outside the host function's own `try`: a kill must pass everything. */
  #put(cell: number, value: Value): void {
    try {
      this.#writer.put(cell, value);
    } catch (error) {
      this.#raise(cell, error);
    }
  }

  #raise(cell: number, error: unknown): void {
    if (this.dead) throw this.dead;
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) throw error;
    this.#machine.heap.setValue(cell, this.#errors.raise(asScriptError(error)));
  }

  // Modules.

  #moduleName(fromAt: number, specifierAt: number): number {
    return this.#answer(() => this.#files.resolve(this.#machine.heap.cString(fromAt), this.#machine.heap.cString(specifierAt)));
  }

  #moduleText(nameAt: number, sizeAt: number): number {
    return this.#answer(() => this.#files.text(this.#machine.heap.cString(nameAt)), sizeAt);
  }

  /** A text in memory that the engine frees; 0 when an exception is pending. */
  #answer(make: () => string, sizeAt = 0): number {
    const { x, heap } = this.#machine;
    try {
      const text = make();
      const size = Buffer.byteLength(text);
      const memory = x.wasm_malloc(size + 1);
      if (memory === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for a module');
      heap.bytes.utf8Write(`${text}\0`, memory);
      if (sizeAt !== 0) heap.setWord(sizeAt, size);
      return memory;
    } catch (error) {
      if (this.dead) throw this.dead;
      this.#errors.raise(asScriptError(error));
      return 0;
    }
  }

  #defineInputs(): void {
    const { x, context } = this.#machine;
    const { positional, named } = parseArguments(this.run.args);
    const args = this.#writer.write([...positional]);
    for (const [name, value] of Object.entries(named)) if (name !== 'length') this.#writer.define(args, name, this.#writer.write(value));
    const global = x.JS_GetGlobalObject(context);
    this.#writer.define(global, 'ARGS', args, PROPERTY.writableHidden);
    this.#writer.define(global, 'INPUT', this.#writer.write(this.run.input), PROPERTY.writableHidden);
    x.JS_FreeValue(context, global);
  }
}

/** The main fiber's id. */
const MAIN = '0';

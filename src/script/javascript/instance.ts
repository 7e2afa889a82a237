import type { MethodTable } from '../../call/dispatch.ts';
import type { RunContainer, ScriptInvoke } from '../../call/run.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import type { ScriptInstance, Source } from '../engine.ts';
import type { Fiber } from '../fiber.ts';
import { Instance, type Outcome } from '../instance.ts';
import { naming } from '../misfit.ts';
import type { ScriptRef } from '../refs.ts';
import type { Unfinished } from '../steps.ts';
import { callable } from './callable.ts';
import { compileChunk } from './chunk.ts';
import { type Compiled, compile, resultOf } from './compile.ts';
import { Errors } from './errors.ts';
import { CONTEXT, TAG, tagOf, UNDEFINED } from './exports.ts';
import { HostCalls } from './host-calls.ts';
import type { JavaScriptImage } from './image.ts';
import { defineInputs } from './inputs.ts';
import { LazyObjects } from './lazy.ts';
import { Machine } from './machine.ts';
import { ModuleTexts } from './module-texts.ts';
import { ModuleFiles } from './modules.ts';
import { Promises } from './promises.ts';
import { Reader } from './read.ts';
import { References } from './references.ts';
import { compiledText, type Form } from './source.ts';
import { Writer } from './write.ts';

/** One QuickJS context for one run. */
export class JavaScriptInstance extends Instance implements ScriptInstance {
  readonly #machine: Machine;
  readonly #cell: number;
  readonly #show: bigint;
  /** The main chunk, once it is compiled. */
  #main: { readonly name: string; readonly form: Form } | undefined;
  /** A session has run its first chunk. */
  #begun = false;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #errors: Errors;
  readonly #references: References;
  readonly #promises: Promises;
  readonly #files: ModuleFiles;
  readonly #modules: ModuleTexts;
  readonly #lazy: LazyObjects;
  readonly #calls: HostCalls;
  /** Shadow stacks that no fiber uses. */
  readonly #regions: number[];

  constructor(image: JavaScriptImage, table: MethodTable, run: RunContainer) {
    super(run, table);
    this.#machine = new Machine(
      {
        call: (cell, count, args, index) => this.#calls.call(cell, count, args, index),
        wait: () => this.#wait(),
        finish: (cell, outcome) => this.#calls.finish(cell, outcome),
        finalize: (object) => this.#references.finalize(object),
        tick: () => this.tick(),
        look: () => this.#look(),
        pause: () => this.pause(),
        loaded: () => this.#bodiesEnded(this.current),
        now: () => this.now(),
        rejection: (promise, reason, handled) => this.outside(() => this.#promises.rejection(promise, reason, handled)),
        moduleName: (from, specifier, waited) => this.outside(() => this.#modules.name(from, specifier, waited)),
        moduleText: (name, size) => this.outside(() => this.#modules.text(name, size)),
      },
      image.machine,
    );
    const { x, heap, context } = this.#machine;
    this.#regions = this.#machine.ownStacks();
    this.#cell = image.scratch;
    this.#show = image.show;
    this.#lazy = new LazyObjects(this.#machine, image.lazy);
    this.#references = new References(x, context, { class: image.handleClass, prototypes: image.handlePrototypes }, (ref) => this.#invoke(ref));
    this.#reader = new Reader(
      heap,
      image.prototypes,
      {
        handleClass: image.handleClass,
        handle: (object) => this.#references.handleOf(object),
        callback: (object) => this.#references.callbackOf(object),
        lacking: (target) => this.#lazy.lacking(target),
      },
      this.steps,
    );
    this.#writer = new Writer(
      x,
      heap,
      context,
      image.scratch,
      {
        handle: (handle) => this.#references.handle(handle, this.#writer),
        callback: (callback) => this.#references.callback(callback),
        lazy: (map, own) => this.#lazy.add(map, own),
        join: image.join,
      },
      this.steps,
    );
    const { reader, writer, references, cell } = { reader: this.#reader, writer: this.#writer, references: this.#references, cell: this.#cell };
    this.#errors = new Errors({
      x,
      context,
      heap,
      reader,
      writer,
      references,
      prototype: image.errorPrototype,
      cell,
      memoryBytes: run.limits.memory_mb * 2 ** 20,
      text: (file, line) => this.#text(file, line),
      callable: (name, text) => callable(x, heap, context, name, text),
      failedAt: (message) => this.#files.failedAt(message),
    });
    this.#promises = new Promises({
      run,
      machine: this.#machine,
      errors: this.#errors,
      leave: (thrown) => this.#leave(thrown),
      cell,
      compute: (fiber, start) => this.#compute(fiber, start),
      pause: () => this.#goOnAfter(this.pause()),
      wait: (pending) => this.#goOnAfter(this.wait(pending)),
      enter: (fiber, body) => this.enter(fiber, body),
      open: () => this.openFibers,
    });
    this.#files = new ModuleFiles(run, (name) => heap.moduleStatus(context, name));
    this.#modules = new ModuleTexts(this.#machine, this.#errors, this.#files, {
      dead: () => this.dead,
      fiber: () => this.current,
      suspend: (pending, answer) => this.suspend(pending, answer),
    });
    this.#calls = new HostCalls({
      run,
      table,
      machine: this.#machine,
      steps: this.steps,
      reader,
      writer,
      lazy: this.#lazy,
      errors: this.#errors,
      promises: this.#promises,
      enter: () => {
        this.computing = false;
      },
      leave: () => this.backInScript(),
      call: (index, args) => this.callHost(index, args),
      giveTurn: (goOn) => this.giveTurn(goOn, 1),
      goOn: (outcome) => (this.givesTurn ? this.goOn(outcome) : undefined),
      current: () => this.current,
      ending: () => (this.fiber?.interruptedAt ? this.fiber.ending : undefined),
      dead: () => this.dead,
    });
    x.qjs_set_memory_limit(Math.floor(run.limits.memory_mb * 2 ** 20));
    heap.setWord(context + CONTEXT.random, Math.floor(run.random() * 2 ** 32) | 1);
    heap.setWord(context + CONTEXT.random + 4, Math.floor(run.random() * 2 ** 32) | 0);
  }

  execute(source: Source): Promise<Value> {
    const fiber = this.mainFiber();
    return this.enter(fiber, () =>
      this.#promises.left(async () => {
        defineInputs(this.#machine, this.#writer, this.run);
        this.#files.begin(source, fiber);
        const compiled = await compile(source, (text, flags) => this.#compile(fiber, source.name, text, flags));
        this.#main = { name: source.name, form: compiled.form };
        const promise = await this.#evaluate(fiber, compiled);
        const value = resultOf(this.#machine, compiled, await this.#promises.settle(fiber, promise), this.#cell);
        const result = await this.#result(fiber, await this.#promises.settle(fiber, value), compiled.form === 'script');
        await this.#promises.finish(fiber);
        return result;
      }),
    );
  }

  /** A text as the engine has it; the first line of a session's chunk has something in front of it. */
  #text(file: string, line: number): string | undefined {
    const text = this.#files.source(file);
    if (text === undefined) return undefined;
    if (file !== this.#main?.name) return this.#begun && line === 1 ? undefined : text;
    return compiledText(this.#main.form, text);
  }

  evaluate(source: Source): Promise<string | undefined> {
    return this.enterChunk((fiber) =>
      this.#promises.left(async () => {
        if (!this.#begun) defineInputs(this.#machine, this.#writer, this.run);
        this.#begun = true;
        this.#files.begin(source, fiber);
        const compiled = await compileChunk(source, (text, flags) => this.#compile(fiber, source.name, text, flags)).catch((error) => {
          // What it imports will not run: a later chunk may ask for it again.
          if (!this.dead) this.#bodiesEnded(fiber);
          throw error;
        });
        const promise = await this.#evaluate(fiber, compiled);
        const value = resultOf(this.#machine, compiled, await this.#promises.settle(fiber, promise), this.#cell);
        const shown = await this.#shown(fiber, await this.#promises.settle(fiber, value));
        await this.#promises.finish(fiber);
        return shown;
      }),
    );
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

  /** The interpreter's own handler raises it, again and again: it is asked at the next branch or call of the script instead of some thousands later. */
  protected interrupt(): void {
    const { heap, context } = this.#machine;
    heap.setWord(context + CONTEXT.polls, 1);
  }

  protected release(empty: boolean): void {
    this.#machine.release(empty);
  }

  protected memoryBytes(): number {
    return this.#machine.x.memory.buffer.byteLength;
  }

  #look(): 0 | 1 | 2 {
    const answer = this.tick(false);
    return this.computing && this.fiber?.interruptedAt ? 2 : answer;
  }

  // Promising calls.

  #compute<T>(fiber: Fiber, start: () => Promise<T>): Promise<T> {
    return this.compute(() => {
      this.#machine.toFiber(fiber.region);
      return start();
    });
  }

  /** Host code that has paused or waited has the baton again, on the main stack. */
  async #goOnAfter<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    this.computing = false;
    this.toMain();
    return result;
  }

  /** Makes a promising call on the fiber's own stack; an exception of the script is thrown as a ScriptError. */
  async #run(fiber: Fiber, start: () => Promise<bigint>): Promise<bigint> {
    const value = await this.#compute(fiber, start);
    if (tagOf(value) !== TAG.exception) return value;
    throw await this.#exception(fiber);
  }

  async #exception(fiber: Fiber): Promise<ScriptError> {
    const { x, context } = this.#machine;
    const thrown = x.JS_GetException(context);
    return fiber.interruptedAt && fiber.ending ? this.#errors.stopped(thrown, fiber.ending) : this.#leave(thrown);
  }

  /** What the script threw, as the host sees it; its data is read in turns where it is large. */
  async #leave(thrown: bigint): Promise<ScriptError> {
    let data: Value | undefined;
    if (this.#errors.isData(thrown)) {
      this.#machine.heap.setValue(this.#cell, thrown);
      this.steps.begin();
      try {
        data = await this.inSteps(this.#reader.begin(this.#cell, 'error'), () => this.#reader.more());
      } catch (error) {
        // What cannot be read is told as such.
        if (this.dead || !(error instanceof ScriptError)) throw error;
      }
    }
    return this.#errors.leave(thrown, data);
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

  /** A value as text, by the prelude, which takes it over; undefined for `undefined`. */
  async #shown(fiber: Fiber, value: bigint): Promise<string | undefined> {
    const { x, heap, context, promising } = this.#machine;
    const memory = x.wasm_malloc(8);
    if (memory === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory to show the value');
    heap.setValue(memory, value);
    try {
      const text = await this.#run(fiber, () => promising.call(context, this.#show, UNDEFINED, 1, memory));
      const result = await this.#result(fiber, text);
      return typeof result === 'string' ? result : undefined;
    } finally {
      if (!this.dead) {
        x.JS_FreeValue(context, value);
        x.wasm_free(memory);
      }
    }
  }

  async #evaluate(fiber: Fiber, { value }: Compiled): Promise<bigint> {
    try {
      return await this.#run(fiber, () => this.#machine.promising.evaluate(this.#machine.context, value));
    } finally {
      if (!this.dead) this.#bodiesEnded(fiber);
    }
  }

  #bodiesEnded(fiber: Fiber): void {
    this.#files.ended(fiber);
    this.#machine.tellsOfJobs = this.#files.loading;
  }

  async #free(fiber: Fiber, value: bigint): Promise<void> {
    const { x, context, promising } = this.#machine;
    if (tagOf(value) !== TAG.object) return x.JS_FreeValue(context, value);
    await this.#compute(fiber, () => promising.free(context, value));
  }

  /** The host's copy of a value, which is freed; `lenient` takes null for what is no data. */
  async #result(fiber: Fiber, value: bigint, lenient = false): Promise<Value> {
    this.#machine.heap.setValue(this.#cell, value);
    let result: Value;
    try {
      this.steps.begin();
      result = await this.inSteps(this.#reader.begin(this.#cell, 'the result'), () => this.#reader.more());
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
        this.#promises.left(async () => {
          const value = await this.#callFunction(fiber, ref, args, context.method);
          const result = await this.#result(fiber, await this.#promises.settle(fiber, value));
          this.#promises.startJobs();
          return result;
        }),
      );
  }

  async #callFunction(fiber: Fiber, ref: ScriptRef, args: readonly Value[], method: string): Promise<bigint> {
    const { x, heap, context, promising } = this.#machine;
    const fn = this.#references.take(ref);
    const memory = x.wasm_malloc(8 * args.length + 8);
    if (memory === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for a call');
    let written = 0;
    try {
      for (const arg of args) {
        const named = (write: () => bigint | Unfinished) => naming(method, `argument ${written + 1} of the function`, write);
        const begun = named(() => this.#writer.begin(arg));
        heap.setValue(memory + 8 * written, await this.inSteps(begun, () => named(() => this.#writer.more())));
        written++;
      }
      if (args.some((_, i) => heap.tag(memory + 8 * i) === TAG.exception)) throw await this.#exception(fiber);
      return await this.#run(fiber, () => promising.call(context, fn, UNDEFINED, args.length, memory));
    } finally {
      if (!this.dead) {
        this.#writer.abandon();
        for (let i = 0; i < written; i++) x.JS_FreeValue(context, heap.value(memory + 8 * i));
        x.wasm_free(memory);
        x.JS_FreeValue(context, fn);
      }
    }
  }

  #wait(): Promise<Outcome> {
    if (!this.givesTurn) this.#promises.look();
    return this.wait();
  }
}

import type { Context, InvokeOptions } from '../../call/context.ts';
import type { MethodTable } from '../../call/dispatch.ts';
import type { TextReading } from '../../call/long-text.ts';
import type { RunContainer } from '../../call/run.ts';
import type { Callback, Value } from '../../call/value.ts';
import { asScriptError, ScriptError } from '../../errors.ts';
import { parseArguments } from '../arguments.ts';
import type { ScriptInstance, Source } from '../engine.ts';
import type { Fiber } from '../fiber.ts';
import { Instance, type Outcome } from '../instance.ts';
import { STACK_BYTES } from '../limits.ts';
import { Misfit, naming } from '../misfit.ts';
import type { ScriptRef } from '../refs.ts';
import { UNFINISHED, type Unfinished } from '../steps.ts';
import { incomplete, lacksEnd, withoutPrelude } from './chunk.ts';
import { LuaErrors } from './errors.ts';
import { LUA, type LuaExports } from './exports.ts';
import type { LuaImage } from './image.ts';
import { INTERNALS, internals } from './internals.ts';
import { LuaMachine } from './machine.ts';
import { MOST_ARGUMENTS } from './memory.ts';
import { LuaValues, scriptCallback } from './values.ts';

/** What the wasm trampoline behind a host function does next: raise what is on the stack, wait, or push a scalar; else that many results are there. */
const RAISE = -1;
const WAIT = -2;
const INTEGER = -3;
const FLOAT = -4;
const NIL = -5;
const FALSE = -6;
const TRUE = -7;
/** By the kind that the trampoline gives an argument; a number lies beside it, or where a text is and its size; others are read here. */
const NUMBER = 0;
const TEXT = 5;
const SCALARS = [undefined, null, false, true] as const;
const STACK = STACK_BYTES.lua;

/** What may stand before a script in its file: a byte order mark, and a line for the shell. */
const HEAD = /^\uFEFF?(?:#![^\n]*)?/;

/** One Lua state for one run. */
export class LuaInstance extends Instance implements ScriptInstance {
  readonly #machine: LuaMachine;
  readonly #x: LuaExports;
  readonly #values: LuaValues;
  readonly #errors: LuaErrors;
  readonly #image: LuaImage;
  readonly #regions: number[] = [];
  readonly #internals: ReturnType<typeof internals>;
  /** References that the host let go. */
  readonly #dropped: number[] = [];

  constructor(image: LuaImage, table: MethodTable, run: RunContainer) {
    super(run, table);
    this.#image = image;
    this.#machine = new LuaMachine({
      image,
      memoryBytes: run.limits.memory_mb * 2 ** 20,
      now: () => this.now(),
      call: (L, index, count) => this.outside(() => this.#call(L, index, count)),
      wait: () => this.wait(),
      finish: (L, outcome) => this.outside(() => this.#finish(L, outcome)),
      interrupt: (L) => this.outside(() => this.#raiseEnding(L)),
      tick: () => this.tick(),
      pause: () => this.pause(),
    });
    this.#x = this.#machine.x;
    const owner = { dropped: this.#dropped, callback: (ref: ScriptRef) => this.#callback(ref) };
    this.#values = new LuaValues(this.#machine, image.marks, owner, this.steps);
    this.#errors = new LuaErrors(this.#x, this.#machine.memory, this.#values, image, owner);
    this.#internals = internals(run, this.#values, this.#machine, () => this.current);
    this.#seed();
  }

  async execute(source: Source): Promise<Value> {
    const fiber = this.mainFiber();
    return this.enter(fiber, async () => {
      this.#setArguments();
      this.#setGlobal('INPUT', this.run.input);
      this.#internals.main = source;
      await this.#load(fiber, source);
      return this.#run(fiber, 0);
    });
  }

  evaluate(source: Source): Promise<string | undefined> {
    return this.enterChunk(async (fiber) => {
      if (this.#internals.main.name === '') {
        this.#setArguments();
        this.#setGlobal('INPUT', this.run.input);
      }
      this.#internals.main = source;
      this.#machine.rawgeti(fiber.thread, LUA.registry, this.#image.refs.show);
      await this.#loadChunk(fiber, source);
      try {
        const shown = await this.#run(fiber, 1);
        return shown === null ? undefined : String(shown);
      } catch (error) {
        if (error instanceof ScriptError) error.traceback = withoutPrelude(error.traceback);
        throw error;
      }
    });
  }

  // Fibers.

  protected toMain(): void {
    this.#x.stackRestore(this.#image.stackTop);
  }

  protected prepare(fiber: Fiber): void {
    const x = this.#x;
    fiber.thread = x.lua_newthread(this.#image.L);
    fiber.anchor = x.luaL_ref(this.#image.L, LUA.registry);
    fiber.region = this.#regions.pop() ?? this.#machine.allocateStack(STACK);
  }

  protected dispose(fiber: Fiber): void {
    this.#x.luaL_unref(this.#image.L, LUA.registry, fiber.anchor);
    this.#regions.push(fiber.region);
  }

  protected releaseDropped(): void {
    for (const ref of this.#dropped.splice(0)) this.#x.luaL_unref(this.#image.L, LUA.registry, ref);
  }

  protected setFuel(amount: number): void {
    this.#x.__fuel.value = amount;
    this.#x.__fuel_reset.value = amount;
  }

  protected release(empty: boolean): void {
    this.#machine.release(empty);
  }

  protected memoryBytes(): number {
    return this.#x.memory.buffer.byteLength;
  }

  /**
   * Sets a count hook on what runs, which raises as soon as C code of the library is back, and on what waits for its end.
   * That walks all calls, and the fuel that it burns must not interrupt it.
   */
  protected interrupt(fiber: Fiber): void {
    const { running } = this.#machine;
    if (fiber.told === running) return;
    fiber.told = running;
    this.outside(() => {
      for (let L = fiber.thread; L; L = this.#resumedBy(L)) this.#x.lua_sethook(L, this.#machine.hook, LUA.maskCount, 1);
    });
  }

  /** The coroutine that a thread waits for: the function that it is in has it as its first argument (`resume`, `close`) or upvalue (`wrap`). 0 for what runs. */
  #resumedBy(L: number): number {
    if (L === this.#machine.running) return 0;
    const at = [1, LUA.firstUpvalue].find((index) => this.#x.lua_type(L, index) === LUA.thread);
    return at === undefined ? 0 : this.#x.lua_topointer(L, at);
  }

  /** Calls what is on the fiber's stack, with its arguments, and gives the first result. */
  async #run(fiber: Fiber, args: number): Promise<Value> {
    const { thread } = fiber;
    const x = this.#x;
    this.#machine.rawgeti(thread, LUA.registry, this.#image.refs.handler);
    x.lua_rotate(thread, 1, 1);
    const status = await this.compute(() => this.#machine.pcall(fiber.region + STACK, thread, args));
    if (fiber.interruptedAt) x.lua_sethook(thread, 0, 0, 0);
    if (status !== LUA.ok) throw this.#errors.leave(thread, status, fiber, await this.#thrown(thread));
    return this.inSteps(this.#values.beginRead(thread, x.lua_gettop(thread), 'the result'), () => this.#values.readMore());
  }

  /** The data of a table on top of the stack that was thrown; undefined of anything else, and of what is no data. */
  async #thrown(L: number): Promise<Value | undefined> {
    const top = this.#x.lua_gettop(L);
    if (this.#x.lua_type(L, top) !== LUA.table) return undefined;
    try {
      return await this.inSteps(this.#values.beginRead(L, top, 'error'), () => this.#values.readMore());
    } catch {
      if (this.dead) throw this.dead;
      return undefined;
    } finally {
      if (!this.dead) this.#x.lua_settop(L, top);
    }
  }

  async #load(fiber: Fiber, source: Source): Promise<void> {
    const text = this.#machine.memory.allocate(source.text.replace(HEAD, ''));
    const name = this.#machine.memory.allocate(`@${source.name}`);
    const status = await this.compute(() => this.#machine.load(fiber.region + STACK, fiber.thread, text, name.pointer));
    this.#x.free(text.pointer);
    this.#x.free(name.pointer);
    if (status !== LUA.ok) throw this.#errors.leave(fiber.thread, status, fiber);
  }

  /** An expression gives its value, as a statement would not parse; else the chunk is taken as it stands. */
  async #loadChunk(fiber: Fiber, source: Source): Promise<void> {
    let open = false;
    for (const text of [`return ${source.text}`, source.text]) {
      try {
        return await this.#load(fiber, { ...source, text });
      } catch (error) {
        if (!(error instanceof ScriptError) || error.code !== 'SYNTAX_ERROR') throw error;
        open ||= lacksEnd(error.message, source.text);
        if (text !== source.text) this.#x.lua_settop(fiber.thread, -2);
        else throw open ? incomplete(error) : error;
      }
    }
  }

  #callback(ref: ScriptRef): Callback {
    return scriptCallback(ref, (context: Context, args: readonly Value[], options: InvokeOptions) =>
      this.invoke(context, options, async (fiber) => {
        this.#values.pushRef(fiber.thread, ref);
        for (const [i, arg] of args.entries()) {
          const named = (push: () => true | Unfinished) => naming(context.method, `argument ${i + 1} of the function`, push);
          const pushed = named(() => this.#values.beginPush(fiber.thread, arg));
          if (pushed === UNFINISHED) await this.inSteps(pushed, () => named(() => this.#values.pushMore()));
        }
        return this.#run(fiber, args.length);
      }),
    );
  }

  // Host calls.

  #call(L: number, index: number, count: number): number {
    try {
      if (index === INTERNALS.print) return this.#print(this.#machine.memory.beginText(L, 1));
      if (index < 0) {
        const results = this.#internals.call(index, L);
        return typeof results === 'number' ? results : this.suspend(results, WAIT);
      }
      this.steps.begin();
      return this.#read(L, index, new Array(count), 0);
    } catch (error) {
      return this.#raise(L, error);
    }
  }

  /** A line of output, in turns where it is long. */
  #print(line: TextReading): number {
    while (!line.step()) if (this.steps.look()) return this.giveTurn(() => this.#print(line), WAIT);
    this.run.print(line.text as string);
    return 0;
  }

  /** Reads the arguments from `first` on and makes the call; `more` goes on with one that was begun. */
  #read(L: number, index: number, args: Value[], first: number, more?: () => Value | Unfinished): number {
    const { memory } = this.#machine;
    const { values, doubles, words, bytes } = memory;
    for (let i = first; i < args.length; i++) {
      // Reading a value may let the memory grow: then these views are empty, and the rest is read here.
      const kind = more || i >= MOST_ARGUMENTS ? undefined : bytes[values + 8 * MOST_ARGUMENTS + i];
      const scalar =
        kind === NUMBER
          ? doubles[values / 8 + i]
          : kind === TEXT
            ? memory.shortText(words[values / 4 + 2 * i] as number, words[values / 4 + 2 * i + 1] as number)
            : SCALARS[kind as number];
      if (scalar !== undefined) {
        args[i] = scalar;
        continue;
      }
      const value = more ? more() : this.#values.beginRead(L, i + 1, this.#parameter(index, i + 1));
      more = undefined;
      if (value === UNFINISHED) return this.giveTurn(() => this.#read(L, index, args, i, () => this.#values.readMore()), WAIT);
      args[i] = value;
    }
    if (this.steps.large && this.steps.look()) return this.giveTurn(() => this.#make(L, index, args), WAIT);
    return this.#make(L, index, args);
  }

  #make(L: number, index: number, args: Value[]): number {
    const result = this.callHost(index, args);
    return result instanceof Promise ? WAIT : this.#answer(L, result);
  }

  /** Leaves a scalar to the trampoline, which is nearer to the engine; pushes anything else. */
  #answer(L: number, value: Value): number {
    if (typeof value === 'number') {
      const { memory } = this.#machine;
      memory.doubles[memory.values / 8] = value;
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? INTEGER : FLOAT;
    }
    if (value === null || value === undefined) return NIL;
    if (typeof value === 'boolean') return value ? TRUE : FALSE;
    return this.#push(L, this.#values.beginPush(L, value));
  }

  /** One result, which is on the stack or goes on. */
  #push(L: number, pushed: true | Unfinished): number {
    return pushed === UNFINISHED ? this.giveTurn(() => this.#push(L, this.#values.pushMore()), WAIT) : 1;
  }

  #finish(L: number, outcome: Outcome): number {
    try {
      if (this.givesTurn) return this.goOn(outcome);
      if ('error' in outcome) throw outcome.error;
      return this.#answer(L, outcome.value);
    } catch (error) {
      return this.#raise(L, error);
    }
  }

  #raise(L: number, error: unknown): number {
    if (this.dead || error instanceof WebAssembly.Exception || error instanceof WebAssembly.RuntimeError) throw error;
    this.#values.abandon();
    const failure = error instanceof Misfit ? error.toError(this.current.method, 'result') : asScriptError(error);
    this.#errors.push(L, failure, true);
    if (failure.thrown && this.fiber) this.fiber.passed = failure;
    return RAISE;
  }

  /** The count hook that an interrupt set: raises until the fiber's base is reached. */
  #raiseEnding(L: number): number {
    const ending = this.fiber?.interruptedAt ? this.fiber.ending : undefined;
    if (!ending) {
      this.#x.lua_sethook(L, 0, 0, 0);
      return 0;
    }
    this.#errors.push(L, ending, true);
    return 1;
  }

  #parameter(index: number, position: number): string {
    const entry = this.table.entries[index];
    return entry?.places[position - 1] ?? `${entry?.name}: argument ${position}`;
  }

  /** `ARGS`: positional arguments from 1, the others by name. */
  #setArguments(): void {
    const x = this.#x;
    const { L } = this.#image;
    const { positional, named } = parseArguments(this.run.args);
    x.lua_createtable(L, positional.length, Object.keys(named).length);
    positional.forEach((value, i) => {
      this.#values.push(L, value);
      this.#machine.rawseti(L, -2, i + 1);
    });
    for (const [name, value] of Object.entries(named)) {
      this.#values.push(L, name);
      this.#values.push(L, value);
      x.lua_rawset(L, -3);
    }
    x.lua_setglobal(L, this.#machine.memory.name('ARGS'));
  }

  #setGlobal(name: string, value: Value): void {
    naming('execute', 'input', () => this.#values.push(this.#image.L, value));
    this.#x.lua_setglobal(this.#image.L, this.#machine.memory.name(name));
  }

  /** The image's clones share a random state: each run gets its own. */
  #seed(): void {
    const { L, refs } = this.#image;
    this.#machine.rawgeti(L, LUA.registry, refs.seed);
    this.#machine.pushInteger(L, Math.floor(this.run.random() * 2 ** 32));
    this.#x.lua_callk(L, 1, 0, 0, 0);
  }
}

import type { Context, InvokeOptions } from '../call/context.ts';
import { dispatch, type MethodTable } from '../call/dispatch.ts';
import { roundMs } from '../call/elapsed.ts';
import { CallContext, cancelled, type RunContainer } from '../call/run.ts';
import type { Value } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { Baton } from './baton.ts';
import { Budget } from './budget.ts';
import type { Usage } from './engine.ts';
import { fatal, isOfEngine } from './fatal.ts';
import { Fiber, fiberOf } from './fiber.ts';
import { Fuel } from './fuel.ts';
import { HostWork } from './host-work.ts';
import { scheduler } from './scheduler.ts';
import { Steps, UNFINISHED, type Unfinished } from './steps.ts';
import { awayFrom, threadMs } from './thread.ts';

/** A fiber that was told to stop and still computes after so much of the thread's time, ms, takes its instance with it: a busy machine may run nothing for long. */
const INTERRUPT_GRACE_MS = 200;
/** So much of it, ms, a fiber whose wait was ended may compute before it is told to stop: what it opened it may close. */
const CLEANUP_MS = 25;
/** Host calls between two looks at the clock. */
const CALLS_PER_LOOK = 16;

/** How a wait ended; made before the stack continues, read right after. */
export type Outcome = { readonly value: Value } | { readonly error: ScriptError };

/**
 * One context of an engine, as far as both languages share it: the baton (one fiber at a time inside, handed over at safe points only,
 * since a pause can stop the engine anywhere), fuel, slices, limits, waits, and the end of it all.
 */
export abstract class Instance {
  readonly run: RunContainer;
  readonly table: MethodTable;
  /** Set when the instance is garbage: nothing may enter it again. */
  dead: Error | undefined;
  /** True while the engine computes inside a promising call, where it can be paused. */
  protected computing = false;
  readonly #baton: Baton;
  readonly #fuel = new Fuel();
  /** Settles everything that hangs on this instance when it dies: fibers' results, suspended stacks. */
  readonly #onDeath = new Set<(error: Error) => void>();
  #pauseDue = false;
  #calls = 0;
  #waits = 0;
  #fibers = 0;
  #open = 0;
  #pending: Promise<Value> | undefined;
  /** What goes on after others have had their turn. */
  #afterTurn: (() => number) | undefined;
  /** Says to those who read or write values when others should have their turn. */
  protected readonly steps = new Steps(() => this.#hostWork.goesOn() && scheduler.expired(performance.now()));
  readonly #budget: Budget;
  readonly #hostWork: HostWork;

  constructor(run: RunContainer, table: MethodTable) {
    this.run = run;
    this.table = table;
    this.#budget = new Budget(run);
    this.#hostWork = new HostWork(run.limits.memory_mb, (error) => this.kill(error));
    this.#baton = new Baton(run, (now) => this.#fuel.begin(now));
    run.cpu.onHost = () => this.#checkCpu(run.cpu.ms);
  }

  /** The fiber that holds the baton. */
  protected get fiber(): Fiber | undefined {
    return this.#baton.holder;
  }

  // What a language supplies.

  /** Puts the engine on its main shadow stack, for host code that calls engine functions. */
  protected abstract toMain(): void;
  /** Prepares shadow stack and engine state of a fiber, then makes its promising call with `start`; called with the baton, on the main stack. */
  protected abstract prepare(fiber: Fiber): void;
  /** Gives back what `prepare` took. */
  protected abstract dispose(fiber: Fiber): void;
  /** Sets the fuel counter and what it is refilled with. */
  protected abstract setFuel(amount: number): void;
  /** Makes the engine raise the error of the fiber, which computes, at its next safe point. */
  protected abstract interrupt(fiber: Fiber): void;
  /** Frees engine references that the host dropped; called with the baton on the main stack. */
  protected abstract releaseDropped(): void;
  /** Leaves the engine's memory to another context where nothing is left in it, else lets it go. */
  protected abstract release(empty: boolean): void;
  protected abstract memoryBytes(): number;

  // Fibers: the one door.

  /** Fibers that have begun, or wait for the baton to begin, and have not ended. */
  protected get openFibers(): number {
    return this.#open;
  }

  /** Runs `body` as a fiber of its own, from the baton to its end. `body` makes its promising calls through `compute`. */
  protected enter<T>(fiber: Fiber, body: () => Promise<T>): Promise<T> {
    if (this.dead) return Promise.reject(this.dead);
    const { fibers } = this.run.limits;
    if (++this.#open > fibers) {
      this.#open--;
      return Promise.reject(new ScriptError('LIMIT_EXCEEDED', `more than limits.fibers = ${fibers} callbacks at once; max_concurrency bounds them`));
    }
    this.#fibers++;
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        if (!this.#onDeath.delete(die)) return;
        this.#open--;
        fiber.close();
      };
      const die = (error: Error) => {
        // What it called in the host ends too.
        fiber.end(asScriptError(error));
        leave();
        reject(error);
      };
      this.#onDeath.add(die);
      const go = async () => {
        let settle: () => void;
        if (this.dead) return;
        try {
          this.toMain();
          this.setFuel(this.#fuel.amount);
          this.#hostWork.ends();
          this.releaseDropped();
          this.prepare(fiber);
          try {
            const value = await body();
            settle = () => resolve(value);
          } catch (error) {
            if (this.dead) throw error;
            if (isOfEngine(error)) return this.kill(fatal(error));
            settle = () => reject(error);
          }
          this.toMain();
          this.dispose(fiber);
        } catch (error) {
          return this.kill(fatal(error));
        }
        leave();
        this.#baton.release();
        settle();
      };
      // A fiber never starts on top of another's stack, which may be on its way into a wait.
      this.#baton.acquire({ fiber, go: () => queueMicrotask(go) });
    });
  }

  /** Makes one promising call of the engine on the fiber that holds the baton; afterwards the engine is on its main stack again. */
  protected async compute<T>(start: () => Promise<T>): Promise<T> {
    this.computing = true;
    // What it was given has passed: the time that follows is the script's.
    this.#hostWork.ends();
    this.setFuel(this.#fuel.amount);
    try {
      return await start();
    } finally {
      this.computing = false;
      if (!this.dead) this.toMain();
    }
  }

  /** Starts a callback of the script for a call of the host. */
  protected invoke(context: Context, options: InvokeOptions, body: (fiber: Fiber) => Promise<Value>): Promise<Value> {
    const parent = fiberOf(context);
    const signal = options.signal ?? context.signal;
    if (signal.aborted) return Promise.reject(cancelled(signal));
    const id = parent ? `${parent.id}.${++parent.children}` : `host.${this.#fibers}`;
    const { timeoutMs, title, onFirstWait } = options;
    const fiber = new Fiber({ id, context, timeoutMs, title, signal, onFirstWait });
    return this.enter(fiber, () => body(fiber));
  }

  /** Runs a chunk of a session on a fiber of its own; time limits count anew for each. */
  protected enterChunk<T>(body: (fiber: Fiber) => Promise<T>): Promise<T> {
    return this.#budget.chunk((fiber) => this.enter(fiber, () => body(fiber)));
  }

  interruptChunk(error: ScriptError): void {
    this.#budget.stop(error);
  }

  /** The fiber of the main chunk. */
  protected mainFiber(): Fiber {
    return new Fiber({ id: '0', context: new CallContext(this.run) });
  }

  // Host calls.

  /** Runs method `index` for the fiber that computes; a promise means that the engine must suspend by `wait`. */
  protected callHost(index: number, args: Value[]): Value | Promise<Value> {
    const { fiber } = this;
    const entry = this.table.entries[index];
    if (!fiber || !entry) throw new ScriptError('INTERNAL', 'a host call outside a fiber');
    this.#hostWork.ends();
    // A branch that ended early may clean up by calls that do not wait; of a whole run or chunk nothing more is taken.
    if (fiber.ending && this.#budget.ended) throw fiber.ending;
    const result = dispatch(entry, args, fiber.callContext(entry.name));
    if (++this.#calls % CALLS_PER_LOOK === 0 || !entry.pure) this.#look();
    if (result instanceof Promise) this.#pending = result;
    return result;
  }

  /** Makes the engine's next `wait` one for this promise; gives what tells the engine to wait. */
  protected suspend<T>(pending: Promise<Value>, wait: T): T {
    this.#pending = pending;
    return wait;
  }

  /** Makes the engine's next `wait` a turn for others, in which the fiber keeps the baton; then `goOn` says what the engine does next. Gives what tells the engine to wait. */
  protected giveTurn(goOn: () => number, wait: number): number {
    this.#afterTurn = goOn;
    return wait;
  }

  /** The turn has ended: goes on with what was begun, or throws the error that ended the fiber meanwhile. */
  protected goOn(outcome: Outcome): number {
    const goOn = this.#afterTurn;
    this.#afterTurn = undefined;
    if ('error' in outcome) throw outcome.error;
    if (!goOn) throw new ScriptError('INTERNAL', 'nothing was begun that could go on');
    return goOn();
  }

  /** True while a turn for others interrupts what was begun. */
  protected get givesTurn(): boolean {
    return this.#afterTurn !== undefined;
  }

  /** Host work outside of the engine, in steps: others have their turns where one is unfinished. */
  protected async inSteps<T>(step: T | Unfinished, more: () => T | Unfinished): Promise<T> {
    let result = step;
    while (result === UNFINISHED) {
      const outcome = await this.#turn();
      this.computing = false;
      if ('error' in outcome) throw outcome.error;
      result = more();
    }
    return result;
  }

  /** The run's clock, for the engine itself; one that throws ends the instance, whose frames it would leave half done. */
  protected now(): number {
    try {
      return this.run.now();
    } catch (error) {
      this.kill(asScriptError(error));
      throw error;
    }
  }

  /** The fiber that computes; throws INTERNAL outside one. */
  protected get current(): Fiber {
    if (!this.fiber) throw new ScriptError('INTERNAL', 'the engine called its host outside a fiber');
    return this.fiber;
  }

  /** Host work in the middle of a computation: fuel that ends meanwhile must not pause, since a frame of the host is on the stack. */
  protected outside<T>(work: () => T): T {
    const { computing } = this;
    this.computing = false;
    try {
      return work();
    } finally {
      if (computing) this.backInScript();
    }
  }

  /** The host's frames are off the stack: a pause that host work made due happens at the script's next loop head. */
  protected backInScript(): void {
    this.computing = true;
    this.#hostWork.ends();
    if (!this.#pauseDue) return;
    this.#pauseDue = false;
    this.setFuel(0);
  }

  /** The Suspending import behind every waiting call (and host code that waits itself): gives up the baton, waits, takes it back, says how it ended. */
  protected wait(pending: Promise<Value> | undefined = this.#pending): Promise<Outcome> {
    const { fiber } = this;
    this.#pending = undefined;
    if (this.#afterTurn) return this.#turn();
    if (!fiber || !pending) throw new ScriptError('INTERNAL', 'a wait outside a fiber');
    this.#waits++;
    const back = awayFrom(fiber);
    return new Promise<Outcome>((resolve, reject) => {
      this.#onDeath.add(reject);
      const settle = (outcome: Outcome) => {
        if (fiber.endWait === undefined) return;
        fiber.endWait = undefined;
        if (this.dead) return reject(this.dead);
        this.#baton.acquire({
          fiber,
          go: () => {
            this.#onDeath.delete(reject);
            back();
            this.#hostWork.ends();
            this.computing = true;
            if (fiber.ending) fiber.learnedAt ||= threadMs();
            resolve(outcome);
          },
        });
      };
      fiber.endWait = (error) => settle({ error });
      this.computing = false;
      this.#baton.release();
      fiber.waits();
      if (fiber.ending) settle({ error: fiber.ending });
      pending.then(
        (value) => settle({ value }),
        (error: ScriptError) => settle({ error }),
      );
    });
  }

  // Fuel.

  /**
   * The engine's fuel is used up: throws to kill, answers 1 to pause, 0 to go on with the fuel set anew.
   * An interpreter that asks by its own count does not `steer` the fuel.
   */
  protected tick(steer = true): 0 | 1 {
    const now = performance.now();
    if (this.dead) throw this.dead;
    if (steer) this.setFuel(this.#fuel.steer(now));
    this.#checkCpu(this.#baton.cpuMsAt(now));
    if (this.dead) throw this.dead;
    const { fiber } = this;
    if (!this.computing || !fiber) {
      this.#hostWork.goesOn();
      if (scheduler.expired(now)) this.#pauseDue = true;
      return 0;
    }
    if (this.#budget.stopping) fiber.end(this.#budget.stopping);
    if (fiber.ending || now > fiber.deadline) this.#stop(fiber);
    return scheduler.expired(now) ? 1 : 0;
  }

  /** The Suspending import behind a pause: keeps the baton, lets the event loop and others run. */
  protected pause(): Promise<void> {
    this.computing = false;
    const back = awayFrom(this.fiber);
    return new Promise((resolve, reject) => {
      this.#onDeath.add(reject);
      this.#baton.pause(() => {
        this.#onDeath.delete(reject);
        back();
        this.computing = true;
        resolve();
      });
    });
  }

  /** Ends the instance for good: open fibers and suspended stacks are rejected, which also frees their memory. */
  kill(error: Error): void {
    if (this.dead) return;
    this.dead = error;
    for (const refuse of [...this.#onDeath]) refuse(error);
    this.#onDeath.clear();
    this.#baton.close();
  }

  /** Ends an instance whose run is over; where nothing is left suspended in it, its memory serves another. */
  close(): void {
    const empty = !this.dead && this.#open === 0 && this.#onDeath.size === 0;
    this.kill(new ScriptError('CANCELLED', 'the run has ended'));
    this.release(empty);
  }

  usage(): Usage {
    return {
      cpu_ms: roundMs(this.run.cpu.ms),
      memory_bytes: this.memoryBytes(),
      calls: this.#calls,
      waits: this.#waits,
      fibers: this.#fibers,
    };
  }

  /** Ends what has computed for too long, by itself or by what the host does for it. */
  #checkCpu(ms: number): void {
    const error = this.#budget.exceeded(ms);
    if (error) this.kill(error);
  }

  /** Lets others have their turn in the middle of host work; the fiber keeps the baton. */
  async #turn(): Promise<Outcome> {
    const { fiber } = this;
    await this.pause();
    this.#hostWork.ends();
    if (fiber && performance.now() > fiber.deadline) fiber.end(fiber.timeout());
    return fiber?.ending ? { error: fiber.ending } : { value: null };
  }

  /** Tells a fiber that computes past its end to stop, and takes the instance down when that has no effect. */
  #stop(fiber: Fiber): void {
    fiber.end(fiber.timeout());
    const now = threadMs();
    if (fiber.learnedAt && now - fiber.learnedAt < CLEANUP_MS && this.#budget.mayCleanUp(this.#baton.cpuMsAt(performance.now()))) return;
    fiber.interruptedAt ||= now;
    this.interrupt(fiber);
    if (now - fiber.interruptedAt < INTERRUPT_GRACE_MS) this.setFuel(this.#fuel.little);
    else {
      this.kill(new ScriptError('LIMIT_EXCEEDED', `${fiber.ending?.message ?? 'interrupted'} and could not be interrupted`));
      throw this.dead;
    }
  }

  /** Host calls burn little fuel: look at the clock, after cheap ones now and then. */
  #look(): void {
    if (scheduler.expired(performance.now())) this.#pauseDue = true;
  }
}

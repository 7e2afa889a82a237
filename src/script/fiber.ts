import type { Context } from '../call/context.ts';
import { CallContext, type Caller, tookLonger } from '../call/run.ts';
import { ScriptError } from '../errors.ts';

export interface FiberOptions {
  /** Path of (parent, n-th child): the same whichever wait ended first. */
  readonly id: string;
  /** What calls of this fiber derive from. */
  readonly context: Context;
  readonly timeoutMs?: number | undefined;
  readonly title?: string | undefined;
  /** What it ends with past its deadline, if not with TIMEOUT. */
  readonly late?: ScriptError | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onFirstWait?: (() => void) | undefined;
}

/** One line of execution in an instance: the main chunk, or a callback that is running. */
export class Fiber implements Caller {
  readonly id: string;
  readonly context: Context;
  /** When it must be done, on the clock of `performance.now()`; baton waits push it back. */
  deadline: number;
  /** What it has called last, `State.save`. */
  method = '';
  /** How many calls it has made and how many fibers it has started. */
  calls = 0;
  children = 0;
  /** Base of its shadow stack in the engine's memory, and the engine's own handle (a Lua thread). */
  region = 0;
  thread = 0;
  anchor = 0;
  /** What of it was told last that it must stop: a Lua thread. */
  told = 0;
  traceback: string | undefined;
  /** The error of a function of the script that one of its calls raised last. */
  passed: ScriptError | undefined;
  /** What it raised last, as text, where that was none. */
  raised: string | undefined;
  /** Why it ends early: raised at its pending wait and every later one, and at the next safe point while it computes. */
  ending: ScriptError | undefined;
  /** Ends the wait it is in, if it is in one. */
  endWait: ((error: ScriptError) => void) | undefined;
  /** When it learned of its end at a wait, and when it was told to stop computing; on the thread's own clock, ms, less what others computed since. */
  learnedAt = 0;
  interruptedAt = 0;
  #abort: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #onFirstWait: (() => void) | undefined;
  readonly #outer: AbortSignal;
  readonly #options: FiberOptions;

  constructor(options: FiberOptions) {
    this.id = options.id;
    this.context = options.context;
    this.#outer = options.signal ?? options.context.signal;
    this.#onFirstWait = options.onFirstWait;
    this.#options = options;
    this.deadline = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.timeoutMs;
    this.#outer.addEventListener('abort', this.#onAbort, { once: true });
    if (options.timeoutMs !== undefined) this.#arm(options.timeoutMs);
    if (this.#outer.aborted) this.#onAbort();
  }

  /** Fires when this fiber ends early. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.ending) this.#abort.abort(this.ending);
    }
    return this.#abort.signal;
  }

  /** The key of the call that it made last. */
  get callKey(): string {
    return `${this.id}:${this.calls}`;
  }

  /** The context of its next call. */
  callContext(method: string): Context {
    this.method = method;
    return new CallContext(this.context.run, this.context, method, undefined, this, ++this.calls);
  }

  /** Ends the fiber: cancels its wait, and each later one; an instance interrupts what computes. */
  end(error: ScriptError): void {
    if (this.ending) return;
    this.ending = error;
    this.#abort?.abort(error);
    this.endWait?.(error);
  }

  /** Told by the instance at each wait. */
  waits(): void {
    const told = this.#onFirstWait;
    if (!told) return;
    this.#onFirstWait = undefined;
    told();
  }

  /** The error of its own deadline. */
  timeout(): ScriptError {
    return this.#options.late ?? tookLonger(this.#options);
  }

  /** Stops timers and listeners; nothing may run on it afterwards. */
  close(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#outer;
    this.end(reason instanceof ScriptError ? reason : new ScriptError('CANCELLED', 'cancelled'));
  };

  #arm(ms: number): void {
    this.#timer = setTimeout(() => {
      const left = this.deadline - performance.now();
      if (left > 1) this.#arm(left);
      else if (this.endWait) this.end(this.timeout());
      else this.#arm(50);
    }, ms);
  }
}

/** The fiber whose call this context is or derives from, if a fiber made it. */
export function fiberOf(context: Context): Fiber | undefined {
  return context instanceof CallContext && context.fiber instanceof Fiber ? context.fiber : undefined;
}

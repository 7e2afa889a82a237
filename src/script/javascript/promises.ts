import { lines } from '../../call/lines.ts';
import { CallContext, type RunContainer } from '../../call/run.ts';
import type { Value } from '../../call/value.ts';
import type { ScriptError } from '../../errors.ts';
import { Fiber } from '../fiber.ts';
import type { Outcome } from '../instance.ts';
import { scheduler } from '../scheduler.ts';
import type { Errors } from './errors.ts';
import { CLASS, PROMISE, pointerOf, TAG, tagOf } from './exports.ts';
import type { Machine } from './machine.ts';
import { Parking } from './parking.ts';
import { Rejections } from './rejections.ts';

/** Promise jobs between two looks at the clock. */
const JOBS_PER_LOOK = 64;

/** What promises need of their instance. */
export interface Stage {
  readonly run: RunContainer;
  readonly machine: Machine;
  readonly errors: Errors;
  /** What the script threw, as the host sees it; takes over the value's reference. */
  leave(thrown: bigint): Promise<ScriptError>;
  /** Sixteen bytes of the engine's memory. */
  readonly cell: number;
  /** Makes a promising call on the fiber's own stack. */
  compute<T>(fiber: Fiber, start: () => Promise<T>): Promise<T>;
  /** Lets the event loop run; host code goes on with the baton. */
  pause(): Promise<void>;
  /** Waits without the baton, and goes on with it. */
  wait(pending: Promise<Value>): Promise<Outcome>;
  enter(fiber: Fiber, body: () => Promise<void>): Promise<void>;
  /** How many fibers have begun and not ended. */
  open(): number;
}

/** The promises of one context: who waits for them, and the jobs that settle them. */
export class Promises {
  readonly #stage: Stage;
  readonly #rejections: Rejections;
  readonly #parking: Parking;
  #jobFibers = 0;
  #jobs: Promise<void> | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
    const { x, context, runtime } = stage.machine;
    this.#rejections = new Rejections(x, context);
    this.#parking = new Parking({
      background: stage.run.pending,
      open: stage.open,
      mayGoOn: (promise) => x.JS_IsJobPending(runtime) !== 0 || x.JS_PromiseState(context, promise) !== PROMISE.pending,
    });
  }

  /** What a promise comes to, and that promise's promise; a value that is none is the answer. Throws DEADLOCK when nothing can settle it. */
  async settle(fiber: Fiber, value: bigint): Promise<bigint> {
    const { x, heap, context, runtime } = this.#stage.machine;
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
      if (state === PROMISE.rejected) throw await this.#stage.leave(result);
      value = result;
    }
    return value;
  }

  /** Runs jobs that no fiber waits for on a fiber of their own. */
  startJobs(onFirstWait?: () => void): void {
    const { run, machine } = this.#stage;
    const pending = () => machine.x.JS_IsJobPending(machine.runtime) !== 0;
    if (this.#jobs || !pending()) return;
    const fiber = new Fiber({ id: `jobs.${++this.#jobFibers}`, context: new CallContext(run), onFirstWait });
    const body = () =>
      this.left(async () => {
        while (pending()) await this.#runJobs(fiber);
      });
    this.#jobs = this.#stage.enter(fiber, body).finally(() => {
      this.#jobs = undefined;
    });
    run.background(this.#jobs);
  }

  /** At the end of the main chunk: jobs run until they end or first wait; a rejection that nobody handles fails the run. */
  async finish(fiber: Fiber): Promise<void> {
    const { machine } = this.#stage;
    if (machine.x.JS_IsJobPending(machine.runtime)) {
      const { promise, resolve } = Promise.withResolvers<Value>();
      const done = () => resolve(null);
      this.startJobs(done);
      this.#jobs?.then(done, done);
      await this.#stage.wait(promise);
    }
    this.#throwUnhandled(fiber);
  }

  /** What a fiber does, told to those that wait for promises when it ends. */
  async left<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } finally {
      this.#parking.leave();
    }
  }

  /** Some fiber is about to wait for the host: those whose promises it settled go on. */
  look(): void {
    this.#parking.look();
  }

  /** The fiber is about to wait for functions of the script alone, or so it is while the call's lines are idle. */
  hold(fiber: Fiber, pending: Promise<Value>, when: true | 'when_idle'): void {
    if (when === true) return this.#parking.hold(fiber, pending);
    const own = this.#stage.run.get(lines);
    own.onIdle = () => this.#parking.leave();
    this.#parking.hold(fiber, pending, () => own.idle(fiber.callKey));
  }

  /** The engine's tracker: addresses of a promise and its reason, which are freed. */
  rejection(promiseAt: number, reasonAt: number, handled: boolean): void {
    const { x, heap } = this.#stage.machine;
    const [promise, reason] = [heap.value(promiseAt), heap.value(reasonAt)];
    x.wasm_free(promiseAt);
    x.wasm_free(reasonAt);
    this.#rejections.track(promise, reason, handled);
  }

  /** Runs pending jobs for a while. */
  async #runJobs(fiber: Fiber): Promise<void> {
    const { run, machine, errors, cell, compute, pause } = this.#stage;
    const most = Math.min(JOBS_PER_LOOK, run.limits.jobs_per_turn);
    const left = await compute(fiber, () => machine.promising.runJobs(machine.runtime, cell, most));
    const thrown = left < 0 ? machine.x.JS_GetException(machine.context) : undefined;
    if (fiber.ending && fiber.interruptedAt) throw thrown === undefined ? fiber.ending : errors.stopped(thrown, fiber.ending);
    if (thrown !== undefined) machine.x.JS_FreeValue(machine.context, thrown);
    if (scheduler.expired(performance.now())) await pause();
  }

  /** Waits until something may have happened to a promise that no job of now settles. */
  async #park(fiber: Fiber, promise: bigint): Promise<void> {
    this.#throwUnhandled(fiber);
    const outcome = await this.#stage.wait(this.#parking.park(fiber, promise));
    if ('error' in outcome) throw outcome.error;
  }

  #throwUnhandled(fiber: Fiber): void {
    if (fiber.id.includes('.')) return;
    const reason = this.#rejections.take();
    if (reason !== undefined) throw this.#stage.errors.leave(reason);
  }
}

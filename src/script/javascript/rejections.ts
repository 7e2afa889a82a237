import { pointerOf, type QuickJSExports } from './exports.ts';

interface Rejected {
  readonly promise: bigint;
  readonly reason: bigint;
}

/** Promises that were rejected and that nobody handles (yet). */
export class Rejections {
  readonly #x: QuickJSExports;
  readonly #context: number;
  readonly #open = new Map<number, Rejected>();

  constructor(x: QuickJSExports, context: number) {
    this.#x = x;
    this.#context = context;
  }

  /** The engine's tracker: takes over both references. */
  track(promise: bigint, reason: bigint, handled: boolean): void {
    if (handled) {
      this.forget(promise);
      this.#free({ promise, reason });
    } else this.#open.set(pointerOf(promise), { promise, reason });
  }

  /** Somebody handles it. */
  forget(promise: bigint): void {
    const known = this.#open.get(pointerOf(promise));
    if (!known) return;
    this.#open.delete(pointerOf(promise));
    this.#free(known);
  }

  /** The reason of the first unhandled rejection, with its reference; undefined if there is none. */
  take(): bigint | undefined {
    const first = this.#open.values().next();
    if (first.done) return undefined;
    const reason = this.#x.JS_DupValue(this.#context, first.value.reason);
    for (const rejected of this.#open.values()) this.#free(rejected);
    this.#open.clear();
    return reason;
  }

  #free({ promise, reason }: Rejected): void {
    this.#x.JS_FreeValue(this.#context, promise);
    this.#x.JS_FreeValue(this.#context, reason);
  }
}

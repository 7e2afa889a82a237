import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import type { Fiber } from '../fiber.ts';

interface Parked {
  readonly fiber: Fiber;
  readonly promise: bigint;
  readonly fail: (error: ScriptError) => void;
}

/** What the fibers of a context tell about themselves. */
export interface Lot {
  /** Work of the host that may call into the script yet. */
  readonly background: ReadonlySet<Promise<unknown>>;
  /** How many fibers have begun and not ended. */
  readonly open: () => number;
  readonly mayGoOn: (promise: bigint) => boolean;
}

/**
 * Fibers that wait for promises of the script: who can still settle them, and when to look again. When every fiber of the context waits like that,
 * or for functions of the script that do (`parallel`), nobody can.
 */
export class Parking {
  readonly #lot: Lot;
  readonly #parked = new Map<() => void, Parked>();
  /** Fibers in a call that waits for functions of the script alone, while their function says so. */
  readonly #held = new Map<Fiber, () => boolean>();
  #looking = false;

  constructor(lot: Lot) {
    this.#lot = lot;
  }

  /** A fiber, or a line of work of the host, has ended: what it leaves behind may be what others wait for. */
  leave(): void {
    this.#wake();
  }

  /** Some fiber is about to wait for the host: those whose promises it settled go on. */
  look(): void {
    for (const [wake, { promise }] of this.#parked) if (this.#lot.mayGoOn(promise)) wake();
  }

  /** The fiber waits for functions of the script, and for nothing else while `only` says so, until `pending` settles. */
  hold(fiber: Fiber, pending: Promise<unknown>, only: () => boolean = () => true): void {
    this.#held.set(fiber, only);
    const release = () => void this.#held.delete(fiber);
    pending.then(release, release);
  }

  /** Resolves when it is worth looking at the promise again; rejects with DEADLOCK when nobody is left who could settle it. */
  park(fiber: Fiber, promise: bigint): Promise<Value> {
    const { promise: changed, resolve, reject } = Promise.withResolvers<Value>();
    const wake = () => {
      if (this.#parked.delete(wake)) resolve(null);
    };
    this.#parked.set(wake, { fiber, promise, fail: reject });
    this.#judge();
    return changed;
  }

  /** Decides in a later turn: what has just been settled may be on its way to the next function. */
  #judge(): void {
    if (this.#looking || this.#stuck() === undefined) return;
    this.#looking = true;
    setImmediate(() =>
      setImmediate(() => {
        this.#looking = false;
        const apart = this.#stuck();
        if (apart === undefined) return;
        const { background } = this.#lot;
        if (background.size >= apart) return void Promise.race(background).then(this.#wake, this.#wake);
        const [wake, last] = [...this.#parked].at(-1) ?? [];
        if (!wake || !last) return;
        this.#parked.delete(wake);
        last.fail(new ScriptError('DEADLOCK', 'the script awaits a promise that nothing can settle any more'));
      }),
    );
  }

  /**
   * When no fiber can go on, the number of calls that wait apart from one another: each stands for one piece of background work at most, and what is
   * more may come back. Undefined while a fiber can go on.
   */
  #stuck(): number | undefined {
    const held = [...this.#held].flatMap(([fiber, only]) => (only() ? [fiber] : []));
    const fibers = [...held, ...[...this.#parked.values()].map(({ fiber }) => fiber)];
    if (fibers.length !== this.#lot.open() || fibers.some(({ ending }) => ending)) return undefined;
    const callers = new Set(fibers.map(({ context }) => context.key));
    for (const fiber of held) if (!callers.delete(fiber.callKey)) return undefined;
    return callers.size;
  }

  readonly #wake = (): void => {
    for (const wake of [...this.#parked.keys()]) wake();
  };
}

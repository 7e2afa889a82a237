import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';

/** Fibers that wait for promises of the script: who can still settle them, and when to look again. */
export class Parking {
  readonly #background: ReadonlySet<Promise<unknown>>;
  readonly #mayGoOn: (promise: bigint) => boolean;
  readonly #parked = new Map<() => void, bigint>();
  #fibers = 0;

  /** `background` is work of the host that may call into the script yet. */
  constructor(background: ReadonlySet<Promise<unknown>>, mayGoOn: (promise: bigint) => boolean) {
    this.#background = background;
    this.#mayGoOn = mayGoOn;
  }

  /** A fiber begins. */
  enter(): void {
    this.#fibers++;
  }

  /** A fiber has ended: what it leaves behind may be what others wait for. */
  leave(): void {
    this.#fibers--;
    this.#wake();
  }

  /** Some fiber is about to wait for the host: those whose promises it settled go on. */
  look(): void {
    for (const [wake, promise] of this.#parked) if (this.#mayGoOn(promise)) wake();
  }

  /** Resolves when it is worth looking at the promise again; throws DEADLOCK when nobody is left who could settle it. */
  park(promise: bigint): Promise<Value> {
    const { promise: changed, resolve } = Promise.withResolvers<Value>();
    const wake = () => {
      if (this.#parked.delete(wake)) resolve(null);
    };
    this.#parked.set(wake, promise);
    if (this.#parked.size === this.#fibers) {
      // Each parked callback stands for one piece of background work at most; what is more may come back.
      if (this.#background.size < this.#parked.size) {
        this.#parked.delete(wake);
        throw new ScriptError('DEADLOCK', 'the script awaits a promise that nothing can settle any more');
      }
      void Promise.race(this.#background).then(wake, wake);
    }
    return changed;
  }

  #wake(): void {
    for (const wake of [...this.#parked.keys()]) wake();
  }
}

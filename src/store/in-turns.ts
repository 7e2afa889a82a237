import { doneInTurns } from '../call/breath.ts';
import { cancelled } from '../call/run.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Charge } from './store.ts';

/** Work that may be interrupted now and then. */
export type Steps<T> = Generator<undefined, T>;

/** Changes of something in memory, one at a time: one that takes several turns lets no other begin until it is done. */
export class OneAtATime {
  #busy: Promise<void> | undefined;

  /** Does it at once where nothing is under way, else when that is done. */
  whenFree<T>(work: () => Soon<T>): Soon<T> {
    if (this.#busy) return this.#busy.then(() => this.whenFree(work));
    const result = work();
    if (result instanceof Promise) {
      const free = () => {
        this.#busy = undefined;
      };
      this.#busy = result.then(free, free);
    }
    return result;
  }
}

/** Does work in steps for a call, over several turns of the event loop. Throws CANCELLED, at the latest when it is done, where the call was cancelled meanwhile. */
export function doneFor<T>({ run, signal }: Charge, steps: Steps<T>): Soon<T> {
  const goOn = () => {
    if (signal?.aborted) throw cancelled(signal);
  };
  return whenReady(doneInTurns(run.cpu, eachAllowed(steps, goOn)), (result) => {
    goOn();
    return result;
  });
}

function* eachAllowed<T>(steps: Steps<T>, goOn: () => void): Steps<T> {
  try {
    for (;;) {
      goOn();
      const { done, value } = steps.next();
      if (done) return value;
      yield;
    }
  } finally {
    // What is left in the middle may have to close something.
    steps.return(undefined as T);
  }
}

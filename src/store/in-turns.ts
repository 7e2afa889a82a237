import { doneInTurns } from '../call/breath.ts';
import { cancelled } from '../call/run.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Charge } from './store.ts';

/** Does work in steps for a call, over several turns of the event loop. Throws CANCELLED, at the latest when it is done, where the call was cancelled meanwhile. */
export function doneFor<T>({ run, signal }: Charge, steps: Generator<undefined, T>): Soon<T> {
  const goOn = () => {
    if (signal?.aborted) throw cancelled(signal);
  };
  return whenReady(doneInTurns(run.cpu, eachAllowed(steps, goOn)), (result) => {
    goOn();
    return result;
  });
}

function* eachAllowed<T>(steps: Generator<undefined, T>, goOn: () => void): Generator<undefined, T> {
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

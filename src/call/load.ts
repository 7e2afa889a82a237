import { setImmediate as nextTurn } from 'node:timers/promises';

/** What loads a module last, and before it what it needs. */
type Steps<T> = readonly [...(() => unknown)[], () => Promise<T>];

/** Loads modules one in each turn of the event loop: what is imported at once is evaluated at once, and holds the loop for as long. Gives the last. */
export async function loadInTurns<T>(...steps: Steps<T>): Promise<T> {
  let last: unknown;
  for (const step of steps) {
    await nextTurn();
    last = await step();
  }
  await nextTurn();
  return last as T;
}

/** The same, at the first call; a failure is not kept. */
export function loadedOnce<T>(...steps: Steps<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= loadInTurns(...steps).catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}

import type { Callback, Context } from '../call/context.ts';
import { events } from '../event/bus.ts';

/** Tells a function of the script and the listeners of an event how far long work is, at most every 100 ms and never two at once. */
export function progressTo(context: Context, eventType: string, fn: Callback | undefined): { report(done: number, total: number): void; end(): Promise<void> } {
  let last = 0;
  let latest: { done: number; total: number } | undefined;
  let telling: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  async function tell(): Promise<void> {
    while (latest) {
      const { done, total } = latest;
      latest = undefined;
      last = performance.now();
      await context.run.get(events).announce(context, eventType, { done, total });
      if (fn) await context.invoke(fn, [done, total]);
    }
  }

  function start(): void {
    telling ??= tell()
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => {
        telling = undefined;
      });
  }

  return {
    report(done, total) {
      latest = { done, total };
      if (performance.now() - last >= 100) start();
    },
    /** Tells the last figure; throws what the function threw. */
    async end() {
      await telling;
      start();
      await telling;
      if (failure) throw failure.error;
    },
  };
}

import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';

/** What is waited for before another attempt at most. */
export const LONGEST_WAIT_MS = 60_000;
const FIRST_WAIT_MS = 250;

/** Does something again while its failure says that this may help, after the wait that the provider asks for, else one that doubles, with jitter. */
export async function retrying<T>(context: Context, retries: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const details = error instanceof ScriptError ? (error.details ?? {}) : {};
      if (attempt >= retries || context.signal.aborted || details.retryable !== true) throw error;
      await context.run.sleep(Math.min(waitBefore(attempt, error, Math.random()), LONGEST_WAIT_MS), context.signal);
    }
  }
}

/** The wait that a failure asks for, ms. */
export function askedWait(error: unknown): number | undefined {
  const asked = error instanceof ScriptError ? error.details?.retry_after_ms : undefined;
  return typeof asked === 'number' ? asked : undefined;
}

/** The wait before another attempt, ms: what the provider asks for, else one that doubles, with jitter by a random number in [0, 1). */
export function waitBefore(attempt: number, error: unknown, random: number): number {
  return askedWait(error) ?? Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS) * (0.5 + random);
}

import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';

const LONGEST_WAIT_MS = 60_000;
const FIRST_WAIT_MS = 250;

/** Does something again while its failure says that this may help, after the wait that the provider asks for, else one that doubles, with jitter. */
export async function retrying<T>(context: Context, retries: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const details = error instanceof ScriptError ? (error.details ?? {}) : {};
      if (attempt >= retries || context.signal.aborted || details.retryable !== true) throw error;
      const asked = details.retry_after_ms;
      const wait = typeof asked === 'number' ? asked : FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random());
      await context.run.sleep(Math.min(wait, LONGEST_WAIT_MS), context.signal);
    }
  }
}

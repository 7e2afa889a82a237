import type { Transferable } from 'node:worker_threads';
import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import { inWorker } from '../worker/pool.ts';

/** What a tool's work in a thread may take when nobody says otherwise, ms. */
export const WORK_DEADLINE_MS = 10_000;

/** Runs work that may take long in a thread beside the event loop. Throws what the work throws, TIMEOUT at its deadline, and ends it when the call is cancelled. */
export async function beside<T>(
  context: Context,
  task: URL,
  args: unknown,
  { deadlineMs = WORK_DEADLINE_MS, transfer }: { deadlineMs?: number; transfer?: readonly Transferable[] } = {},
): Promise<T> {
  try {
    return await inWorker<T>(task, args, { deadlineMs, signal: context.signal, run: context.run, transfer });
  } catch (error) {
    throw explainWork(context, error);
  }
}

/** The error of work that ran elsewhere, named after the tool where it came from a limit of the work itself. */
export function explainWork(context: Context, error: unknown): unknown {
  if (!(error instanceof ScriptError) || context.signal.aborted || !error.message.startsWith('the work ')) return error;
  return new ScriptError(error.code, `${context.method}: ${error.message}`, { details: { outcome: 'failed', retryable: false } });
}

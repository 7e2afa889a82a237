import { ScriptError } from '../errors.ts';
import { type Context, runService } from './context.ts';
import { cancelled } from './run.ts';

const open = runService('external calls', () => ({ count: 0 }));

/** Makes a call to the world, of which a run has so many open at once. Throws LIMIT_EXCEEDED beyond `limits.external_calls`. */
export async function external<T>(context: Context, call: () => Promise<T>): Promise<T> {
  const calls = context.run.get(open);
  const most = context.run.limits.external_calls;
  if (calls.count >= most)
    throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: more than limits.external_calls = ${most} calls of models and servers at once`, {
      details: { outcome: 'not_sent', retryable: true },
    });
  calls.count++;
  try {
    return await call();
  } finally {
    calls.count--;
  }
}

/** What the work comes to, or the signal's error as soon as it fires: for work that may not heed it. */
export function unlessCancelled<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(cancelled(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

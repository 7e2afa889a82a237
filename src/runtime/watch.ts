import type { RunContainer } from '../call/run.ts';
import { MOST_MS } from '../config/config.ts';
import { ScriptError } from '../errors.ts';
import type { ScriptInstance } from '../script/engine.ts';

/** A run that was cancelled from outside and computes on after this, ms, is killed. */
const CANCEL_GRACE_MS = 200;

/** What bounds a run from outside; disposed, it no longer does. */
interface Watch extends Disposable {
  /** What the run was ended with. */
  readonly ended: ScriptError | undefined;
}

/** Bounds a run from outside: the wall limit kills it, the caller's signal cancels it and then kills it. */
export function watch(run: RunContainer, instance: ScriptInstance, signal: AbortSignal | undefined): Watch {
  const timers: NodeJS.Timeout[] = [];
  let ended: ScriptError | undefined;
  const { timeout_ms } = run.limits;
  if (timeout_ms > 0) {
    const error = () => new ScriptError('LIMIT_EXCEEDED', `the run took longer than limits.timeout_ms = ${timeout_ms} ms`);
    timers.push(setTimeout(() => kill(error()), Math.min(timeout_ms, MOST_MS)));
  }
  const end = (error: ScriptError) => {
    ended ??= error;
    run.abort(error);
  };
  const kill = (error: ScriptError) => {
    end(error);
    instance.kill(error);
  };
  const onAbort = () => {
    const error = cancellation(signal);
    end(error);
    timers.push(setTimeout(() => instance.kill(error), CANCEL_GRACE_MS));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    get ended() {
      return ended;
    },
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** What a run ends with whose signal is aborted. */
export function cancellation(signal: AbortSignal | undefined): ScriptError {
  return signal?.reason instanceof ScriptError ? signal.reason : new ScriptError('CANCELLED', 'the run was cancelled');
}

/** Waits for what still goes on when the main chunk has returned; cancels and counts the rest. */
export async function drain(run: RunContainer): Promise<number> {
  run.draining = true;
  if (run.pending.size === 0) return 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => {
    timer = setTimeout(done, run.limits.drain_ms);
  });
  const settled = async () => {
    while (run.pending.size > 0) await Promise.allSettled([...run.pending]);
  };
  await Promise.race([settled(), late]);
  clearTimeout(timer);
  const left = run.pending.size;
  run.abort(new ScriptError('CANCELLED', 'the run has ended'));
  return left;
}

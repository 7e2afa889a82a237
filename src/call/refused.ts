import { ScriptError } from '../errors.ts';
import type { Context } from './context.ts';
import type { Soon } from './soon.ts';

/** The error itself or what it wraps that the runtime refused by; undefined for what a script raised, which was told when it first happened. */
function refusalOf(error: unknown): ScriptError | undefined {
  for (let one = error; one instanceof ScriptError; one = one.cause) {
    if (one.thrown !== undefined) return undefined;
    if (one.code === 'NOT_ALLOWED' || one.code === 'LIMIT_EXCEEDED' || one.code === 'DEPTH_EXCEEDED') return one;
  }
  return undefined;
}

/** Throws the error on, at once or when those who watch for refusals have been told. */
export function raise(context: Context, error: unknown): Promise<never> {
  const refusal = refusalOf(error);
  const telling = refusal && context.run.refused(context, refusal);
  if (!telling) throw error;
  return telling.then(() => {
    throw error;
  });
}

/** Does the work; what it refuses is told before it is thrown on. */
export function telling<T>(context: Context, work: () => Soon<T>): Soon<T> {
  try {
    const result = work();
    return result instanceof Promise ? result.catch((error: unknown) => raise(context, error)) : result;
  } catch (error) {
    return raise(context, error);
  }
}

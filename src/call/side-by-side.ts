import { ScriptError } from '../errors.ts';
import { breathe } from './breath.ts';
import type { Context } from './context.ts';
import { lines } from './lines.ts';
import { cancelled } from './run.ts';

/** Does the work for every item, so many at once, results in the items' order; the first failure cancels the rest, which is waited for, and is thrown. */
export async function sideBySide<T, R>(
  context: Context,
  items: readonly T[],
  work: (context: Context, item: T, index: number) => Promise<R>,
  { atOnce = items.length, why = 'another one at its side failed' }: { readonly atOnce?: number; readonly why?: string } = {},
): Promise<R[]> {
  const abort = new AbortController();
  const inside = context.with({ signal: AbortSignal.any([context.signal, abort.signal]) });
  const results: R[] = new Array(items.length);
  let failure: { readonly error: unknown } | undefined;
  let next = 0;
  const worker = async () => {
    while (next < items.length && !inside.signal.aborted) {
      const index = next++;
      const breath = breathe(context.run.cpu);
      if (breath) await breath;
      try {
        results[index] = await work(inside, items[index] as T, index);
      } catch (error) {
        failure ??= { error };
        abort.abort(new ScriptError('CANCELLED', why));
      }
    }
  };
  const own = context.run.get(lines);
  await own.waiting(context, () => Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, () => own.busy(context, worker))));
  if (context.signal.aborted) throw cancelled(context.signal);
  if (failure) throw failure.error;
  return results;
}

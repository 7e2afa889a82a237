import { ScriptError } from '../errors.ts';
import type { Context } from './context.ts';

/** Throws CONFLICT when the main chunk has returned: nothing begins then that would go on by itself. */
export function refuseAfterEnd({ run, method }: Pick<Context, 'run' | 'method'>): void {
  if (run.draining) throw new ScriptError('CONFLICT', `${method}: the script has ended: what it began is awaited, nothing new begins`);
}

import type { Context } from '../call/context.ts';
import { runService } from '../call/context.ts';
import type { ScriptError } from '../errors.ts';
import { MAX_HOOK_DEPTH } from '../event/bus.ts';
import { hooks } from './hooks.ts';

const POINTS: Readonly<Record<string, string>> = { NOT_ALLOWED: 'security:violation', LIMIT_EXCEEDED: 'limit:exceeded', DEPTH_EXCEEDED: 'limit:exceeded' };
const MOST_REMEMBERED = 256;

const told = runService('refusals', () => ({ errors: new WeakSet<ScriptError>(), texts: new Set<string>() }));

/** Fires `security:violation` or `limit:exceeded` for an error that is one, once; hooks look on and cannot change what is refused. */
export function tellRefusal(context: Context, error: ScriptError): void | Promise<void> {
  const point = POINTS[error.code];
  if (point === undefined || context.hookDepth >= MAX_HOOK_DEPTH) return;
  const known = context.run.get(told);
  if (known.errors.has(error)) return;
  known.errors.add(error);
  if (known.texts.size < MOST_REMEMBERED) known.texts.add(`${error.code} ${error.message}`);
  return tell(context, point, error, false);
}

/** Tells the host's hooks of a limit that ended a run: those of the script cannot run any more. */
export async function tellEnd(context: Context, error: ScriptError): Promise<void> {
  const point = POINTS[error.code];
  if (point === undefined || context.run.get(told).texts.has(`${error.code} ${error.message}`)) return;
  await tell(context, point, error, true);
}

function tell(context: Context, point: string, { code, message, method }: ScriptError, hostOnly: boolean): void | Promise<void> {
  const name = method ?? context.method;
  const fields = { name, input: { code, message, ...(name !== '' && { method: name }) }, error: { code, message } };
  try {
    const work = context.run.get(hooks).fire(context, point, fields, { hostOnly });
    // The operation is refused already, whatever its hooks do.
    if (work instanceof Promise)
      return work.then(
        () => undefined,
        () => undefined,
      );
  } catch {
    return undefined;
  }
}

import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { allowedBy } from '../../call/capability.ts';
import type { Context } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';
import { inside } from '../files/access.ts';

/** The real file of an allowed program. Throws NOT_ALLOWED for any other, and for one that the run could have written itself, NOT_FOUND when it is not installed. */
export function programFile(context: Context, program: string): string {
  const { programs, write } = context.run.grants;
  if (!programs.includes(program))
    throw new ScriptError(
      'NOT_ALLOWED',
      `${context.method}: this run may not start ${JSON.stringify(program.slice(0, 100))}; allowed are ${programs.join(', ') || 'none'} (${allowedBy('programs', 'NAME')})`,
      { details: { outcome: 'not_sent', retryable: false } },
    );
  const found = find(program);
  if (found === undefined)
    throw new ScriptError('NOT_FOUND', `${context.method}: the program ${program} is not installed`, { details: { outcome: 'not_sent', retryable: false } });
  if (write.some((folder) => inside(real(folder) ?? folder, found)))
    throw new ScriptError('NOT_ALLOWED', `${context.method}: ${program} lies in a folder that this run may write, so it is not started`, {
      details: { outcome: 'not_sent', retryable: false },
    });
  return found;
}

/** A name is looked for in the host's PATH; a path must be absolute. */
function find(program: string): string | undefined {
  if (/[\\/]/.test(program)) return isAbsolute(program) && isProgram(program) ? real(program) : undefined;
  const endings = process.platform === 'win32' ? ['.exe', '.com', ''] : [''];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute);
  const candidates = folders.flatMap((folder) => endings.map((ending) => join(folder, program + ending)));
  const found = candidates.find(isProgram);
  return found === undefined ? undefined : real(found);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function real(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

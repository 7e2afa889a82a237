import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import type { Filter } from './knowledge.ts';
import { compileFilter } from './store/filter.ts';

/** Throws BAD_ARGUMENT, with the method and the place, for what is no filter. */
export function checkFilter({ method }: Context, filter: Filter | undefined): void {
  try {
    if (filter) compileFilter(filter, 0, 'set');
  } catch (error) {
    throw error instanceof ScriptError ? new ScriptError(error.code, `${method}: ${error.message}`) : error;
  }
}

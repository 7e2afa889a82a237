import { ScriptError } from '../errors.ts';

/** The parameter that an operation of a tool cannot do without. Throws BAD_ARGUMENT where it is not given. */
export function needed<T>(value: T | undefined, tool: string, parameter: string, operation: string): T {
  if (value === undefined) throw new ScriptError('BAD_ARGUMENT', `${tool}: ${parameter}: needed for ${operation}`);
  return value;
}

import { ScriptError } from '../errors.ts';

/** The engine's own errors and the end of V8's stack, after which it cannot go on. */
export function isOfEngine(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || isEndOfStack(error) || error instanceof WebAssembly.Exception;
}

/** Told by its text: code of the host throws other RangeErrors while its values are read. */
function isEndOfStack(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

/** The error that a run ends with whose engine cannot go on. */
export function fatal(error: unknown): ScriptError {
  if (isEndOfStack(error)) return new ScriptError('LIMIT_EXCEEDED', 'the script nests too deep for the stack', { cause: error });
  return error instanceof ScriptError
    ? error
    : new ScriptError('INTERNAL', `the script engine failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

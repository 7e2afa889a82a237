import { describe } from '../call/check/failure.ts';
import { unreadableText } from '../call/crossing.ts';
import { pathText } from '../call/path.ts';
import { MISFIT } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { isOfEngine } from './fatal.ts';

type Code = 'LIMIT_EXCEEDED' | 'INTERNAL';

/** A value of the host that cannot go to the script, with the place inside it; who passes the value says what it is. */
export class Misfit extends Error {
  readonly #code: Code;
  readonly #path: string;

  constructor(what: string, code: Code = 'INTERNAL', keys: readonly (string | number)[] = []) {
    super(what);
    this.#code = code;
    this.#path = pathText(keys);
  }

  static limit(which: 'depth' | 'nodes' | 'bytes'): Misfit {
    return new Misfit(MISFIT[which], 'LIMIT_EXCEEDED');
  }

  static noData(value: unknown): Misfit {
    return new Misfit(`expected data, got ${describe(value)}`);
  }

  /** What a writer threw at this path; errors of ours and of the engine as they are. */
  static at(keys: readonly (string | number)[], error: unknown): unknown {
    if (error instanceof Misfit) return error.#path === '' ? new Misfit(error.message, error.#code, keys) : error;
    if (error instanceof ScriptError || isOfEngine(error)) return error;
    return new Misfit(unreadableText(error), 'INTERNAL', keys);
  }

  /** The error that names method and place; `name` is what the value is to the script, `result`. */
  toError(method: string, name: string): ScriptError {
    return new ScriptError(this.#code, `${method}: ${name}${this.#path}: ${this.message}`, { method });
  }
}

/** Does the work; a value that cannot go to the script is an error that names method and value. */
export function naming<T>(method: string, name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof Misfit ? error.toError(method, name) : error;
  }
}

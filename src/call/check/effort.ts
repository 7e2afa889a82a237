import { ScriptError } from '../../errors.ts';

/** Steps that one check may take, of some 20 to 40 ns each: in a schema that refers to itself they can double at every level. */
const MOST_STEPS = 1_000_000;
/** Trying an alternative costs as much as so many steps. */
const ALTERNATIVE = 2;
/** Characters that are looked at in one step. */
const CHARACTERS = 8;

let left = Number.POSITIVE_INFINITY;

/** Does one check of a whole value, which `path` names. Throws LIMIT_EXCEEDED when its schema makes it too much. */
export function withEffort<T>(path: string, check: () => T): T {
  const before = left;
  left = MOST_STEPS;
  try {
    return check();
  } catch (error) {
    // An alternative that is the schema itself never comes to an end.
    if (error !== TOO_MUCH && !(error instanceof RangeError)) throw error;
    throw new ScriptError('LIMIT_EXCEEDED', `${path}: the schema makes it more than ${MOST_STEPS} steps to check`);
  } finally {
    left = before;
  }
}

const TOO_MUCH = new Error('too many steps');

/** Counts steps that are about to be done. */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0) throw TOO_MUCH;
}

/** Counts one alternative that is tried. */
export function choose(): void {
  spend(ALTERNATIVE);
}

/** Counts the reading of a text. */
export function spendReading(text: string): void {
  spend(text.length / CHARACTERS);
}

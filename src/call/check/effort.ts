import { ScriptError } from '../../errors.ts';

/** Alternatives that one check may try: in a schema that refers to itself they can double at every level. */
const MOST_CHOICES = 250_000;

let left = Number.POSITIVE_INFINITY;

/** Does one check of a whole value, which `path` names. Throws LIMIT_EXCEEDED when its schema makes it too much. */
export function withEffort<T>(path: string, check: () => T): T {
  const before = left;
  left = MOST_CHOICES;
  try {
    return check();
  } catch (error) {
    // An alternative that is the schema itself never comes to an end.
    if (error !== TOO_MUCH && !(error instanceof RangeError)) throw error;
    throw new ScriptError('LIMIT_EXCEEDED', `${path}: the schema's alternatives make it more than ${MOST_CHOICES} checks of one value`);
  } finally {
    left = before;
  }
}

const TOO_MUCH = new Error('too many alternatives');

/** Counts one alternative that is tried, or work that costs as much as so many. */
export function choose(cost = 1): void {
  left -= cost;
  if (left < 0) throw TOO_MUCH;
}

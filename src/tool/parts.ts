import { isMap } from '../call/check/kind.ts';
import type { Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';

/** Parts and levels of a value that goes to a script within the answer of a tool; the rest is for what stands around it. */
export const MOST_PARTS = 90_000;
export const MOST_LEVELS = 60;

/** Throws LIMIT_EXCEEDED that begins with `place` when a value could not go to a script. */
export function checkParts(value: Value, place = 'the JSON text'): void {
  const left = room(value, MOST_PARTS, MOST_LEVELS);
  if (left === undefined) throw new ScriptError('LIMIT_EXCEEDED', `${place}: nested deeper than ${MOST_LEVELS}`);
  if (left < 0) throw new ScriptError('LIMIT_EXCEEDED', `${place}: more than ${MOST_PARTS} parts in one value`);
}

/** What is left of a number of parts, less than none where they are too few; undefined for a value that is nested too deep. */
function room(value: Value, most: number, levels: number): number | undefined {
  if (!Array.isArray(value) && !isMap(value)) return most;
  if (levels === 0) return undefined;
  const items = Array.isArray(value) ? value : Object.values(value);
  let left = most - items.length;
  for (let at = 0; at < items.length && left >= 0; at++) {
    const after = room(items[at] as Value, left, levels - 1);
    if (after === undefined) return undefined;
    left = after;
  }
  return left;
}

import { fromJsonText } from '../call/json.ts';
import type { Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';

/** The value of JSON that somebody typed. Throws BAD_ARGUMENT, behind `place`: what is no JSON most likely lacks quotes. */
export function givenJson(text: string, place?: string): Value {
  try {
    return fromJsonText(text, place);
  } catch (error) {
    if (isJson(text)) throw error;
    const expected = place === undefined ? 'expected' : `${place}: expected`;
    throw new ScriptError('BAD_ARGUMENT', `${expected} JSON, got ${JSON.stringify(text.slice(0, 60))} (a text needs its quotes: '"text"')`);
  }
}

/** Whether it is JSON, though perhaps none that a script can have. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

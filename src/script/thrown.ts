import { isMap } from '../call/check/kind.ts';
import { toJsonText } from '../call/json.ts';
import { pieceEnd } from '../call/text.ts';
import { define, type Value, type ValueMap } from '../call/value.ts';
import { ERROR_CODES, type ErrorCode, ScriptError } from '../errors.ts';

/** What a message shows of a value, characters. */
const SHOWN = 200;

/** A value that a script threw, as the host sees it; `data` is undefined where it is none. The message is the value's own, else what is `said` of it, else its beginning. */
export function fromThrown(data: Value | undefined, said?: string): ScriptError {
  const { message, code } = isMap(data) ? data : {};
  const shown = said || `the script threw ${data === undefined ? 'a value that is no data' : beginning(data)}`;
  return new ScriptError(codeOf(code), typeof message === 'string' && message !== '' ? message : shown, data == null ? {} : { details: { value: data } });
}

/** The code of ours that a script gave its error. */
export function codeOf(value: unknown): ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value) ? (value as ErrorCode) : 'SCRIPT_ERROR';
}

/** The beginning of a value as JSON. */
function beginning(value: Value): string {
  const text = toJsonText(sample(value, { parts: SHOWN }), { describe: true });
  return text.length > SHOWN ? `${text.slice(0, pieceEnd(text, 0, SHOWN))}…` : text;
}

/** As much of a value as can be shown, since each part takes a character at least: large ones are not written as a whole. */
function sample(value: Value, left: { parts: number }): Value {
  if (typeof value === 'string') return value.slice(0, SHOWN);
  if (value instanceof Uint8Array) return value.subarray(0, SHOWN);
  if (Array.isArray(value)) {
    const items: Value[] = [];
    for (const item of value) if (left.parts-- > 0) items.push(sample(item, left));
    return items;
  }
  if (!isMap(value)) return value;
  const fields: ValueMap = {};
  for (const [key, item] of Object.entries(value)) if (left.parts-- > 0) define(fields, key, sample(item as Value, left));
  return fields;
}

import { ScriptError, translated } from '../errors.ts';
import { Failure } from './check/failure.ts';
import { isMap } from './check/kind.ts';
import { isText } from './text.ts';
import { Float, Handle, MISFIT, SCRIPT_CALLBACK, VALUE_LIMITS, type ValueMap } from './value.ts';

const LEAST_INTEGER = -(2n ** 63n);
const MOST_INTEGER = 2n ** 63n - 1n;

/** What may still come: parts of the value, and units of its texts, names and bytes. */
interface Left {
  nodes: number;
  bytes: number;
}

/** What keeps a value of the host from going to a script, with its place; undefined when nothing does. */
export function obstacle(value: unknown): Failure | undefined {
  return isScalar(value) ? undefined : search(value, { nodes: VALUE_LIMITS.nodes - 1, bytes: VALUE_LIMITS.bytes }, 0);
}

/** Throws BAD_ARGUMENT that begins with `place` when a value that the host gives cannot go to a script. */
export function checkCrosses(place: string, value: unknown): void {
  const barrier = obstacle(value);
  if (barrier) throw barrier.toError(place, 'javascript');
}

/** The fields that a script sees on a handle, if it has any. Throws INTERNAL that names the handle when they cannot go to a script. */
export function fieldsOf({ type, target }: Handle): ValueMap | undefined {
  const refuse = (why: string, cause?: unknown) => new ScriptError('INTERNAL', `${type.name} handle: a field cannot go to a script: ${why}`, { cause });
  let fields: ValueMap | undefined;
  try {
    fields = type.fields?.(target);
  } catch (error) {
    throw translated(error, refuse);
  }
  const barrier = obstacle(fields);
  if (barrier) throw refuse(barrier.message('', 'javascript'));
  return fields;
}

/** Nobody will have the promises in a value: that they fail is of no interest. */
export function forgetPromises(value: unknown, left: { nodes: number } = { nodes: VALUE_LIMITS.nodes }, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > VALUE_LIMITS.depth) return;
  try {
    if (value instanceof Promise) value.catch(() => undefined);
    else if (Array.isArray(value) || isMap(value)) {
      for (const item of Object.values(value)) {
        if (--left.nodes < 0) return;
        forgetPromises(item, left, depth + 1);
      }
    }
  } catch {
    // What throws when it is read has no promises that we could know.
  }
}

/** True for what may cross as it is, so that it costs no call. */
function isScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined;
}

function search(value: unknown, left: Left, depth: number): Failure | undefined {
  switch (typeof value) {
    case 'string':
      return (left.bytes -= value.length) < 0 ? misfit(MISFIT.bytes) : isText(value) ? undefined : misfit(MISFIT.text);
    case 'bigint':
      return value < LEAST_INTEGER || value > MOST_INTEGER ? new Failure('an integer of at most 64 bits', value) : undefined;
    case 'object':
      return value === null ? undefined : searchObject(value, left, depth);
    case 'function':
      return SCRIPT_CALLBACK in value ? undefined : new Failure('data', value);
    case 'symbol':
      return new Failure('data', value);
    default:
      return undefined;
  }
}

function searchObject(value: object, left: Left, depth: number): Failure | undefined {
  try {
    const list = Array.isArray(value);
    if (!list && !isMap(value)) return searchOther(value, left);
    if (depth >= VALUE_LIMITS.depth) return misfit(`${MISFIT.depth}, or a value that contains itself`);
    return list ? searchList(value, left, depth) : searchMap(value, left, depth);
  } catch (error) {
    return unreadable(error);
  }
}

function searchList(list: readonly unknown[], left: Left, depth: number): Failure | undefined {
  if ((left.nodes -= list.length) < 0) return misfit(MISFIT.nodes);
  let at = 0;
  try {
    for (; at < list.length; at++) {
      const item = list[at];
      const found = isScalar(item) ? undefined : search(item, left, depth + 1);
      if (found) return found.at(at);
    }
  } catch (error) {
    return unreadable(error).at(at);
  }
  return undefined;
}

function searchMap(map: Readonly<Record<string, unknown>>, left: Left, depth: number): Failure | undefined {
  const keys = Object.keys(map);
  if ((left.nodes -= keys.length) < 0) return misfit(MISFIT.nodes);
  let key = '';
  try {
    for (key of keys) {
      if ((left.bytes -= key.length) < 0) return misfit(MISFIT.bytes).at(key);
      if (!isText(key)) return misfit(MISFIT.name).at(key);
      const item = map[key];
      const found = isScalar(item) ? undefined : search(item, left, depth + 1);
      if (found) return found.at(key);
    }
  } catch (error) {
    return unreadable(error).at(key);
  }
  return undefined;
}

function searchOther(value: object, left: Left): Failure | undefined {
  if (value instanceof Float || value instanceof Handle) return undefined;
  if (!(value instanceof Uint8Array)) return new Failure('data', value);
  if ((left.bytes -= value.length) < 0) return misfit(MISFIT.bytes);
  return value.length === 0 && isGone(value) ? misfit('expected bytes, got those of an ArrayBuffer that was detached') : undefined;
}

/** True for bytes that are nobody's any more: reading them throws. */
function isGone(bytes: Uint8Array): boolean {
  try {
    new Uint8Array().set(bytes);
    return false;
  } catch {
    return true;
  }
}

function misfit(sentence: string): Failure {
  return new Failure('data', undefined, false, sentence);
}

function unreadable(error: unknown): Failure {
  return misfit(unreadableText(error));
}

/** What to say of a value of the host whose code threw this while it was read. */
export function unreadableText(error: unknown): string {
  return translated(error, (text) => new ScriptError('INTERNAL', `it cannot be read: ${text}`)).message;
}

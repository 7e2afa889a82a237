import { ScriptError } from '../errors.ts';
import { Failure } from './check/failure.ts';
import { isMap } from './check/kind.ts';
import { Float, Handle, SCRIPT_CALLBACK, VALUE_LIMITS, type ValueMap } from './value.ts';

const LEAST_INTEGER = -(2n ** 63n);
const MOST_INTEGER = 2n ** 63n - 1n;

/** What keeps a value of the host from going to a script, with its place; undefined when nothing does. */
export function obstacle(value: unknown): Failure | undefined {
  return isPlain(value) ? undefined : search(value, { left: VALUE_LIMITS.nodes }, 0);
}

/** True for what most values are made of, so that these cost no call. */
function isPlain(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined;
}

/** The fields that a script sees on a handle, if it has any. Throws INTERNAL that names the handle when one cannot go to a script. */
export function fieldsOf({ type, target }: Handle): ValueMap | undefined {
  const fields = type.fields?.(target);
  const barrier = obstacle(fields);
  if (barrier) throw new ScriptError('INTERNAL', `${type.name} handle: a field cannot go to a script: ${barrier.message('', 'javascript')}`);
  return fields;
}

function search(value: unknown, parts: { left: number }, depth: number): Failure | undefined {
  switch (typeof value) {
    case 'bigint':
      return value < LEAST_INTEGER || value > MOST_INTEGER ? new Failure('an integer of at most 64 bits', value) : undefined;
    case 'function':
      return SCRIPT_CALLBACK in value ? undefined : new Failure('data', value);
    case 'symbol':
      return new Failure('data', value);
    case 'object':
      return value === null ? undefined : searchObject(value, parts, depth);
    default:
      return undefined;
  }
}

function searchObject(value: object, parts: { left: number }, depth: number): Failure | undefined {
  if (value instanceof Uint8Array || value instanceof Float || value instanceof Handle) return undefined;
  if (depth > VALUE_LIMITS.depth) return new Failure('data', value, false, `it is nested deeper than ${VALUE_LIMITS.depth}, or contains itself`);
  if (Array.isArray(value)) {
    if ((parts.left -= value.length) < 0) return tooMany(value);
    for (let at = 0; at < value.length; at++) {
      const found = isPlain(value[at]) ? undefined : search(value[at], parts, depth + 1);
      if (found) return below(found, at);
    }
    return undefined;
  }
  if (!isMap(value)) return new Failure('data', value);
  const keys = Object.keys(value);
  if ((parts.left -= keys.length) < 0) return tooMany(value);
  for (const key of keys) {
    const found = isPlain(value[key]) ? undefined : search(value[key], parts, depth + 1);
    if (found) return below(found, key);
  }
  return undefined;
}

function tooMany(value: object): Failure {
  return new Failure('data', value, false, `it has more than ${VALUE_LIMITS.nodes} parts`);
}

/** What is wrong with the whole has no place in it. */
function below(found: Failure, key: string | number): Failure {
  return found.sentence === undefined ? found.at(key) : found;
}

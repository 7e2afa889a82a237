import { Failure } from './check/failure.ts';
import { isMap } from './check/kind.ts';
import { Float, Handle, SCRIPT_CALLBACK, VALUE_LIMITS } from './value.ts';

const LEAST_INTEGER = -(2n ** 63n);
const MOST_INTEGER = 2n ** 63n - 1n;

/** What keeps a value of the host from going to a script, with its place; undefined when nothing does. */
export function obstacle(value: unknown): Failure | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return undefined;
  return search(value, { left: VALUE_LIMITS.nodes }, 0);
}

function search(value: unknown, parts: { left: number }, depth: number): Failure | undefined {
  if (parts.left-- === 0) return new Failure('data', value, false, `it has more than ${VALUE_LIMITS.nodes} parts`);
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
    for (let at = 0; at < value.length; at++) {
      const found = search(value[at], parts, depth + 1);
      if (found) return below(found, at);
    }
    return undefined;
  }
  if (!isMap(value)) return new Failure('data', value);
  for (const key of Object.keys(value)) {
    const found = search(value[key], parts, depth + 1);
    if (found) return below(found, key);
  }
  return undefined;
}

/** What is wrong with the whole has no place in it. */
function below(found: Failure, key: string | number): Failure {
  return found.sentence === undefined ? found.at(key) : found;
}

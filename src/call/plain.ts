import { isMap } from './check/kind.ts';
import { define, Float } from './value.ts';

/** The value with plain numbers in place of `Float`, as host code expects it; the same value where there are none, and all else is left as it is. */
export function plainNumbers<T>(value: T): T {
  return hasFloat(value) ? (unwrapped(value) as T) : value;
}

function hasFloat(value: unknown): boolean {
  if (value instanceof Float) return true;
  if (Array.isArray(value)) return value.some(hasFloat);
  return isMap(value) && Object.values(value).some(hasFloat);
}

function unwrapped(value: unknown): unknown {
  if (value instanceof Float) return value.value;
  if (Array.isArray(value)) return value.map(unwrapped);
  if (!isMap(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) define(out, key, unwrapped(item));
  return out;
}

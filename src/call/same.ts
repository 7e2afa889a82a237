import { Float, type Value } from './value.ts';

/** Whether two values are equal as data; 1 and 1.0 are. */
export function sameValue(a: Value, b: Value): boolean {
  if (a instanceof Float) return sameValue(a.value, b);
  if (b instanceof Float) return sameValue(a, b.value);
  // biome-ignore lint/suspicious/noDoubleEquals: equal as numbers, whichever of the two types they have
  if (typeof a === 'bigint' || typeof b === 'bigint') return isNumber(a) && isNumber(b) && a == b;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return Object.is(a, b) || a === b;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => sameValue(item, b[at] ?? null));
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  const [left, right] = [a as Record<string, Value>, b as Record<string, Value>];
  return keys.length === others.length && keys.every((key) => Object.hasOwn(right, key) && sameValue(left[key] ?? null, right[key] ?? null));
}

function isNumber(value: Value): boolean {
  return typeof value === 'bigint' || typeof value === 'number';
}

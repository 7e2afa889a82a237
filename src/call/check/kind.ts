import { Float, Handle } from '../value.ts';

/** The kinds of values as bits, so that a schema can say which of them it takes at all. */
export const KIND = { nil: 1, boolean: 2, number: 4, string: 8, bytes: 16, function: 32, handle: 64, array: 128, map: 256, other: 512 } as const;
export const ANY_KIND = 1023;

/** The bit of a value's kind; a plain object is a map, any other object is `other`. */
export function kindOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return KIND.string;
    case 'number':
    case 'bigint':
      return KIND.number;
    case 'boolean':
      return KIND.boolean;
    case 'undefined':
      return KIND.nil;
    case 'function':
      return KIND.function;
    case 'object':
      return value === null ? KIND.nil : kindOfObject(value);
    default:
      return KIND.other;
  }
}

function kindOfObject(value: object): number {
  if (Array.isArray(value)) return KIND.array;
  if (isMap(value)) return KIND.map;
  if (value instanceof Float) return KIND.number;
  if (value instanceof Uint8Array) return KIND.bytes;
  if (value instanceof Handle) return KIND.handle;
  return KIND.other;
}

/** True for an object without a class of its own. */
export function isMap(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** True for a map without entries, which is what an empty Lua table arrives as. */
export function isEmptyMap(value: unknown): boolean {
  if (!isMap(value)) return false;
  for (const _ in value) return false;
  return true;
}

/** The words of a kind, joined for a message: `a string or a map`. */
export function kindWords(kinds: number): string {
  return joinWords(WORDS.filter(([bit]) => (kinds & bit) !== 0).map(([, word]) => word));
}

const WORDS: readonly (readonly [number, string])[] = [
  [KIND.boolean, 'a boolean'],
  [KIND.number, 'a number'],
  [KIND.string, 'a string'],
  [KIND.bytes, 'bytes'],
  [KIND.function, 'a function'],
  [KIND.handle, 'a handle'],
  [KIND.array, 'an array'],
  [KIND.map, 'a map'],
  [KIND.nil, 'nil'],
];

/** `a`, `a or b`, `a, b or c`, each word once. */
export function joinWords(words: readonly string[]): string {
  const distinct = [...new Set(words)];
  const last = distinct.pop() ?? 'nothing';
  return distinct.length === 0 ? last : `${distinct.join(', ')} or ${last}`;
}

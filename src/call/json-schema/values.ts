import { spend, spendReading } from '../check/effort.ts';
import { isEmptyMap, isMap } from '../check/kind.ts';
import { Float } from '../value.ts';
import { MISFIT } from './part.ts';

/** To write down a map or array costs so many steps, and each key one. */
const COSTLY = 20;

/** The types of JSON Schema with the words of messages. */
export const TYPES: Readonly<Record<string, string>> = {
  array: 'an array',
  boolean: 'a boolean',
  integer: 'an integer',
  null: 'null',
  number: 'a number',
  object: 'a map',
  string: 'a string',
};

/** A number of any kind; undefined for anything else. */
export function numeric(value: unknown): number | bigint | undefined {
  const number = value instanceof Float ? value.value : value;
  return typeof number === 'bigint' || (typeof number === 'number' && Number.isFinite(number)) ? number : undefined;
}

/** The items of an array; undefined for anything else. */
export function itemsOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** A map; undefined for anything else. */
export function mapOf(value: unknown): Record<string, unknown> | undefined {
  return isMap(value) ? value : undefined;
}

/** The value as one of these types, which may make a number of it or turn an empty table; MISFIT where it is of none. */
export function asType(value: unknown, types: ReadonlySet<string>, lenient: boolean): unknown {
  const type = typeOf(value);
  if (types.has(type) || (type === 'integer' && types.has('number'))) return lenient && typeof value !== 'number' ? plainNumber(value) : value;
  if (!lenient) return MISFIT;
  if (types.has('array') && isEmptyMap(value)) return [];
  return types.has('object') && Array.isArray(value) && value.length === 0 ? {} : MISFIT;
}

/** Numbers are given plain, as to those who take numbers; integers beyond ±2^53 stay what they are. */
function plainNumber(value: unknown): unknown {
  if (value instanceof Float) return value.value;
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function typeOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return typeof value;
    case 'number':
      return Number.isInteger(value) ? 'integer' : Number.isFinite(value) ? 'number' : 'none';
    case 'bigint':
      return 'integer';
    case 'undefined':
      return 'null';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'array';
      if (isMap(value)) return 'object';
      return value instanceof Float ? typeOf(value.value) : 'none';
    default:
      return 'none';
  }
}

/** Tells of each value whether an equal one came before. */
export function repeats(): (value: unknown) => boolean {
  const scalars = new Set<unknown>();
  const others = new Set<string>();
  return (value) => {
    spend(4);
    const amount = numeric(value);
    const scalar = typeof amount === 'bigint' && Number.isSafeInteger(Number(amount)) ? Number(amount) : (amount ?? value);
    const isScalar = typeof scalar !== 'object' || scalar === null;
    if (typeof value === 'string') spendReading(value);
    const before = isScalar ? scalars.size : others.size;
    if (isScalar) scalars.add(scalar ?? null);
    else others.add(identityOf(value));
    return (isScalar ? scalars.size : others.size) === before;
  };
}

/** A text that equal values share, and others do not: numbers by what they are worth, maps in whatever order. */
export function identityOf(value: unknown): string {
  spend(4);
  const number = numeric(value);
  if (number !== undefined) return `${Object.is(number, -0) ? 0 : number}`;
  if (typeof value === 'string') {
    spendReading(value);
    // Told apart by its length, it needs no escapes.
    return `${value.length}"${value}`;
  }
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'object') spend(COSTLY);
  if (Array.isArray(value)) return `[${value.map(identityOf).join()}]`;
  if (value instanceof Uint8Array) {
    spend(value.length / COSTLY);
    return `<${Buffer.from(value).toString('base64')}>`;
  }
  const map = mapOf(value);
  if (!map) return typeof value === 'boolean' ? `${value}` : '<>';
  const keys = Object.keys(map).sort();
  spend(keys.length);
  return `{${keys.map((key) => `${identityOf(key)}:${identityOf(map[key])}`).join()}}`;
}

import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import type { Filter } from '../knowledge.ts';
import { type Scalar, scalarOf, TYPES } from './fields.ts';

/** A filter as a condition on a document `d` and the values it binds. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly Scalar[];
}

/** `set` asks each field's index for all its documents, for few hits among many; `each` asks for one document at a time. */
export type Way = 'set' | 'each';

const RANGES = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' } as const;
const OPERATORS = ['$eq', '$ne', ...Object.keys(RANGES), '$in', '$nin', '$exists', '$and', '$or', '$not'];
const MOST_DEPTH = 32;
const MOST_VALUES = 10_000;

/** Compiles a filter for the tables of base `n`. Throws BAD_ARGUMENT with the place for what is no filter; an unknown operator is answered with the nearest. */
export function compileFilter(filter: Filter, n: number, way: Way): Condition {
  const values: Scalar[] = [];
  const sql = all(new Compiler(n, way, values), filter, '', 'metadata_filters', 0);
  return { sql, values };
}

class Compiler {
  readonly #n: number;
  readonly #way: Way;
  readonly #values: Scalar[];

  constructor(n: number, way: Way, values: Scalar[]) {
    this.#n = n;
    this.#way = way;
    this.#values = values;
  }

  /** That the document has a field at the path of which the condition holds. */
  has(place: string, path: string, condition = '', values: readonly Scalar[] = []): string {
    if (!path.isWellFormed() || values.some((value) => typeof value === 'string' && !value.isWellFormed()))
      throw wrong(place, 'text', 'a string with half of a surrogate pair');
    for (const value of values)
      if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) throw wrong(place, 'an integer of at most 64 bits', String(value));
    this.#values.push(path, ...values);
    if (this.#values.length > MOST_VALUES) throw wrong(place, `at most ${MOST_VALUES} values in one filter`, 'more');
    const and = condition === '' ? '' : ` AND ${condition}`;
    return this.#way === 'set'
      ? `d.id IN (SELECT document FROM fields_${this.#n} WHERE path = ?${and})`
      : `EXISTS (SELECT 1 FROM fields_${this.#n} WHERE document = d.id AND path = ?${and})`;
  }
}

function all(to: Compiler, filter: Value, path: string, place: string, depth: number): string {
  if (depth > MOST_DEPTH) throw wrong(place, `a filter at most ${MOST_DEPTH} deep`, 'a deeper one');
  const entries = Object.entries(mapAt(filter, place));
  if (entries.length === 0 && depth === 0) return '1';
  if (entries.length === 0) throw wrong(place, 'a filter with at least one condition', 'an empty one');
  return both(
    entries.map(([key, value]) => {
      const at = `${place}.${key}`;
      if (key === '$and' || key === '$or') return group(to, key === '$and' ? ' AND ' : ' OR ', value, path, at, depth);
      if (key === '$not') return `NOT ${all(to, value, path, at, depth + 1)}`;
      if (key.startsWith('$')) return operator(to, key, value, path, at);
      const below = path === '' ? key : `${path}.${key}`;
      return isMap(value) ? all(to, value, below, at, depth + 1) : equal(to, value, below, at);
    }),
    ' AND ',
  );
}

function group(to: Compiler, joint: string, value: Value, path: string, place: string, depth: number): string {
  if (!Array.isArray(value) || value.length === 0) throw wrong(place, 'a list of filters', Array.isArray(value) ? 'an empty one' : kindOf(value));
  return both(
    value.map((item, index) => all(to, item, path, `${place}[${index + 1}]`, depth + 1)),
    joint,
  );
}

function operator(to: Compiler, name: string, value: Value, path: string, place: string): string {
  if (!OPERATORS.includes(name)) {
    const near = nearest(name, OPERATORS);
    throw new ScriptError('BAD_ARGUMENT', `${place}: there is no operator ${name}${near ? `; did you mean ${near}?` : `; there are ${OPERATORS.join(', ')}`}`);
  }
  if (path === '') throw wrong(place, 'this operator behind the name of a field', `${name} without one`);
  if (name === '$eq') return equal(to, value, path, place);
  if (name === '$ne') return `NOT ${equal(to, value, path, place)}`;
  if (name === '$in') return among(to, value, path, place);
  if (name === '$nin') return `NOT ${among(to, value, path, place)}`;
  if (name === '$exists') {
    if (typeof value !== 'boolean') throw wrong(place, 'true or false', kindOf(value));
    return `${value ? '' : 'NOT '}${to.has(place, path)}`;
  }
  const scalar = scalarOf(value);
  if (scalar?.type !== TYPES.number && scalar?.type !== TYPES.text) throw wrong(place, 'a number or a string', kindOf(value));
  return to.has(place, path, `type = ${scalar.type} AND value ${RANGES[name as keyof typeof RANGES]} ?`, [scalar.value]);
}

function equal(to: Compiler, value: Value, path: string, place: string): string {
  const scalar = scalarOf(value);
  if (!scalar) throw wrong(place, 'a single value (use $in for any of several)', kindOf(value));
  // Not a number is equal to nothing.
  if (scalar.type === TYPES.nan) return '(0)';
  return to.has(place, path, `type = ${scalar.type} AND value = ?`, [scalar.value]);
}

function among(to: Compiler, value: Value, path: string, place: string): string {
  // An empty table of Lua comes as an empty map.
  if (isMap(value) && Object.keys(value).length === 0) return '(0)';
  if (!Array.isArray(value)) throw wrong(place, 'a list of values', kindOf(value));
  if (value.length > MOST_VALUES) throw wrong(place, `at most ${MOST_VALUES} values`, String(value.length));
  const kinds = new Map<number, Scalar[]>();
  value.forEach((item, index) => {
    const scalar = scalarOf(item);
    if (!scalar) throw wrong(`${place}[${index + 1}]`, 'a single value', kindOf(item));
    if (scalar.type === TYPES.nan) return;
    const same = kinds.get(scalar.type);
    if (same) same.push(scalar.value);
    else kinds.set(scalar.type, [scalar.value]);
  });
  const parts = [...kinds].map(([type, values]) => to.has(place, path, `type = ${type} AND value IN (${values.map(() => '?').join(', ')})`, values));
  return parts.length === 0 ? '(0)' : both(parts, ' OR ');
}

function both(parts: readonly string[], joint: string): string {
  return `(${parts.join(joint)})`;
}

function mapAt(value: Value, place: string): Record<string, Value> {
  if (!isMap(value)) throw wrong(place, 'a map of conditions', kindOf(value));
  return value;
}

function isMap(value: Value): value is { [key: string]: Value } {
  return value !== null && typeof value === 'object' && scalarOf(value) === undefined && !Array.isArray(value);
}

function kindOf(value: Value): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return isMap(value) ? 'a map' : `a ${typeof value}`;
}

function wrong(place: string, wanted: string, got: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `${place}: expected ${wanted}, got ${got}`);
}

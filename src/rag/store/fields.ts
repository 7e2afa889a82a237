import { encode } from '../../call/codec.ts';
import { Float, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';

/** What one document's metadata may have, as stored, for every value stands in an index. */
const MOST_BYTES = 65_536;
const MOST_FIELDS = 4_096;

/** Kinds of stored values; comparisons stay within one. */
export const TYPES = { null: 0, boolean: 1, number: 2, text: 3, bytes: 4, map: 5, list: 6, nan: 7 } as const;

export type Scalar = string | number | bigint | Uint8Array;

/** One value of a document's metadata: its dotted path, its kind, and the value as SQLite compares it. */
export interface Field {
  readonly path: string;
  readonly type: number;
  readonly value: Scalar;
}

/** Metadata as what filters look at. Elements of a list stand at the path of the list; maps and lists also stand there themselves, for `$exists`. */
export function fieldsOf(metadata: ValueMap): Field[] {
  const fields: Field[] = [];
  for (const [key, value] of Object.entries(metadata)) collect(fields, key, value);
  return fields;
}

/** Throws LIMIT_EXCEEDED for metadata that is too large to be stored with a document. */
export function checkMetadata(metadata: ValueMap, place: string): void {
  const refuse = (wanted: string, got: number) => new ScriptError('LIMIT_EXCEEDED', `${place}: metadata: expected at most ${wanted}, got ${got}`);
  const bytes = encode(metadata).length;
  if (bytes > MOST_BYTES) throw refuse(`${MOST_BYTES} bytes`, bytes);
  const fields = fieldsOf(metadata).length;
  if (fields > MOST_FIELDS) throw refuse(`${MOST_FIELDS} values`, fields);
}

/** A value that is neither map nor list as kind and value; undefined for those and for what is no data. */
export function scalarOf(value: Value): { readonly type: number; readonly value: Scalar } | undefined {
  if (value === null) return { type: TYPES.null, value: 0 };
  if (typeof value === 'boolean') return { type: TYPES.boolean, value: Number(value) };
  if (value instanceof Float) return scalarOf(value.value);
  if (typeof value === 'number') return Number.isNaN(value) ? { type: TYPES.nan, value: 0 } : { type: TYPES.number, value };
  if (typeof value === 'bigint') return { type: TYPES.number, value };
  if (typeof value === 'string') return { type: TYPES.text, value };
  if (value instanceof Uint8Array) return { type: TYPES.bytes, value };
  return undefined;
}

function collect(fields: Field[], path: string, value: Value): void {
  const scalar = scalarOf(value);
  if (scalar) fields.push({ path, ...scalar });
  else if (Array.isArray(value)) {
    fields.push({ path, type: TYPES.list, value: 0 });
    for (const item of value) collect(fields, path, item);
  } else if (value !== null && typeof value === 'object') {
    fields.push({ path, type: TYPES.map, value: 0 });
    for (const [key, item] of Object.entries(value)) collect(fields, `${path}.${key}`, item as Value);
  }
}

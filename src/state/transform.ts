import { toJsonText } from '../call/json.ts';
import { anyValue, callback } from '../call/schema.ts';
import { Float, type Value, type ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { z } from '../zod.ts';

const field = z.string().min(1).describe('a field, or a path such as address.city');
const type = z.enum(['string', 'number', 'integer', 'boolean']);

/** One step of a migration, applied to each value of the scope that is a map. */
export const transformation = z.union([
  z.strictObject({ field, transform: z.literal('copy'), to: field }),
  z.strictObject({ field, transform: z.literal('move'), to: field }),
  z.strictObject({ field, transform: z.literal('rename'), to: field }),
  z.strictObject({ field, transform: z.literal('default'), value: anyValue }),
  z.strictObject({ field, transform: z.literal('set'), value: anyValue }),
  z.strictObject({ field, transform: z.literal('remove') }),
  z.strictObject({ field, transform: z.literal('convert'), from: type.optional(), to: type }),
  z.strictObject({ field, transform: z.literal('split'), to: z.array(field).min(1), separator: z.string().min(1).default(' ') }),
  z.strictObject({ field, transform: z.literal('merge'), fields: z.array(field).min(1), separator: z.string().default(' ') }),
  z.strictObject({
    field,
    transform: z.literal('custom'),
    fn: callback('(value: any, record: any) => any').describe('gives the new value of the field; nil removes the field'),
  }),
]);

export type Transformation = z.output<typeof transformation>;

/** Runs a function of the script on a field's value and the whole record. */
export type RunCustom = (fn: Extract<Transformation, { transform: 'custom' }>['fn'], value: Value, record: ValueMap) => Promise<Value>;

/** The record after all steps, as a new one. Throws BAD_ARGUMENT when a value cannot be converted. */
export async function transform(record: ValueMap, steps: readonly Transformation[], custom: RunCustom): Promise<ValueMap> {
  const result = structuredCloneOf(record) as ValueMap;
  for (const step of steps) await apply(result, step, custom);
  return result;
}

async function apply(record: ValueMap, step: Transformation, custom: RunCustom): Promise<void> {
  const value = get(record, step.field);
  switch (step.transform) {
    case 'copy':
      if (value !== undefined) set(record, step.to, structuredCloneOf(value));
      return;
    case 'move':
    case 'rename':
      if (value === undefined) return;
      remove(record, step.field);
      set(record, step.to, value);
      return;
    case 'default':
      if (value === undefined || value === null) set(record, step.field, step.value);
      return;
    case 'set':
      set(record, step.field, step.value);
      return;
    case 'remove':
      remove(record, step.field);
      return;
    case 'convert':
      if (
        value !== undefined &&
        value !== null &&
        (step.from === undefined || typeOf(value) === step.from || (step.from === 'number' && typeOf(value) === 'integer'))
      )
        set(record, step.field, convert(value, step.to, step.field));
      return;
    case 'split':
      if (typeof value !== 'string') return;
      splitInto(record, value, step.separator, step.to);
      return;
    case 'merge':
      set(
        record,
        step.field,
        step.fields
          .map((name) => get(record, name))
          .filter((part) => part !== undefined && part !== null)
          .map(textOf)
          .join(step.separator),
      );
      return;
    case 'custom': {
      const made = await custom(step.fn, value ?? null, record);
      if (made === null) remove(record, step.field);
      else set(record, step.field, made);
    }
  }
}

/** The last field takes the rest. */
function splitInto(record: ValueMap, text: string, separator: string, fields: readonly string[]): void {
  const parts = text.split(separator);
  const last = fields.length - 1;
  fields.forEach((name, at) => {
    const part = at === last ? parts.slice(last).join(separator) : parts[at];
    if (part !== undefined) set(record, name, part);
  });
}

function convert(value: Value, to: z.output<typeof type>, field: string): Value {
  const plain = value instanceof Float ? value.value : value;
  if (to === 'string') return textOf(value);
  if (to === 'boolean') {
    if (typeof plain === 'boolean') return plain;
    if (typeof plain === 'number' || typeof plain === 'bigint') return Number(plain) !== 0;
    if (plain === 'true' || plain === 'false') return plain === 'true';
  } else {
    const exact = typeof plain === 'string' && /^\s*-?\d+\s*$/.test(plain) ? BigInt(plain) : plain;
    if (typeof exact === 'bigint' && !isSafe(exact) && BigInt.asIntN(64, exact) === exact) return exact;
    const number = typeof plain === 'boolean' ? Number(plain) : typeof plain === 'string' && plain.trim() !== '' ? Number(plain) : plain;
    if (typeof number === 'number' && Number.isFinite(number)) return to === 'integer' ? Math.trunc(number) : number;
  }
  throw new ScriptError('BAD_ARGUMENT', `${field}: ${toJsonText(value, { describe: true }).slice(0, 60)} cannot be converted to ${to}`);
}

function isSafe(integer: bigint): boolean {
  return Number.isSafeInteger(Number(integer));
}

function typeOf(value: Value): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return value instanceof Float ? 'number' : typeof value === 'bigint' ? 'integer' : typeof value;
}

function textOf(value: Value | undefined): string {
  if (value instanceof Float) return String(value.value);
  return typeof value === 'object' ? toJsonText(value, { describe: true }) : String(value);
}

function get(record: ValueMap, path: string): Value | undefined {
  let value: Value | undefined = record;
  for (const key of path.split('.')) value = isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

function set(record: ValueMap, path: string, value: Value): void {
  const keys = path.split('.');
  let at = record;
  for (const key of keys.slice(0, -1)) {
    const inner = Object.hasOwn(at, key) ? at[key] : undefined;
    const next: ValueMap = isMap(inner) ? inner : {};
    Object.defineProperty(at, key, { value: next, enumerable: true, configurable: true, writable: true });
    at = next;
  }
  Object.defineProperty(at, keys.at(-1) as string, { value, enumerable: true, configurable: true, writable: true });
}

function remove(record: ValueMap, path: string): void {
  const keys = path.split('.');
  const parent = keys.length === 1 ? record : get(record, keys.slice(0, -1).join('.'));
  if (isMap(parent)) delete parent[keys.at(-1) as string];
}

function isMap(value: Value | undefined): value is ValueMap {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}

function structuredCloneOf(value: Value): Value {
  if (Array.isArray(value)) return value.map(structuredCloneOf);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, structuredCloneOf(item)])) : value;
}

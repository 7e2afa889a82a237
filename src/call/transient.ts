import type { z } from 'zod';
import { specialOf } from './check/special.ts';
import type { Callback } from './value.ts';

/** Adds the functions of a checked value that are not kept after the call. */
export type Collect = (value: unknown, into: Callback[]) => void;

const collectors = new WeakMap<z.core.$ZodType, { collect: Collect | undefined }>();

/** Which functions of a value of this schema may be released when the call is over; undefined where the schema has none. */
export function transientCallbacks(schema: z.core.$ZodType): Collect | undefined {
  const known = collectors.get(schema);
  if (known) return known.collect;
  const entry: { collect: Collect | undefined } = { collect: (value, into) => entry.collect?.(value, into) };
  collectors.set(schema, entry);
  entry.collect = collectOf(schema as z.core.$ZodTypes);
  return entry.collect;
}

function collectOf(schema: z.core.$ZodTypes): Collect | undefined {
  const mark = specialOf(schema);
  if (mark) return mark.kind === 'callback' && !mark.kept ? collectFunction : undefined;
  const def = schema._zod.def;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
      return transientCallbacks(def.innerType);
    case 'lazy':
      return (value, into) => transientCallbacks(def.getter())?.(value, into);
    case 'array':
      return inItems(transientCallbacks(def.element));
    case 'tuple':
      return inTuple(def.items.map(transientCallbacks));
    case 'record':
      return inFields(() => transientCallbacks(def.valueType));
    case 'object':
      return inFields((key) => (Object.hasOwn(def.shape, key) ? transientCallbacks(def.shape[key] as z.core.$ZodType) : undefined), Object.values(def.shape));
    case 'union':
      return all(def.options.map(transientCallbacks));
    default:
      return undefined;
  }
}

const collectFunction: Collect = (value, into) => {
  if (typeof value === 'function' && !into.includes(value as Callback)) into.push(value as Callback);
};

function inItems(collect: Collect | undefined): Collect | undefined {
  return (
    collect &&
    ((value, into) => {
      if (Array.isArray(value)) for (const item of value) collect(item, into);
    })
  );
}

function inTuple(collects: readonly (Collect | undefined)[]): Collect | undefined {
  if (collects.every((collect) => collect === undefined)) return undefined;
  return (value, into) => {
    if (Array.isArray(value)) for (const [index, item] of value.entries()) collects[index]?.(item, into);
  };
}

function inFields(collectOfKey: (key: string) => Collect | undefined, fields?: readonly z.core.$ZodType[]): Collect | undefined {
  const any = fields ? fields.some((field) => transientCallbacks(field) !== undefined) : collectOfKey('') !== undefined;
  if (!any) return undefined;
  return (value, into) => {
    if (typeof value !== 'object' || value === null) return;
    for (const key of Object.keys(value)) collectOfKey(key)?.((value as Record<string, unknown>)[key], into);
  };
}

function all(collects: readonly (Collect | undefined)[]): Collect | undefined {
  const found = collects.filter((collect) => collect !== undefined);
  if (found.length === 0) return undefined;
  return (value, into) => {
    for (const collect of found) collect(value, into);
  };
}

import type { z } from 'zod';
import { looksLikeTarget, specialOf } from './check/special.ts';
import { mayBeMissing } from './schema.ts';
import { define, Handle, type HandleType } from './value.ts';

/** Makes a handler's answer ready for a script. */
export type Finish = (value: unknown) => unknown;

const finishers = new WeakMap<z.core.$ZodType, { finish: Finish | undefined }>();

/** What a result of this schema needs: objects behind handles wrapped, undefined fields dropped; undefined where it needs nothing. */
export function compileFinish(schema: z.core.$ZodType): Finish | undefined {
  const known = finishers.get(schema);
  if (known) return known.finish;
  const entry: { finish: Finish | undefined } = { finish: (value) => (entry.finish ? entry.finish(value) : value) };
  finishers.set(schema, entry);
  entry.finish = finishOf(schema as z.core.$ZodTypes);
  return entry.finish;
}

function finishOf(schema: z.core.$ZodTypes): Finish | undefined {
  const mark = specialOf(schema);
  if (mark) return mark.kind === 'handle' ? wrapAs(mark.type) : undefined;
  const def = schema._zod.def;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return compileFinish(def.innerType);
    case 'pipe':
      return compileFinish(def.out);
    case 'lazy':
      return later(def.getter);
    case 'array':
      return finishItems(compileFinish(def.element));
    case 'tuple':
      return finishTuple(def.items.map(compileFinish), def.rest ? compileFinish(def.rest) : undefined);
    case 'record':
      return finishRecord(compileFinish(def.valueType));
    case 'object':
      return finishObject(def.shape);
    case 'union':
      return finishUnion(def.options);
    default:
      return undefined;
  }
}

function later(getter: () => z.core.$ZodType): Finish {
  return (value) => {
    const finish = compileFinish(getter());
    return finish ? finish(value) : value;
  };
}

function wrapAs(type: HandleType): Finish {
  return (value) => (value === null || value === undefined || value instanceof Handle ? value : new Handle(type, value as object));
}

function finishItems(finish: Finish | undefined): Finish | undefined {
  return finish && ((value) => (Array.isArray(value) ? value.map(finish) : value));
}

function finishTuple(items: readonly (Finish | undefined)[], rest: Finish | undefined): Finish | undefined {
  if (!rest && items.every((finish) => finish === undefined)) return undefined;
  return (value) => (Array.isArray(value) ? value.map((item, index) => (items[index] ?? rest ?? same)(item)) : value);
}

const same: Finish = (value) => value;

function finishRecord(finish: Finish | undefined): Finish | undefined {
  if (!finish) return undefined;
  return (value) => (typeof value === 'object' && value !== null ? mapFields(value, () => finish) : value);
}

function finishObject(shape: z.core.$ZodShape): Finish | undefined {
  const finishes = new Map<string, Finish>();
  let optional = false;
  for (const [key, field] of Object.entries(shape)) {
    const finish = compileFinish(field);
    if (finish) finishes.set(key, finish);
    if (field._zod.optout === 'optional' || mayBeMissing(field)) optional = true;
  }
  if (finishes.size === 0 && !optional) return undefined;
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return finishes.size === 0 && !hasUndefined(value) ? value : mapFields(value, (key) => finishes.get(key));
  };
}

function hasUndefined(value: object): boolean {
  for (const key of Object.keys(value)) if ((value as Record<string, unknown>)[key] === undefined) return true;
  return false;
}

function mapFields(value: object, finishOfKey: (key: string) => Finish | undefined): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[key];
    const finished = (finishOfKey(key) ?? same)(item);
    if (finished !== undefined) define(out, key, finished);
  }
  return out;
}

/** An object with a class of its own goes to the handle among the options, anything else to the options of data. */
function finishUnion(options: readonly z.core.$ZodType[]): Finish | undefined {
  const handles = options.filter((option) => specialOf(option)?.kind === 'handle').map(compileFinish);
  const data = options
    .filter((option) => specialOf(option)?.kind !== 'handle')
    .map(compileFinish)
    .filter((finish) => finish !== undefined);
  const wrap = handles[0];
  if (!wrap && data.length === 0) return undefined;
  return (value) => {
    if (wrap && looksLikeTarget(value)) return wrap(value);
    return data.reduce((finished, finish) => finish(finished), value);
  };
}

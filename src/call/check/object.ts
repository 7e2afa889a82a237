import type { z } from 'zod';
import { nearest } from '../../nearest.ts';
import { mayBeMissing } from '../schema.ts';
import { define } from '../value.ts';
import { checksOf, withZodChecks } from './checks.ts';
import type { Check, Compiled, CompilePart } from './compiled.ts';
import { Failure } from './failure.ts';
import { isMap, KIND } from './kind.ts';

/** What becomes of keys that the shape does not name. */
type Extra = 'refuse' | 'drop' | 'keep' | Check;

/** Objects of known keys; the same object when nothing changed, else a new one. An empty array is an empty object. */
export function compileObject(schema: z.core.$ZodObject, part: CompilePart): Compiled {
  const { shape, catchall } = schema._zod.def;
  const keys = Object.keys(shape);
  const checks = keys.map((key) => part(shape[key] as z.core.$ZodType).check);
  const extra = extraOf(catchall, part);
  const check = objectCheck(keys, checks, extra);
  return {
    kinds: KIND.map,
    wanted: 'a map',
    check: withZodChecks(check, checksOf(schema), 'a map'),
    affinity: affinityOf(shape, part),
    tags: tagsOf(shape, part),
  };
}

function extraOf(catchall: z.core.$ZodType | undefined, part: CompilePart): Extra {
  if (catchall === undefined) return 'drop';
  const { type } = catchall._zod.def;
  if (type === 'never') return 'refuse';
  return type === 'unknown' || type === 'any' ? 'keep' : part(catchall).check;
}

function objectCheck(keys: readonly string[], checks: readonly Check[], extra: Extra): Check {
  const known = new Set(keys);
  const inherited = keys.some((key) => key in Object.prototype);
  return (value) => {
    const map = asMap(value);
    if (map === undefined) return new Failure('a map', value);
    const safe = inherited ? Object.assign(Object.create(null), map) : map;
    let present = 0;
    let changes: unknown[] | undefined;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      const item = safe[key];
      if (item !== undefined) present++;
      const checked = (checks[index] as Check)(item);
      if (checked instanceof Failure) return unknownKey(map, known, extra) ?? checked.at(key);
      if (checked !== item) {
        changes ??= keys.slice(0, index).map((earlier) => safe[earlier]);
        changes.push(checked);
      } else changes?.push(checked);
    }
    const own = Object.keys(map).length;
    if (own !== present) {
      const failure = unknownKey(map, known, extra);
      if (failure) return failure;
      return withExtras(map, known, keys, changes, extra);
    }
    return changes ? rebuilt(keys, changes) : map;
  };
}

/** A mistyped option explains a missing one, so it is reported first. */
function unknownKey(map: Record<string, unknown>, known: ReadonlySet<string>, extra: Extra): Failure | undefined {
  if (extra !== 'refuse') return undefined;
  for (const key of Object.keys(map)) {
    if (known.has(key) || map[key] === undefined) continue;
    return new Failure('a map', map, false, () => unknownName(key, known));
  }
  return undefined;
}

/** Known names that a message tells, and what it shows of each. */
const MOST_TOLD = 30;
const SHOWN = 80;

/** What is said of a name that is none of the known ones. */
export function unknownName(name: string, known: ReadonlySet<string>): string {
  const meant = nearest(name, known);
  const hint = meant !== undefined ? `did you mean ${JSON.stringify(meant)}?` : known.size === 0 ? 'there are none' : `known are ${listed(known)}`;
  return `unknown option ${JSON.stringify(shown(name))}; ${hint}`;
}

function listed(names: ReadonlySet<string>): string {
  const told: string[] = [];
  for (const name of names) {
    if (told.length === MOST_TOLD) return `${told.join(', ')} and ${names.size - MOST_TOLD} more`;
    told.push(shown(name));
  }
  return told.join(', ');
}

function shown(name: string): string {
  return name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name;
}

function withExtras(
  map: Record<string, unknown>,
  known: ReadonlySet<string>,
  keys: readonly string[],
  changes: readonly unknown[] | undefined,
  extra: Extra,
): unknown {
  const out = changes
    ? rebuilt(keys, changes)
    : rebuilt(
        keys,
        keys.map((key) => (Object.hasOwn(map, key) ? map[key] : undefined)),
      );
  let same = changes === undefined;
  for (const key of Object.keys(map)) {
    if (known.has(key)) {
      if (map[key] === undefined) same = false;
      continue;
    }
    if (extra === 'drop' || extra === 'refuse') {
      same = false;
      continue;
    }
    const item = map[key];
    const checked = extra === 'keep' ? item : extra(item);
    if (checked instanceof Failure) return checked.at(key);
    if (checked !== item) same = false;
    define(out, key, checked);
  }
  return same ? map : out;
}

function rebuilt(keys: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (let index = 0; index < keys.length; index++) if (values[index] !== undefined) define(out, keys[index] as string, values[index]);
  return out;
}

function tagsOf(shape: z.core.$ZodShape, part: CompilePart): ReadonlyMap<string, Compiled> {
  return new Map(Object.entries(shape).flatMap(([key, schema]) => (schema._zod.def.type === 'literal' ? [[key, part(schema)] as const] : [])));
}

/** Known keys count for, unknown and missing ones against; a literal that fits (a discriminator) decides, one that does not rules out. */
function affinityOf(shape: z.core.$ZodShape, part: CompilePart): (map: Record<string, unknown>) => number {
  const literals = Object.keys(shape).filter((key) => shape[key]?._zod.def.type === 'literal');
  const required = Object.keys(shape).filter((key) => !mayBeMissing(shape[key] as z.core.$ZodType));
  return (map) => {
    let score = 0;
    for (const key of Object.keys(map)) score += Object.hasOwn(shape, key) ? 1 : -1;
    for (const key of required) if (!Object.hasOwn(map, key)) score--;
    for (const key of literals) score += part(shape[key] as z.core.$ZodType).check(map[key]) instanceof Failure ? -100 : 100;
    return score;
  };
}

/** Maps of any keys with values of one schema; a loose one lets keys that do not fit pass as they are. */
export function compileRecord(schema: z.core.$ZodRecord, part: CompilePart): Compiled {
  const { keyType, valueType, mode } = schema._zod.def;
  const loose = mode === 'loose';
  const anyKey = keyType._zod.def.type === 'string' && checksOf(keyType).length === 0;
  const keyCheck = part(keyType);
  const valueCheck = part(valueType).check;
  const check: Check = (value) => {
    const map = asMap(value);
    if (map === undefined) return new Failure('a map', value);
    let out: Record<string, unknown> | undefined;
    for (const key of Object.keys(map)) {
      const wrong = !anyKey && keyCheck.check(key) instanceof Failure;
      if (wrong && loose) continue;
      if (wrong) return new Failure('a map', value, false, `expected ${keyCheck.wanted} as a key, got ${JSON.stringify(key)}`);
      const item = map[key];
      const checked = valueCheck(item);
      if (checked instanceof Failure) return checked.at(key);
      if (checked !== item && out === undefined) out = copyOf(map);
      if (out) define(out, key, checked);
    }
    return out ?? map;
  };
  return { kinds: KIND.map, wanted: 'a map', check: withZodChecks(check, checksOf(schema), 'a map') };
}

function copyOf(map: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(map)) define(out, key, map[key]);
  return out;
}

function asMap(value: unknown): Record<string, unknown> | undefined {
  if (isMap(value)) return value;
  return Array.isArray(value) && value.length === 0 ? {} : undefined;
}

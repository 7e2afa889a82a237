import type { z } from 'zod';
import { checksOf, withZodChecks } from './checks.ts';
import type { Check, Compiled, CompilePart } from './compiled.ts';
import { Failure } from './failure.ts';
import { isEmptyMap, KIND } from './kind.ts';
import { arrayWords } from './words.ts';

/** Arrays; an empty map is an empty array, since an empty Lua table may be either. */
export function compileArray(schema: z.core.$ZodArray, part: CompilePart): Compiled {
  const element = part(schema._zod.def.element).check;
  let min = 0;
  let max = Number.POSITIVE_INFINITY;
  const rest: z.core.$ZodCheck<never>[] = [];
  for (const check of checksOf(schema)) {
    const def = check._zod.def as { check: string; minimum?: number; maximum?: number; length?: number; error?: unknown };
    if (def.error !== undefined) rest.push(check);
    else if (def.check === 'min_length') min = Math.max(min, def.minimum ?? 0);
    else if (def.check === 'max_length') max = Math.min(max, def.maximum ?? max);
    else if (def.check === 'length_equals') min = max = def.length ?? 0;
    else rest.push(check);
  }
  const wanted = arrayWords(min, max);
  const check: Check = (value) => {
    const items = asArray(value);
    if (items === undefined || items.length < min || items.length > max) return new Failure(wanted, value);
    return checkItems(items, () => element);
  };
  return { kinds: KIND.array, wanted, check: withZodChecks(check, rest, wanted) };
}

/** Tuples, with optional items at the end and a schema for the rest. */
export function compileTuple(schema: z.core.$ZodTuple, part: CompilePart): Compiled {
  const { items, rest } = schema._zod.def;
  const checks = items.map((item) => part(item).check);
  const further = rest && part(rest).check;
  const required = items.findLastIndex((item) => item._zod.optin !== 'optional') + 1;
  const wanted = rest ? arrayWords(required, Number.POSITIVE_INFINITY) : arrayWords(required, items.length);
  const check: Check = (value) => {
    const found = asArray(value);
    if (found === undefined || found.length < required || (!further && found.length > items.length)) return new Failure(wanted, value);
    return checkItems(found, (index) => checks[index] ?? further ?? ((item) => item));
  };
  return { kinds: KIND.array, wanted, check: withZodChecks(check, checksOf(schema), wanted) };
}

function asArray(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  return isEmptyMap(value) ? [] : undefined;
}

/** The items checked; the array itself when none changed. */
function checkItems(items: readonly unknown[], checkOf: (index: number) => Check): unknown {
  let changed: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    const checked = checkOf(index)(item);
    if (checked instanceof Failure) return checked.at(index);
    if (changed) changed.push(checked);
    else if (checked !== item) changed = [...items.slice(0, index), checked];
  }
  return changed ?? items;
}

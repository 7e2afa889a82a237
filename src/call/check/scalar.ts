import type { z } from 'zod';
import { Float } from '../value.ts';
import { checksOf, withZodChecks } from './checks.ts';
import type { Check, Compiled } from './compiled.ts';
import { Failure } from './failure.ts';
import { joinWords, KIND, kindOf } from './kind.ts';
import { numberWords, stringWords } from './words.ts';

interface Bounds {
  min: number;
  max: number;
}

/** Strings: lengths and patterns here, the other formats by zod's own check. */
export function compileString(schema: z.core.$ZodType): Compiled {
  const bounds: Bounds = { min: 0, max: Number.POSITIVE_INFINITY };
  const patterns: RegExp[] = [];
  const rest: z.core.$ZodCheck<never>[] = [];
  for (const check of checksOf(schema)) {
    const def = check._zod.def as { check: string; format?: string; pattern?: RegExp; minimum?: number; maximum?: number; length?: number };
    if (check._zod.def.error !== undefined) rest.push(check);
    else if (def.check === 'min_length') bounds.min = Math.max(bounds.min, def.minimum ?? 0);
    else if (def.check === 'max_length') bounds.max = Math.min(bounds.max, def.maximum ?? bounds.max);
    else if (def.check === 'length_equals') bounds.min = bounds.max = def.length ?? 0;
    else if (def.check === 'string_format' && def.format === 'regex' && def.pattern)
      patterns.push(new RegExp(def.pattern.source, def.pattern.flags.replace(/[gy]/g, '')));
    else rest.push(check);
  }
  const wanted = stringWords(schema, bounds);
  const check = withZodChecks(stringCheck(bounds, patterns, wanted), rest, wanted);
  // What is missing is too short for nothing.
  const missing = stringWords(schema, { min: 0, max: Number.POSITIVE_INFINITY });
  return { kinds: KIND.string, wanted, check: (value) => (value === undefined || value === null ? new Failure(missing, value) : check(value)) };
}

function stringCheck({ min, max }: Bounds, patterns: readonly RegExp[], wanted: string): Check {
  const short = min <= 1 && max === Number.POSITIVE_INFINITY;
  if (short && patterns.length === 0)
    return (value) => (typeof value === 'string' && value.length >= min ? value : new Failure(wanted, value, typeof value === 'string'));
  return (value) => {
    const fits = typeof value === 'string' && (short ? value.length >= min : lengthFits(value, min, max)) && patterns.every((pattern) => pattern.test(value));
    return fits ? value : new Failure(wanted, value, typeof value === 'string');
  };
}

/** Whether a text is of such a length. Lengths count code points, as zod and JSON Schema do; they are counted only where the count in code units leaves it open. */
export function lengthFits(text: string, min: number, max: number): boolean {
  if (text.length < min) return false;
  if (text.length <= max && text.length >= min * 2) return true;
  let points = text.length;
  for (let index = 0; index < text.length; index++) {
    if ((text.codePointAt(index) ?? 0) > 0xffff) {
      points--;
      index++;
    }
  }
  return points >= min && points <= max;
}

/** Numbers: Float is unwrapped, a bigint within ±2^53 becomes a number, NaN and infinities are refused. */
export function compileNumber(schema: z.core.$ZodType): Compiled {
  const bounds: Bounds & { above: number; below: number; integer: boolean } = {
    min: Number.NEGATIVE_INFINITY,
    max: Number.POSITIVE_INFINITY,
    above: Number.NEGATIVE_INFINITY,
    below: Number.POSITIVE_INFINITY,
    integer: false,
  };
  const rest: z.core.$ZodCheck<never>[] = [];
  for (const check of checksOf(schema)) {
    const def = check._zod.def as { check: string; format?: string; value?: number; inclusive?: boolean; error?: unknown };
    const limit = Number(def.value);
    if (def.error !== undefined) rest.push(check);
    else if (def.check === 'number_format' && (def.format === 'safeint' || def.format === 'int')) bounds.integer = true;
    else if (def.check === 'greater_than' && def.inclusive) bounds.min = Math.max(bounds.min, limit);
    else if (def.check === 'greater_than') bounds.above = Math.max(bounds.above, limit);
    else if (def.check === 'less_than' && def.inclusive) bounds.max = Math.min(bounds.max, limit);
    else if (def.check === 'less_than') bounds.below = Math.min(bounds.below, limit);
    else rest.push(check);
  }
  const wanted = numberWords(schema, bounds);
  const { min, max, above, below, integer } = bounds;
  const unbounded = above === Number.NEGATIVE_INFINITY && below === Number.POSITIVE_INFINITY;
  const fits = (number: number) =>
    (integer ? Number.isSafeInteger(number) : Number.isFinite(number)) && number >= min && number <= max && (unbounded || (number > above && number < below));
  const check: Check = (value) => {
    const number = typeof value === 'number' ? value : toNumber(value);
    return number !== undefined && fits(number) ? number : new Failure(wanted, value, number !== undefined || typeof value === 'bigint');
  };
  return { kinds: KIND.number, wanted, check: withZodChecks(check, rest, wanted) };
}

function toNumber(value: unknown): number | undefined {
  if (value instanceof Float) return value.value;
  if (typeof value === 'bigint' && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return Number(value);
  return undefined;
}

/** 64-bit integers: integral numbers are taken as well. */
export function compileBigint(schema: z.core.$ZodType): Compiled {
  const wanted = 'an integer';
  const check: Check = (value) => {
    if (typeof value === 'bigint') return value;
    const number = typeof value === 'number' ? value : value instanceof Float ? value.value : undefined;
    return Number.isSafeInteger(number) ? BigInt(number ?? 0) : new Failure(wanted, value, number !== undefined);
  };
  return { kinds: KIND.number, wanted, check: withZodChecks(check, checksOf(schema), wanted) };
}

export function compileBoolean(schema: z.core.$ZodType): Compiled {
  const check: Check = (value) => (typeof value === 'boolean' ? value : new Failure('a boolean', value));
  return { kinds: KIND.boolean, wanted: 'a boolean', check: withZodChecks(check, checksOf(schema), 'a boolean') };
}

/** Literals and enumerations. */
export function compileOneOf(schema: z.core.$ZodType, allowed: readonly unknown[]): Compiled {
  const values = new Set(allowed);
  const words = allowed.map((value) => (typeof value === 'string' ? JSON.stringify(value) : value === null || value === undefined ? 'nil' : String(value)));
  const wanted = words.length > 2 ? `one of ${joinWords(words)}` : joinWords(words);
  const kinds = allowed.reduce<number>((bits, value) => bits | kindOf(value), 0);
  const check: Check = (value) => {
    if (values.has(value)) return value;
    const number = toNumber(value);
    if (number !== undefined && values.has(number)) return number;
    if ((value === null || value === undefined) && (kinds & KIND.nil) !== 0) return values.has(null) ? null : undefined;
    return new Failure(wanted, value, (kindOf(value) & kinds) !== 0);
  };
  return { kinds, wanted, check: withZodChecks(check, checksOf(schema), wanted) };
}

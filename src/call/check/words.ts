import type { z } from 'zod';

const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  email: 'an e-mail address',
  uuid: 'a UUID',
  guid: 'a UUID',
  datetime: 'a date and time (ISO 8601)',
  date: 'a date (YYYY-MM-DD)',
  time: 'a time (HH:MM:SS)',
  duration: 'a duration (ISO 8601)',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  base64: 'base64 text',
  base64url: 'base64url text',
  json_string: 'JSON text',
  lowercase: 'a lower-case string',
  uppercase: 'an upper-case string',
};

interface StringBounds {
  readonly min: number;
  readonly max: number;
}

/** What a string schema wants, in words. */
export function stringWords(schema: z.core.$ZodType, { min, max }: StringBounds): string {
  const def = schema._zod.def as { format?: string; pattern?: RegExp; checks?: readonly z.core.$ZodCheck[] };
  const formats = [def, ...(def.checks ?? []).map((check) => check._zod.def as typeof def & { prefix?: string; suffix?: string; includes?: string })];
  for (const format of formats) {
    const words = formatWords(format);
    if (words) return words;
  }
  if (min === max) return `a string of ${plural(min, 'character')}`;
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? 'a string' : min === 1 ? 'a non-empty string' : `a string of at least ${plural(min, 'character')}`;
  return min === 0 ? `a string of at most ${plural(max, 'character')}` : `a string of ${min} to ${plural(max, 'character')}`;
}

function formatWords(def: { format?: string; pattern?: RegExp; prefix?: string; suffix?: string; includes?: string }): string | undefined {
  if (def.format === undefined) return undefined;
  if (def.format === 'regex') return `a string that matches ${def.pattern}`;
  if (def.format === 'starts_with') return `a string that starts with ${JSON.stringify(def.prefix)}`;
  if (def.format === 'ends_with') return `a string that ends with ${JSON.stringify(def.suffix)}`;
  if (def.format === 'includes') return `a string that contains ${JSON.stringify(def.includes)}`;
  return FORMATS[def.format] ?? `a string of format ${def.format}`;
}

interface NumberBounds {
  readonly min: number;
  readonly max: number;
  readonly above: number;
  readonly below: number;
  readonly integer: boolean;
}

/** What a number schema wants, in words. */
export function numberWords(schema: z.core.$ZodType, { min, max, above, below, integer }: NumberBounds): string {
  const noun = integer ? 'integer' : 'number';
  const article = integer ? 'an' : 'a';
  const lower = Number.isFinite(min) ? `at least ${min}` : Number.isFinite(above) ? `more than ${above}` : undefined;
  const upper = Number.isFinite(max) ? `at most ${max}` : Number.isFinite(below) ? `less than ${below}` : undefined;
  const step = (schema._zod.def.checks ?? []).map((check) => check._zod.def as { check: string; value?: number }).find((def) => def.check === 'multiple_of');
  if (step) return `a multiple of ${step.value}`;
  if (above === 0 && min <= 0 && !upper) return `a positive ${noun}`;
  if (min === 0 && !upper) return `a non-negative ${noun}`;
  if (Number.isFinite(min) && Number.isFinite(max)) return `${article} ${noun} from ${min} to ${max}`;
  const limits = [lower, upper].filter((words) => words !== undefined).join(' and ');
  return limits === '' ? `${article} ${noun}` : `${article} ${noun} of ${limits}`;
}

/** What an array schema wants, in words. */
export function arrayWords(min: number, max: number): string {
  if (min === max) return `an array of ${plural(min, 'item')}`;
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? 'an array' : min === 1 ? 'a non-empty array' : `an array of at least ${plural(min, 'item')}`;
  return min === 0 ? `an array of at most ${plural(max, 'item')}` : `an array of ${min} to ${plural(max, 'item')}`;
}

/** `1 item`, `2 items`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

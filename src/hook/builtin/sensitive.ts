import { isMap } from '../../call/check/kind.ts';
import { re2 } from '../../call/re2.ts';
import { Float, type Value, type ValueMap } from '../../call/value.ts';

/** Replaces what a pattern finds in a text. */
export type Replace = (text: string) => string;

const EMAIL = /[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}/g;
const CARD = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]?\d)/g;
/**
 * Keys of providers by their marks, and what stands behind a name that says that it is one. Texts may be long and hostile: no part can repeat
 * without bound and end in vain.
 */
const API_KEY =
  /\b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]{1,32}[-_]){0,4}[A-Za-z0-9_-]{16,256}|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{40,}|\bxox[abeprs]-[\w-]{10,}|\bA(?:KIA|SIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}|\bglpat-[\w-]{20,}|\bhf_[A-Za-z0-9]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}-----END [A-Z ]*PRIVATE KEY-----/g;
const NAMED_KEY = /\b((?:api[-_ ]?key|secret|access[-_ ]?token|auth[-_ ]?token|bearer)["']?\s{0,20}[:= ]\s{0,20}["']?)([A-Za-z0-9._~+/=-]{16,512})/gi;

/** The built-in patterns by name. */
export const PATTERNS: Readonly<Record<'email' | 'card' | 'api_key', (replacement: string) => Replace>> = {
  email: (replacement) => (text) => (text.includes('@') ? text.replaceAll(EMAIL, () => replacement) : text),
  card: (replacement) => (text) => text.replaceAll(CARD, (found) => (luhn(found) ? replacement : found)),
  api_key: (replacement) => (text) => text.replaceAll(API_KEY, () => replacement).replaceAll(NAMED_KEY, (_, before: string) => before + replacement),
};

/** A pattern of the configuration, which cannot take more than linear time. Throws when it is no RE2 expression. */
export function customPattern(expression: string, replacement: string): Replace {
  const compiled = re2().compile(expression);
  const quoted = replacement.replaceAll(/[\\$]/g, '\\$&');
  return (text) => compiled.matcher(text).replaceAll(quoted);
}

/** The check digit of payment cards (ISO/IEC 7812-1, annex B). */
export function luhn(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '');
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]);
    sum += at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/** The value with every text in it replaced, names of maps too; the very same value where nothing was found. */
export function redactValue<T extends Value>(value: T, replace: Replace): T {
  if (typeof value === 'string') return replace(value) as T;
  if (Array.isArray(value)) {
    const items = value.map((item) => redactValue(item, replace));
    return (items.some((item, at) => item !== value[at]) ? items : value) as T;
  }
  if (!isMap(value) || value instanceof Float) return value;
  const map = value as ValueMap;
  const entries = Object.entries(map).map(([key, item]) => [replace(key), redactValue(item, replace)] as const);
  return (entries.some(([key, item]) => !Object.hasOwn(map, key) || item !== map[key]) ? Object.fromEntries(entries) : value) as T;
}

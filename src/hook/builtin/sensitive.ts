import { isMap } from '../../call/check/kind.ts';
import { re2 } from '../../call/re2.ts';
import { eachSoon, type Soon, whenReady } from '../../call/soon.ts';
import type { Value, ValueMap } from '../../call/value.ts';

/** Replaces what a pattern finds in a text. */
export type Replace = (text: string) => string;

/** What may stand before the `@` of an e-mail address, and how much of it, and the rest from there: with these first, each begins once. */
const LOCAL_PART = /[A-Za-z0-9._%+-]/;
const LONGEST_LOCAL_PART = 64;
const DOMAIN = /@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}/g;
const CARD = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]?\d)/g;
/**
 * Keys of providers by their marks, and what stands behind a name that says that it is one. Texts may be long and hostile: no part can repeat
 * without bound and end in vain. Of a private key the end may be cut off.
 */
const API_KEY =
  /\b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]{1,32}[-_]){0,4}[A-Za-z0-9_-]{16,256}|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{40,}|\bxox[abeprs]-[\w-]{10,}|\bA(?:KIA|SIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}|\bglpat-[\w-]{20,}|\bhf_[A-Za-z0-9]{30,}|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----)){0,20000}(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const NAMED_KEY =
  /\b((?:api[-_ ]?key|secret|access[-_ ]?token|auth[-_ ]?token|bearer)["']?)(\s{0,41}(?:[:=]\s{0,20}|(?<=\s)))(["']?)([A-Za-z0-9._~+/=-]{16,512})/gi;

/** The built-in patterns by name. */
export const PATTERNS: Readonly<Record<'email' | 'card' | 'api_key', (replacement: string) => Replace>> = {
  email: (replacement) => (text) => withoutAddresses(text, replacement),
  card: (replacement) => (text) => text.replaceAll(CARD, (found) => (luhn(found) ? replacement : found)),
  api_key: (replacement) => (text) =>
    text
      .replaceAll(API_KEY, () => replacement)
      // Lines alone do not join a name and its key.
      .replaceAll(NAMED_KEY, (found, name: string, between: string, quote: string) => (/[:= ]/.test(between) ? name + between + quote + replacement : found)),
};

function withoutAddresses(text: string, replacement: string): string {
  let kept = '';
  let from = 0;
  for (const { 0: domain, index } of text.matchAll(DOMAIN)) {
    let start = index;
    while (start > from && index - start < LONGEST_LOCAL_PART && LOCAL_PART.test(text.charAt(start - 1))) start--;
    if (start === index) continue;
    kept += text.slice(from, start) + replacement;
    from = index + domain.length;
  }
  return from === 0 ? text : kept + text.slice(from);
}

/** A pattern of the configuration, which cannot take more than linear time. Throws when it is no RE2 expression. */
export function customPattern(expression: string, replacement: string): Replace {
  const compiled = re2().compile(expression);
  const quoted = replacement.replaceAll(/[\\$]/g, '\\$&');
  return (text) => compiled.matcher(text).replaceAll(quoted);
}

const ZERO = 48;

/** What `[hooks.redact]` takes out of a text, and puts there. */
export interface RedactSettings {
  readonly patterns: readonly (keyof typeof PATTERNS)[];
  readonly custom: Readonly<Record<string, string>>;
  readonly replacement: string;
}

/** Replaces all that the settings name. Throws a plain error for an expression that is none. */
export function replacing({ patterns, custom, replacement }: RedactSettings): Replace {
  const steps = [
    ...Object.entries(custom).map(([name, expression]) => named(name, expression, replacement.replaceAll('{kind}', name))),
    ...patterns.map((name) => PATTERNS[name](replacement.replaceAll('{kind}', name))),
  ];
  return (text) => steps.reduce((rest, step) => step(rest), text);
}

function named(name: string, expression: string, replacement: string): Replace {
  try {
    return customPattern(expression, replacement);
  } catch (error) {
    throw new Error(`custom.${name}: ${error instanceof Error ? error.message : 'it is no regular expression'}`);
  }
}

/** The check digit of payment cards (ISO/IEC 7812-1, annex B). */
export function luhn(text: string): boolean {
  let sum = 0;
  let doubled = false;
  for (let at = text.length - 1; at >= 0; at--) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) continue;
    sum += !doubled ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
    doubled = !doubled;
  }
  return sum % 10 === 0;
}

/** The value with every text in it replaced, names of maps too; the very same value where nothing was found. */
export function redactValue(value: Value, replace: (text: string) => Soon<string>): Soon<Value> {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) {
    return whenReady(
      eachSoon(value, (item) => redactValue(item, replace)),
      (items) => (items.some((item, at) => item !== value[at]) ? items : value),
    );
  }
  if (!isMap(value)) return value;
  const map = value as ValueMap;
  const redacted = eachSoon(Object.entries(map), ([key, item]) =>
    whenReady(replace(key), (name) => whenReady(redactValue(item, replace), (changed): [string, Value] => [name, changed])),
  );
  return whenReady(redacted, (entries) => (entries.some(([key, item]) => !Object.hasOwn(map, key) || item !== map[key]) ? Object.fromEntries(entries) : value));
}

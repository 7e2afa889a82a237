import { MOST_MS } from '../config/config.ts';
import { ScriptError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { describe } from './check/failure.ts';

/** What one field of an object that the host gives has to be. */
export interface Rule {
  readonly wanted: string;
  readonly fits: (value: unknown) => boolean;
  /** Whether it may be left out. */
  readonly required?: true;
  /** What each item of an array has to be, so that the wrong one is named. */
  readonly item?: Rule;
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** Any string, or list of them, function and so on. */
export const text: Rule = { wanted: 'a string', fits: isText };
export const texts: Rule = { wanted: 'an array of strings', fits: (value) => Array.isArray(value) && value.every(isText), item: text };
export const fn: Rule = { wanted: 'a function', fits: (value) => typeof value === 'function' };
export const flag: Rule = { wanted: 'true or false', fits: (value) => typeof value === 'boolean' };
export const list: Rule = { wanted: 'an array', fits: Array.isArray };
export const map: Rule = { wanted: 'an object', fits: isObject };
export const timeout: Rule = { wanted: `a number of 1 to ${MOST_MS}`, fits: (value) => typeof value === 'number' && value >= 1 && value <= MOST_MS };
export const path: Rule = { wanted: 'a path', fits: (value) => isText(value) && isPath(value) };

/** True for a text that can be the path of a file; an empty one would mean the current folder. */
export function isPath(value: string): boolean {
  return value !== '' && !value.includes('\0');
}

/** One of a few strings. */
export function oneOf(...values: readonly string[]): Rule {
  return { wanted: values.map((value) => JSON.stringify(value)).join(' or '), fits: (value) => isText(value) && values.includes(value) };
}

/** A list of strings of one form. */
export function each(wanted: string, fits: (value: string) => boolean): Rule {
  const item: Rule = { wanted, fits: (one) => isText(one) && fits(one) };
  return { wanted: `an array of which each is ${wanted}`, fits: (value) => Array.isArray(value) && value.every(item.fits), item };
}

/** The same rule for a field that has to be there. */
export function required(rule: Rule): Rule {
  return { ...rule, required: true };
}

/** Throws BAD_ARGUMENT that begins with `place` and names the field when an object is not what the rules say. */
export function checkFields(place: string, given: unknown, rules: Readonly<Record<string, Rule>>): void {
  if (!isObject(given)) throw new ScriptError('BAD_ARGUMENT', `${place}: expected an object, got ${found(given)}`);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(rules, name)) continue;
    const near = nearest(name, Object.keys(rules));
    throw new ScriptError(
      'BAD_ARGUMENT',
      `${place}: unknown option "${name}"${near ? `; did you mean "${near}"?` : `; known are ${Object.keys(rules).join(', ')}`}`,
    );
  }
  for (const [name, rule] of Object.entries(rules)) {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined || rule.required) checkValue(`${place}: ${name}`, value, rule);
  }
}

/** Throws BAD_ARGUMENT that begins with `place` when a value is not what the rule says. */
export function checkValue(place: string, value: unknown, rule: Rule): void {
  if (rule.fits(value)) return;
  const { item } = rule;
  const odd = item && Array.isArray(value) ? value.findIndex((one) => !item.fits(one)) : -1;
  if (item && odd >= 0) checkValue(`${place}[${odd}]`, (value as readonly unknown[])[odd], item);
  throw new ScriptError('BAD_ARGUMENT', `${place}: expected ${rule.wanted}, got ${found(value)}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A wrong value in words; the texts of a short list or set, of which one might be the wrong one, are shown. */
function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  const items = value instanceof Set ? [...value] : value;
  if (Array.isArray(items) && items.length > 0 && items.length <= 3 && items.every(isText)) return JSON.stringify(items).slice(0, 200);
  return describe(value);
}

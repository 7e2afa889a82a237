import type { ScriptError } from '../../errors.ts';
import { isEmptyMap, isMap } from '../check/kind.ts';
import type { Document } from './document.ts';
import type { Part, Rule } from './part.ts';

/** Where a keyword stands. */
export interface At {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly compile: (schema: unknown) => Part;
  readonly document: Document;
  /** BAD_ARGUMENT for a keyword whose value is none of these words. */
  readonly refuse: (wanted: string) => ScriptError;
}

/** Makes a rule of a keyword's value; none where it says nothing. Throws BAD_ARGUMENT for a value that it cannot have. */
export type Keyword = (given: unknown, at: At) => Rule | undefined;

/** A number of the schema. */
export function number(given: unknown, { refuse }: At): number | bigint {
  if (typeof given !== 'number' && typeof given !== 'bigint') throw refuse('a number');
  return given;
}

/** A number of things. */
export function count(given: unknown, { refuse }: At): number {
  if (typeof given !== 'number' || !Number.isInteger(given) || given < 0) throw refuse('an integer of at least 0');
  return given;
}

/** A list, which an empty table of Lua may be. */
export function list(given: unknown, { refuse }: At): readonly unknown[] {
  if (isEmptyMap(given)) return [];
  if (!Array.isArray(given)) throw refuse('an array');
  return given;
}

/** Names of properties, each once. */
export function names(given: unknown, at: At): readonly string[] {
  const all = list(given, at);
  at.document.addNames(all.length);
  if (!all.every((name) => typeof name === 'string')) throw at.refuse('an array of strings');
  return [...new Set(all)];
}

/** A map, which an empty array may be. */
export function map(given: unknown, { refuse }: At): Readonly<Record<string, unknown>> {
  if (Array.isArray(given) && given.length === 0) return {};
  if (!isMap(given)) throw refuse('a map');
  return given;
}

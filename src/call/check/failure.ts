import { ScriptError } from '../../errors.ts';
import type { Language } from '../context.ts';
import { pathText } from '../path.ts';
import { Float, Handle } from '../value.ts';
import { isMap } from './kind.ts';

/** What a check answers instead of a value; places are added on the way out, so that success costs nothing. */
export class Failure {
  /** From the innermost outwards. */
  readonly keys: (string | number)[] = [];
  readonly wanted: string;
  readonly found: unknown;
  /** True when the kind was right and the content was not: the message then shows the content. */
  readonly content: boolean;
  /** Said instead of `expected …, got …`; one that costs something is made when it is told. */
  readonly sentence: string | (() => string) | undefined;

  constructor(wanted: string, found: unknown, content = false, sentence?: string | (() => string)) {
    this.wanted = wanted;
    this.found = found;
    this.content = content;
    this.sentence = sentence;
  }

  /** The same failure seen from one level further out. */
  at(key: string | number): this {
    this.keys.push(key);
    return this;
  }

  /** The clear sentence: where, what was wanted, what was found. Positions count from 1 in Lua and from 0 in JavaScript. */
  message(path: string, language: Language): string {
    const place = this.#place(path, language === 'lua' ? 1 : 0);
    const sentence = this.sentenceIn(language);
    return place === '' ? sentence : `${place}: ${sentence}`;
  }

  /** What was wanted and what was found, without the place. */
  sentenceIn(language: Language): string {
    const sentence = typeof this.sentence === 'function' ? this.sentence() : this.sentence;
    return sentence ?? `expected ${this.wanted}, got ${this.#foundIn(language)}`;
  }

  toError(path: string, language: Language): ScriptError {
    return new ScriptError('BAD_ARGUMENT', this.message(path, language));
  }

  #foundIn(language: Language): string {
    if (language === 'javascript' && this.found === null) return 'null';
    if (language === 'javascript' && this.found === undefined) return 'nothing';
    return this.content ? describeContent(this.found) : describe(this.found);
  }

  #place(path: string, base: number): string {
    const inside = pathText(this.keys.toReversed().map((key) => (typeof key === 'number' ? key + base : key)));
    return path === '' ? inside.replace(/^\./, '') : path + inside;
  }
}

/** A value by its kind, for messages: `nil`, `a number (3.5)`, `an empty map`, `an Agent handle`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (typeof value === 'boolean') return `a boolean (${value})`;
  if (typeof value === 'number' || typeof value === 'bigint' || value instanceof Float) return `a number (${describeContent(value)})`;
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Handle) return withArticle(`${value.type.name} handle`);
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (value instanceof Promise) return 'a promise, which is to be awaited first';
  if (isMap(value)) return Object.keys(value).length === 0 ? 'an empty map' : 'a map';
  return withArticle(value.constructor?.name || 'object');
}

/** A value by its content where that is short, else by its kind. */
export function describeContent(value: unknown): string {
  if (value instanceof Float) return value.value.toFixed(1);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string' && value !== '') return quoted(value);
  return describe(value);
}

/** A text in quotation marks, of a long one the beginning. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** `an Agent handle`, `a Tool handle`. */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`;
}

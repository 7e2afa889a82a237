import { ScriptError } from '../errors.ts';
import { describe } from './check/failure.ts';
import { isMap } from './check/kind.ts';
import { pieceEnd } from './text.ts';
import { Float, Handle } from './value.ts';

/** The deepest nesting that is written or read, as between scripts and the host. */
export const MAX_DEPTH = 64;
/** Values between two looks at the clock. */
const STEP_NODES = 1_024;
/** Longer texts and bytes are written in pieces of this size, three bytes being four characters of Base64; so is what is written put together. */
const PIECE = 65_535;
/** What counts for one value. */
const NODE_UNITS = 64;

export interface JsonTextOptions {
  /** Two spaces of indentation and a line per item. */
  readonly pretty?: boolean;
  /** Functions and handles as short descriptions instead of an error, for output that people read. */
  readonly describe?: boolean;
  /** How errors name the value, `JSON.stringify: value`. */
  readonly place?: string;
  /** Where positions in errors begin; 0 if not given. */
  readonly first?: 0 | 1;
}

/** A container that is being written. */
interface Level {
  readonly of: readonly unknown[] | Readonly<Record<string, unknown>>;
  /** A map's keys; undefined for an array. */
  readonly keys: readonly string[] | undefined;
  next: number;
  /** Nothing of it is written yet. */
  empty: boolean;
}

/** Writes the JSON text of one value in steps. */
export class JsonWriter {
  readonly #options: JsonTextOptions;
  readonly #levels: Level[] = [];
  /** What was written, in pieces, and since the last one. */
  readonly #pieces: string[] = [];
  #parts: string[] = [];
  #length = 0;
  /** A long text or bytes on their way, and how much of them is written. */
  #rest: string | Uint8Array | undefined;
  #done = 0;
  #left = 0;

  /** Throws BAD_ARGUMENT for what is no data, as `step` does. */
  constructor(value: unknown, options: JsonTextOptions) {
    this.#options = options;
    this.#value(value);
  }

  /** Goes on for a while; true when all is written. */
  readonly step = (): boolean => {
    this.#left = STEP_NODES;
    do {
      const level = this.#levels.at(-1);
      if (this.#rest !== undefined) this.#piece(this.#rest);
      else if (!level) return true;
      else if (level.next === (level.keys ?? (level.of as readonly unknown[])).length) this.#close(level);
      else if (level.keys) this.#entry(level, level.of as Readonly<Record<string, unknown>>, level.keys);
      else {
        this.#separate(level);
        this.#value((level.of as readonly unknown[])[level.next++]);
      }
    } while (--this.#left > 0);
    return false;
  };

  /** What is written, in pieces. */
  get pieces(): readonly string[] {
    this.#join();
    return this.#pieces;
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return value.length > PIECE ? this.#begin('"', value) : this.#put(JSON.stringify(value));
      case 'number':
        return this.#put(numberText(value));
      case 'boolean':
      case 'bigint':
        return this.#put(String(value));
      case 'undefined':
        return this.#put('null');
      case 'object':
        return value === null ? this.#put('null') : this.#object(value);
      default:
        return this.#opaque(value);
    }
  }

  #object(value: object): void {
    if (value instanceof Float) return this.#put(numberText(value.value).replace(DIGITS_ALONE, '$&.0'));
    if (value instanceof Uint8Array) return this.#begin(`{"$bytes":${this.#options.pretty ? ' ' : ''}"`, value);
    if (Array.isArray(value)) this.#open('[', { of: value, keys: undefined, next: 0, empty: true });
    else if (isMap(value)) this.#open('{', { of: value, keys: Object.keys(value), next: 0, empty: true });
    else this.#opaque(value);
  }

  #open(bracket: string, level: Level): void {
    const { place } = this.#options;
    if (this.#levels.length >= MAX_DEPTH) throw wrong(place, `expected at most ${MAX_DEPTH} levels of nesting, got more (or a value that contains itself)`);
    this.#put(bracket);
    this.#levels.push(level);
  }

  #close({ keys, empty }: Level): void {
    this.#levels.pop();
    if (!empty) this.#newLine();
    this.#put(keys ? '}' : ']');
  }

  #entry(level: Level, map: Readonly<Record<string, unknown>>, keys: readonly string[]): void {
    const key = keys[level.next++] as string;
    const value = map[key];
    if (value === undefined) return;
    this.#separate(level);
    this.#put(`${JSON.stringify(key)}:${this.#options.pretty ? ' ' : ''}`);
    this.#value(value);
  }

  #separate(level: Level): void {
    if (!level.empty) this.#put(',');
    level.empty = false;
    this.#newLine();
  }

  #newLine(): void {
    if (this.#options.pretty) this.#put(`\n${'  '.repeat(this.#levels.length)}`);
  }

  /** A long text or bytes follow in pieces. */
  #begin(before: string, content: string | Uint8Array): void {
    this.#put(before);
    this.#rest = content;
    this.#done = 0;
    if (content.length <= PIECE) this.#piece(content);
  }

  #piece(content: string | Uint8Array): void {
    const from = this.#done;
    if (typeof content === 'string') {
      this.#done = pieceEnd(content, from, PIECE);
      this.#put(JSON.stringify(content.slice(from, this.#done)).slice(1, -1));
    } else {
      this.#done = Math.min(content.length, from + PIECE);
      this.#put(Buffer.from(content.buffer, content.byteOffset + from, this.#done - from).toString('base64'));
    }
    if (this.#done < content.length) return;
    this.#rest = undefined;
    this.#put(typeof content === 'string' ? '"' : '"}');
  }

  #put(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
    this.#left -= Math.floor(text.length / NODE_UNITS);
    if (this.#length > PIECE) this.#join();
  }

  #join(): void {
    this.#pieces.push(this.#parts.join(''));
    this.#parts = [];
    this.#length = 0;
  }

  #opaque(value: unknown): void {
    if (!this.#options.describe) throw wrong(this.#path(), `expected data, got ${describe(value)}`);
    this.#put(JSON.stringify(value instanceof Handle ? `[${value.type.name}]` : typeof value === 'function' ? '[function]' : `[${describe(value)}]`));
  }

  /** Where the value stands that is being written. */
  #path(): string {
    const { place = '', first = 0 } = this.#options;
    return this.#levels.reduce((path, { keys, next }) => {
      const key = keys?.[next - 1];
      if (key === undefined) return `${path}[${next - 1 + first}]`;
      return path === '' ? key : `${path}.${key}`;
    }, place);
  }
}

/** A number that would be read as an integer. */
const DIGITS_ALONE = /^-?\d+$/;

function numberText(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  return Object.is(value, -0) ? '-0.0' : String(value);
}

/** BAD_ARGUMENT behind the place. */
export function wrong(place: string | undefined, sentence: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', place ? `${place}: ${sentence}` : sentence);
}

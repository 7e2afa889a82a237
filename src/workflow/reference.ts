import { breathe } from '../call/breath.ts';
import { isMap } from '../call/check/kind.ts';
import type { Cpu } from '../call/cpu.ts';
import { joinedSoon, TEXT_PIECE } from '../call/long-text.ts';
import type { Soon } from '../call/soon.ts';
import { pieceEnd } from '../call/text.ts';
import { VALUE_LIMITS, type Value, type ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { valueText } from '../model/model.ts';
import { jsonPieces, piecesOf } from './json-pieces.ts';

/** One `$…` in a string of a step: `$input.field`, `$search.output.results[1].url`, `$loop.value`, `$state.scope.key`. */
export interface Reference {
  readonly text: string;
  /** `input`, `loop`, `state`, or the name of a step. */
  readonly root: string;
  readonly path: readonly (string | number)[];
}

/** Resolves a reference's root; undefined when there is nothing of that name. */
export type Lookup = (reference: Reference) => Soon<Value | undefined>;

/** A reference where it stands in a text, or a `$$`. */
interface Mark {
  readonly start: number;
  readonly end: number;
  readonly reference?: Reference;
}

/** References of one text. */
const MOST_REFERENCES = 1_000;
/** Of one reference; no value is nested as deep as so many parts. */
const MOST_PARTS = 100;
const MOST_CHARACTERS = 1_000;
const MOST_TEXT = `${VALUE_LIMITS.bytes / 2 ** 20} MB`;
/** Of a reference that is too long, in messages. */
const SHOWN_CHARACTERS = 60;
/** Dollar signs between two looks at the clock. */
const STEP_DOLLARS = 1_024;

// Of a name that is too long they read so much that this can be told.
const HEAD = /\$(?:\$|([A-Za-z_][\w-]{0,1000}))/y;
const PART = /\.([A-Za-z_][\w-]{0,1000})|\[(\d{1,1000})\]|\["([^"\]]{0,1000})"\]|\[\d{1001}|\["[^"\]]{1001}/y;

/** Every reference in the strings of a value, in steps. Throws BAD_ARGUMENT for a text with too many and for one that is too long. */
export function* referencesIn(value: Value): Generator<Reference | undefined, void> {
  if (typeof value === 'string') {
    for (const mark of marksIn(value)) {
      if (!mark) yield;
      else if (mark.reference) yield mark.reference;
    }
  } else if (Array.isArray(value) || isMap(value)) {
    yield;
    for (const item of Object.values(value)) if (mayRefer(item)) yield* referencesIn(item);
  }
}

/**
 * The value with its references resolved: a string that is nothing but one passes the value as it is, else texts are put in. Throws BAD_ARGUMENT for one that
 * leads nowhere, LIMIT_EXCEEDED where they put in more than one value may have.
 */
export async function resolveReferences(cpu: Cpu, value: Value, lookup: Lookup, firstPosition: 0 | 1): Promise<Value> {
  return new Resolution(cpu, lookup, firstPosition).value(value, 0);
}

/** Resolves the references of one value; what each leads to is looked up and made text once. */
class Resolution {
  readonly #cpu: Cpu;
  readonly #lookup: Lookup;
  readonly #first: 0 | 1;
  readonly #values = new Map<string, Value>();
  readonly #texts = new Map<string, string>();
  /** What may still be put in. */
  #nodes: number = VALUE_LIMITS.nodes;
  #bytes: number = VALUE_LIMITS.bytes;

  constructor(cpu: Cpu, lookup: Lookup, first: 0 | 1) {
    this.#cpu = cpu;
    this.#lookup = lookup;
    this.#first = first;
  }

  value(value: Value, depth: number): Soon<Value> {
    if (typeof value === 'string') return value.includes('$') ? this.#text(value, depth) : value;
    return Array.isArray(value) || isMap(value) ? this.#container(value, depth + 1) : value;
  }

  async #container(of: readonly Value[] | ValueMap, depth: number): Promise<Value> {
    await breathe(this.#cpu);
    const items: Value[] = [];
    for (const item of Object.values(of)) {
      const resolved = this.value(item, depth);
      items.push(resolved instanceof Promise ? await resolved : resolved);
    }
    return Array.isArray(of) ? items : Object.fromEntries(Object.keys(of).map((key, at) => [key, items[at] as Value]));
  }

  async #text(text: string, depth: number): Promise<Value> {
    await breathe(this.#cpu);
    const first = markAt(text, 0);
    if (first?.reference && first.end === text.length) {
      const value = await this.#follow(first.reference);
      this.#count(value, depth);
      return value;
    }
    const pieces: string[] = [];
    let piece = '';
    let at = 0;
    for (const mark of marksIn(text)) {
      if (mark) {
        const put = mark.reference ? await this.#textOf(mark.reference) : '$';
        this.#take(0, mark.start - at + put.length);
        piece += text.slice(at, mark.start);
        at = mark.end;
        if (put.length < TEXT_PIECE) piece += put;
        else {
          pieces.push(piece, ...piecesOf(put));
          piece = '';
        }
      } else {
        pieces.push(piece);
        piece = '';
        await breathe(this.#cpu);
      }
    }
    return joinedSoon(this.#cpu, [...pieces, piece, ...piecesOf(text.slice(at))]);
  }

  async #textOf(reference: Reference): Promise<string> {
    const known = this.#texts.get(reference.text);
    if (known !== undefined) return known;
    const made = await this.#textOfValue(await this.#follow(reference));
    this.#texts.set(reference.text, made);
    return made;
  }

  async #textOfValue(value: Value): Promise<string> {
    if (!Array.isArray(value) && !isMap(value)) return valueText(value);
    const pieces: string[] = [];
    let length = 0;
    for (const piece of jsonPieces(value)) {
      length += piece.length;
      if (length > this.#bytes) throw tooMuch(MOST_TEXT);
      pieces.push(piece);
      const breath = breathe(this.#cpu);
      if (breath) await breath;
    }
    return joinedSoon(this.#cpu, pieces);
  }

  async #follow(reference: Reference): Promise<Value> {
    const known = this.#values.get(reference.text);
    if (known !== undefined) return known;
    const root = await this.#lookup(reference);
    if (root === undefined) throw nowhere(reference);
    // A path into the state begins behind scope and key, which the lookup has used.
    const path = reference.root === 'state' ? reference.path.slice(2) : reference.path;
    const value = follow(root, path, reference, this.#first);
    this.#values.set(reference.text, value);
    return value;
  }

  /** Counts a value that is put in as it is. */
  #count(value: Value, depth: number): void {
    if (typeof value === 'string' || value instanceof Uint8Array) this.#take(0, value.length);
    else if (Array.isArray(value) || isMap(value)) {
      if (depth >= VALUE_LIMITS.depth) throw tooMuch(`${VALUE_LIMITS.depth} levels of nesting`);
      const items: readonly Value[] = Object.values(value);
      this.#take(items.length, 0);
      for (const item of items) this.#count(item, depth + 1);
    }
  }

  #take(nodes: number, bytes: number): void {
    if ((this.#nodes -= nodes) < 0) throw tooMuch(`${VALUE_LIMITS.nodes} parts`);
    if ((this.#bytes -= bytes) < 0) throw tooMuch(MOST_TEXT);
  }
}

/** The references and `$$` of a text, in steps. */
function* marksIn(text: string): Generator<Mark | undefined, void> {
  let references = 0;
  let dollars = 0;
  for (let start = text.indexOf('$'); start >= 0; ) {
    if (++dollars % STEP_DOLLARS === 0) yield;
    const mark = markAt(text, start);
    if (mark?.reference && ++references > MOST_REFERENCES)
      throw new ScriptError('BAD_ARGUMENT', `references: expected at most ${MOST_REFERENCES} in one text, got more`);
    if (mark) yield mark;
    start = text.indexOf('$', mark?.end ?? start + 1);
  }
}

function markAt(text: string, start: number): Mark | undefined {
  HEAD.lastIndex = start;
  const head = HEAD.exec(text);
  if (!head) return undefined;
  const [{ length }, root] = head;
  let end = start + length;
  if (root === undefined) return { start, end };
  const path: (string | number)[] = [];
  while (path.length <= MOST_PARTS) {
    PART.lastIndex = end;
    const part = PART.exec(text);
    if (!part) break;
    const [whole, name, position, quoted] = part;
    path.push(position === undefined ? (name ?? quoted ?? '') : Number(position));
    end += whole.length;
  }
  if (path.length > MOST_PARTS || end - start > MOST_CHARACTERS) {
    const shown = text.slice(start, pieceEnd(text, start, SHOWN_CHARACTERS));
    throw new ScriptError('BAD_ARGUMENT', `the reference ${shown}… is too long: expected at most ${MOST_CHARACTERS} characters and ${MOST_PARTS} parts`);
  }
  return { start, end, reference: { text: text.slice(start, end), root, path } };
}

function follow(root: Value, path: readonly (string | number)[], reference: Reference, firstPosition: 0 | 1): Value {
  let value: Value = root;
  for (const part of path) {
    const next: Value | undefined =
      typeof part === 'number'
        ? Array.isArray(value)
          ? value[part - firstPosition]
          : undefined
        : isMap(value) && Object.hasOwn(value, part)
          ? value[part]
          : undefined;
    if (next === undefined) throw nowhere(reference);
    value = next;
  }
  return value;
}

function nowhere({ text }: Reference): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `the reference ${text} leads nowhere`);
}

function tooMuch(most: string): ScriptError {
  return new ScriptError('LIMIT_EXCEEDED', `references put in too much: expected at most ${most} in one value, got more`);
}

function mayRefer(value: Value | undefined): value is Value {
  return typeof value === 'string' ? value.includes('$') : typeof value === 'object' && value !== null;
}

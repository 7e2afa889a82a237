import { pieceEnd } from '../../call/text.ts';
import type { Chunker } from './chunker.ts';
import { definitionsOf, leads } from './definitions.ts';
import { fit } from './measure.ts';
import type { Piece } from './pack.ts';
import { divide } from './recursive.ts';
import { lines, type Range } from './split.ts';

/** What a line says is looked for in its beginning only. */
const LOOKED_AT = 200;
/** Blocks inside blocks that are looked into. */
const MOST_DEPTH = 4;
const LONGEST_HEADING = 100;

interface Line extends Range {
  /** Without indentation, cut. */
  readonly text: string;
  readonly indent: number;
}

/** Definitions with the comments above them; what is too large is divided into the definitions inside it, then at blank lines, then lines. */
export const code: Chunker = {
  doc: 'definitions with their comments, then blocks, blank lines and lines',
  indented: true,
  pieces: (text, { size, language }) => within(text, 0, text.length, size, definitionsOf(language), []),
};

function* within(text: string, start: number, stop: number, size: number, definitions: readonly RegExp[], headings: readonly string[]): Generator<Piece> {
  for (const block of blocks(text, start, stop, definitions, headings.length > 0)) {
    if (fit(text, block.start, block.stop, size).at >= block.stop) yield { ...block, headings };
    else if (headings.length < MOST_DEPTH && block.title !== undefined && block.inner < block.stop) {
      yield* withHeadings(divide(text, block.start, block.inner, size), headings, true);
      yield* within(text, block.inner, block.stop, size, definitions, [...headings, block.title]);
    } else yield* withHeadings(divide(text, block.start, block.stop, size), headings, block.title !== undefined);
  }
}

/** The first of them begins a chunk if it is wanted so. */
function* withHeadings(pieces: Iterable<Piece>, headings: readonly string[], hard: boolean): Generator<Piece> {
  let first = hard;
  for (const piece of pieces) {
    yield { ...piece, headings, hard: first };
    first = false;
  }
}

interface Block extends Range {
  /** The definition's first line; undefined for what defines nothing. */
  readonly title: string | undefined;
  /** Where what is inside the definition begins. */
  readonly inner: number;
}

/** Blocks of the outermost indentation: each begins at a definition, with the comments above it, or after a blank line. */
function* blocks(text: string, start: number, stop: number, definitions: readonly RegExp[], nested: boolean): Generator<Block> {
  const outermost = indentOf(text, start, stop, nested ? definitions : undefined);
  let from = start;
  let title: string | undefined;
  let inner = stop;
  let leading: number | undefined;
  let blank = false;
  for (const line of readLines(text, start, stop)) {
    if (line.text === '') {
      blank = true;
      leading = undefined;
      continue;
    }
    const outer = line.indent <= outermost;
    const defines = outer && definitions.some((pattern) => pattern.test(line.text));
    const comments = outer && !defines && leads(line.text);
    const begin = leading ?? line.start;
    if ((defines || (outer && blank && !closes(line.text))) && (leading === undefined || defines || blank) && begin > from) {
      yield { start: from, stop: begin, title, inner };
      from = begin;
      title = undefined;
      inner = stop;
    }
    if (defines && title === undefined) {
      title = line.text.slice(0, pieceEnd(line.text, 0, LONGEST_HEADING)).replace(/[\s{(:]+$/, '');
      inner = line.stop;
    }
    leading = comments ? (leading ?? line.start) : undefined;
    blank = false;
  }
  if (from < stop) yield { start: from, stop, title, inner };
}

/** The indentation of the outermost lines: of definitions if there are any, else of anything. */
function indentOf(text: string, start: number, stop: number, definitions: readonly RegExp[] | undefined): number {
  let least = Number.POSITIVE_INFINITY;
  let defined = Number.POSITIVE_INFINITY;
  for (const line of readLines(text, start, stop)) {
    if (line.text === '' || closes(line.text)) continue;
    least = Math.min(least, line.indent);
    if (definitions && line.indent < defined && definitions.some((pattern) => pattern.test(line.text))) defined = line.indent;
  }
  return Number.isFinite(defined) ? defined : least;
}

function closes(line: string): boolean {
  return /^[)\]}]|^end\b/.test(line);
}

function* readLines(text: string, start: number, stop: number): Generator<Line> {
  for (const range of lines(text, start, stop)) {
    const line = text.slice(range.start, Math.min(range.stop, range.start + LOOKED_AT)).trimEnd();
    const trimmed = line.trimStart();
    yield { ...range, text: trimmed, indent: line.length - trimmed.length };
  }
}

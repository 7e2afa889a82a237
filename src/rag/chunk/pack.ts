import { ScriptError } from '../../errors.ts';
import type { Chunk } from '../knowledge.ts';
import { cutAfter, cutBefore } from './boundary.ts';
import { count, fit, fitBack, kindAt, kindBefore, MOST_CHARACTERS, SPACE } from './measure.ts';

/** A part of the text that belongs together. The pieces of a text follow each other without gaps. */
export interface Piece {
  readonly start: number;
  readonly stop: number;
  /** Begins a chunk, and takes no overlap. */
  readonly hard?: boolean | undefined;
  /** No overlap begins inside it. */
  readonly whole?: boolean | undefined;
  readonly headings?: readonly string[] | undefined;
}

export interface PackOptions {
  /** Most tokens of a chunk. */
  readonly size: number;
  /** Most tokens that a chunk repeats of the one before; half the size at most. */
  readonly overlap: number;
  /** A chunk begins at the start of its first line, blanks included. */
  readonly indented?: boolean | undefined;
}

/** Chunks of one document at most. */
export const MOST_CHUNKS = 100_000;

/** Puts pieces together to chunks, as many as fit; a piece that is larger than a chunk is cut between words. Throws LIMIT_EXCEEDED for more than 100,000 chunks. */
export function pack(text: string, pieces: Iterable<Piece>, options: PackOptions): Chunk[] {
  const packer = new Packer(text, options);
  for (const piece of pieces) packer.add(piece);
  return packer.end();
}

class Packer {
  readonly #text: string;
  readonly #options: PackOptions;
  readonly #chunks: Chunk[] = [];
  /** The open chunk: where it begins, with its overlap, and ends; its tokens; its pieces. */
  #start = 0;
  #stop = 0;
  #tokens = 0;
  #pieces: Piece[] = [];

  constructor(text: string, options: PackOptions) {
    this.#text = text;
    this.#options = options;
  }

  add(piece: Piece): void {
    if (piece.hard) {
      this.#close();
      this.#open(piece.start, piece.start);
    }
    const { size } = this.#options;
    const room = fit(this.#text, piece.start, piece.stop, size - this.#tokens || 1);
    if (this.#tokens < size && room.at >= piece.stop && this.#within(piece.stop)) return this.#take(piece, room.tokens);
    const before = this.#close();
    const alone = fit(this.#text, piece.start, piece.stop, size);
    if (alone.at >= piece.stop) {
      this.#open(this.#overlapStart(before, piece.start, size - alone.tokens, piece.stop), piece.start);
      return this.#take(piece, alone.tokens);
    }
    this.#cut(piece, before);
  }

  end(): Chunk[] {
    this.#close();
    return this.#chunks;
  }

  /** A piece larger than a chunk: one chunk after the other, the rest stays open. */
  #cut(piece: Piece, before: Closed | undefined): void {
    const { size, overlap } = this.#options;
    let last = before;
    for (let from = piece.start; from < piece.stop; ) {
      this.#open(this.#overlapStart(last, from, overlap, from), from);
      const room = fit(this.#text, from, Math.min(piece.stop, this.#start + size * MOST_CHARACTERS), size - this.#tokens);
      const end = room.at >= piece.stop ? piece.stop : cutBefore(this.#text, from, room.at);
      this.#take({ ...piece, start: from, stop: end, whole: false }, end === room.at ? room.tokens : count(this.#text, from, end));
      if (end < piece.stop) last = this.#close();
      from = end;
    }
  }

  #open(start: number, at: number): void {
    this.#start = start;
    this.#stop = at;
    this.#tokens = count(this.#text, start, at);
    this.#pieces = [];
  }

  #take(piece: Piece, tokens: number): void {
    if (this.#pieces.length === 0 && this.#start === this.#stop) this.#start = piece.start;
    this.#pieces.push(piece);
    this.#stop = piece.stop;
    this.#tokens += tokens;
  }

  /** Whether the open chunk may go so far, blanks counted too. */
  #within(stop: number): boolean {
    return stop - this.#start <= this.#options.size * MOST_CHARACTERS;
  }

  #close(): Closed | undefined {
    const pieces = this.#pieces;
    if (pieces.length === 0) return undefined;
    const closed = { start: this.#start, stop: this.#stop, tokens: this.#tokens, pieces };
    let { start, stop } = closed;
    while (stop > start && kindBefore(this.#text, stop) === SPACE) stop--;
    while (start < stop && kindAt(this.#text, start) === SPACE) start++;
    if (this.#options.indented) start = this.#lineStart(start, closed.start);
    this.#open(this.#stop, this.#stop);
    // Nothing but blanks, and what it repeats of the one before.
    if (start === stop || stop <= (this.#chunks.at(-1)?.stop ?? 0)) return closed;
    if (this.#chunks.length >= MOST_CHUNKS) throw new ScriptError('LIMIT_EXCEEDED', `the text gives more than ${MOST_CHUNKS} chunks; use a larger chunk_size`);
    const headings = pieces.at(-1)?.headings;
    this.#chunks.push({ index: this.#chunks.length, text: this.#text.slice(start, stop), start, stop, ...(headings && headings.length > 0 && { headings }) });
    return closed;
  }

  /** Back over the blanks before a line's first character. */
  #lineStart(at: number, floor: number): number {
    let start = at;
    while (start > floor && this.#text[start - 1] !== '\n' && kindBefore(this.#text, start) === SPACE) start--;
    return start;
  }

  /** Where the next chunk begins so that it repeats the end of the last: at a piece if one fits, else at a word. */
  #overlapStart(last: Closed | undefined, at: number, room: number, stop: number): number {
    if (!last || last.stop !== at) return at;
    const { size, overlap } = this.#options;
    const most = Math.min(overlap, room, last.tokens >> 1);
    const floor = Math.max(last.start + 1, stop - size * MOST_CHARACTERS);
    if (most < 1 || floor >= at) return at;
    const earliest = fitBack(this.#text, at, floor, most);
    const inside = last.pieces.findLast(({ start }) => start < earliest);
    const begun = last.pieces.find(({ start }) => start >= earliest);
    if (begun && (inside?.whole || count(this.#text, begun.start, at) >= most / 2)) return begun.start;
    return inside?.whole ? at : cutAfter(this.#text, earliest, at);
  }
}

interface Closed {
  readonly start: number;
  readonly stop: number;
  readonly tokens: number;
  readonly pieces: readonly Piece[];
}

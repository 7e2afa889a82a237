import { isAscii, isUtf8 } from 'node:buffer';
import { inTurns } from './breath.ts';
import type { Cpu } from './cpu.ts';
import { EXTRA, usePages } from './pages.ts';
import { type Soon, whenReady } from './soon.ts';
import { BEYOND_LATIN1, pieceEnd, textOf } from './text.ts';

/** Longer texts and bytes are read and made in pieces of this size. */
export const TEXT_PIECE = 2 ** 18;

/** Gives a buffer's memory back at once, not when garbage is collected. */
export function release({ buffer }: Uint8Array): void {
  (buffer as ArrayBuffer).transfer(0);
}

/**
 * Makes one flat text of characters in memory, which have one byte each or two. V8 copies them as a whole, to new memory whose pages the machine
 * charges for when they are first used, which takes longer than the copy: so their place is allocated and touched in steps, and left to V8 just before.
 */
export class FlatText {
  readonly #source: () => Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #wide: boolean;
  readonly #place: Buffer;
  #touched = 0;
  text = '';

  /** `source` gives the memory anew at each step, since one of an engine may have grown. */
  constructor(source: () => Buffer, start: number, end: number, wide: boolean) {
    this.#source = source;
    this.#start = start;
    this.#end = end;
    this.#wide = wide;
    // An allocator that gives large blocks back to the machine keeps those of a size that it has seen freed.
    release(Buffer.allocUnsafeSlow(end - start + 2 * EXTRA));
    this.#place = Buffer.allocUnsafeSlow(end - start + EXTRA);
  }

  /** True when the text is made. */
  readonly step = (): boolean => {
    const place = this.#place;
    const to = Math.min(place.length, this.#touched + TEXT_PIECE);
    if (this.#touched < to) {
      this.#touched = usePages(place, 0, this.#touched, to);
      return false;
    }
    release(place);
    this.text = this.#wide ? this.#source().ucs2Slice(this.#start, this.#end) : this.#source().latin1Slice(this.#start, this.#end);
    return true;
  };
}

/** Makes one flat text of pieces in steps, which have at most so many UTF-16 units together: asks for them anew where one is the first of two bytes a character. */
class GatheredText {
  readonly #pieces: () => Iterator<string, undefined>;
  readonly #characters: Buffer;
  #next: Iterator<string, undefined>;
  #wide = false;
  #size = 0;
  #flat: FlatText | undefined;
  text = '';

  constructor(pieces: () => Iterator<string, undefined>, most: number) {
    this.#pieces = pieces;
    this.#next = pieces();
    this.#characters = Buffer.allocUnsafeSlow(most * 2);
  }

  /** True when the text is made. */
  readonly step = (): boolean => {
    const characters = this.#characters;
    if (this.#flat) {
      if (!this.#flat.step()) return false;
      this.text = this.#flat.text;
      release(characters);
      return true;
    }
    const { value: piece } = this.#next.next();
    if (piece === undefined) this.#flat = new FlatText(() => characters, 0, this.#size, this.#wide);
    else if (this.#wide) this.#size += characters.write(piece, this.#size, 'utf16le');
    else if (BEYOND_LATIN1.test(piece)) {
      this.#wide = true;
      this.#next = this.#pieces();
      this.#size = 0;
    } else this.#size += characters.latin1Write(piece, this.#size);
    return false;
  };
}

/** Reads the text of UTF-8 bytes in steps; a byte that belongs to none becomes U+FFFD where that is `lossy`. */
export class TextReading {
  readonly #bytes: () => Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #lossy: boolean;
  #making: FlatText | GatheredText | undefined;
  /** Undefined where the bytes are no text. */
  text: string | undefined;

  constructor(bytes: () => Buffer, start: number, end: number, lossy = false) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#lossy = lossy;
  }

  /** True when all is read. */
  readonly step = (): boolean => {
    const making = this.#making;
    if (!making) return this.#begin();
    if (!making.step()) return false;
    this.text = making.text;
    return true;
  };

  #begin(): boolean {
    const bytes = this.#bytes();
    const part = bytes.subarray(this.#start, this.#end);
    if (part.length <= TEXT_PIECE) this.text = textOf(bytes, this.#start, this.#end) ?? (this.#lossy ? part.toString('utf8') : undefined);
    else if (isAscii(part)) this.#making = new FlatText(this.#bytes, this.#start, this.#end, false);
    else if (this.#lossy || isUtf8(part)) this.#making = new GatheredText(() => this.#decode(), part.length);
    return this.#making === undefined;
  }

  *#decode(): Generator<string, undefined> {
    for (let from = this.#start, to = from; from < this.#end; from = to) {
      const bytes = this.#bytes();
      to = characterEnd(bytes, Math.min(this.#end, from + TEXT_PIECE), this.#end);
      yield bytes.utf8Slice(from, to);
    }
  }
}

/** Where a piece that is to end at `to` ends, so that it divides no character: more than three bytes that go on are none. */
function characterEnd(bytes: Buffer, to: number, end: number): number {
  let back = 0;
  while (to < end && back < 4 && ((bytes[to - back] as number) & 0xc0) === 0x80) back++;
  return back < 4 ? to - back : to;
}

/** The text of UTF-8 bytes, for a run, over several turns of the event loop where it is long; undefined where they are none. */
export function textSoon(cpu: Cpu, bytes: Buffer, lossy = false): Soon<string | undefined> {
  const reading = new TextReading(() => bytes, 0, bytes.length, lossy);
  return whenReady(inTurns(cpu, reading.step), () => reading.text);
}

/** Texts together, for a run, over several turns of the event loop where they are long. */
export function joinedSoon(cpu: Cpu, pieces: readonly string[]): Soon<string> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length <= TEXT_PIECE) return pieces.join('');
  const gathered = new GatheredText(() => pieces.values(), length);
  return whenReady(inTurns(cpu, gathered.step), () => gathered.text);
}

/** The UTF-8 bytes of a text, for a run, over several turns of the event loop where it is long; half of a surrogate pair becomes U+FFFD. */
export function bytesSoon(cpu: Cpu, text: string): Soon<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  let from = 0;
  let written = 0;
  const step = () => {
    const to = pieceEnd(text, from, TEXT_PIECE);
    written += bytes.utf8Write(text.slice(from, to), written);
    from = to;
    return from === text.length;
  };
  return whenReady(inTurns(cpu, step), () => new Uint8Array(bytes.buffer));
}

import { TEXT_PIECE, TextReading } from '../../call/long-text.ts';
import { pieceEnd } from '../../call/text.ts';
import { Place } from '../place.ts';
import { LONG_TEXT } from '../steps.ts';
import type { LuaExports } from './exports.ts';
import type { LuaMemory } from './memory.ts';

/** A long string of the engine on its way out: text where it is UTF-8, else a copy of its bytes. */
export class LongString {
  readonly #source: () => Buffer;
  readonly #start: number;
  readonly #reading: TextReading;
  #bytes: Uint8Array | undefined;
  readonly #size: number;
  #copied = 0;

  constructor(source: () => Buffer, start: number, end: number) {
    this.#source = source;
    this.#start = start;
    this.#size = end - start;
    this.#reading = new TextReading(source, start, end);
  }

  /** Reads the next piece; the value when all is there. */
  more(): string | Uint8Array | undefined {
    if (!this.#bytes) {
      if (!this.#reading.step()) return undefined;
      if (this.#reading.text !== undefined) return this.#reading.text;
      this.#bytes = new Uint8Array(Buffer.allocUnsafeSlow(this.#size).buffer);
    }
    const from = this.#copied;
    this.#copied = Math.min(this.#size, from + TEXT_PIECE);
    this.#bytes.set(this.#source().subarray(this.#start + from, this.#start + this.#copied), from);
    return this.#copied === this.#size ? this.#bytes : undefined;
  }
}

/** A text or bytes on their way into the engine's memory. */
export class LongText {
  readonly #exports: LuaExports;
  readonly #memory: LuaMemory;
  readonly #value: string | Uint8Array;
  #pointer = 0;
  #place: Place | undefined;
  #size = 0;
  #from = 0;
  #written = 0;

  constructor(exports: LuaExports, memory: LuaMemory, value: string | Uint8Array) {
    this.#exports = exports;
    this.#memory = memory;
    this.#value = value;
  }

  /** Copies the next piece; true when all are there. Throws LIMIT_EXCEEDED when the heap is full. */
  more(): boolean {
    const value = this.#value;
    if (this.#pointer === 0) {
      this.#size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
      this.#pointer = this.#memory.room(this.#size);
      this.#place = new Place(this.#exports.malloc, this.#exports.free, this.#size);
    }
    if (this.#from === value.length) return true;
    const { bytes } = this.#memory;
    const at = this.#pointer + this.#written;
    const from = this.#from;
    if (typeof value === 'string') {
      this.#from = pieceEnd(value, from, LONG_TEXT);
      this.#written += bytes.utf8Write(value.slice(from, this.#from), at);
    } else {
      this.#from = Math.min(value.length, from + LONG_TEXT);
      bytes.set(value.subarray(from, this.#from), at);
      this.#written = this.#from;
    }
    this.#place?.touch(bytes, this.#written);
    return false;
  }

  /** Makes it a string of the language; a full heap raises the language's own memory error. */
  push(L: number): void {
    try {
      this.#place?.leave();
      this.#exports.lua_pushlstring(L, this.#pointer, this.#size);
    } finally {
      this.free();
    }
  }

  free(): void {
    this.#place?.leave();
    this.#exports.free(this.#pointer);
  }
}

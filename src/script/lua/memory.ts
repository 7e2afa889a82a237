import { TextReading } from '../../call/long-text.ts';
import { textOf } from '../../call/text.ts';
import { ScriptError } from '../../errors.ts';
import { LONG_TEXT } from '../steps.ts';
import type { LuaExports } from './exports.ts';
import { LongString, LongText } from './long.ts';

/** Up to this length a string is read byte by byte, which beats the decoder's call. */
const SHORT = 24;
/** Strings of up to this many bytes pass through one buffer that is kept. */
const SCRATCH = 8_192;

/** So many keys of tables are kept. */
const KNOWN_KEYS = 128;

/** Lists of up to so many numbers cross in one call. */
export const MOST_NUMBERS = 4_096;

/** So many arguments of a host call are read ahead. */
export const MOST_ARGUMENTS = 16;

/** Text in and out of the engine's memory; views follow the memory as it grows. */
export class LuaMemory {
  readonly #exports: LuaExports;
  #bytes = Buffer.alloc(0);
  #view = new DataView(new ArrayBuffer(0));
  #doubles = new Float64Array(0);
  #words = new Int32Array(0);
  readonly #keys: (string | undefined)[] = [];
  /** Where the buffers lie; an image must remember it. */
  readonly block: number;
  /** Four bytes for lengths that the API writes. */
  readonly #length: number;
  /** Texts on their way. */
  readonly scratch: number;
  /** Room for lists of numbers: doubles, then a byte for each. */
  readonly numbers: number;
  /** Room for the arguments of a host call, and its result: doubles, then a byte for each; see the linker. */
  readonly values: number;

  /** The buffers are one block, made or, from an image, where it says. */
  constructor(exports: LuaExports, block = exports.malloc(MOST_ARGUMENTS * 9 + 8 + SCRATCH + 8 + MOST_NUMBERS * 9)) {
    this.#exports = exports;
    this.block = block;
    this.values = block;
    this.#length = block + MOST_ARGUMENTS * 9;
    this.scratch = this.#length + 8;
    this.numbers = Math.ceil((this.scratch + SCRATCH + 1) / 8) * 8;
  }

  get bytes(): Buffer {
    this.#follow();
    return this.#bytes;
  }

  get view(): DataView {
    this.#follow();
    return this.#view;
  }

  /** The memory as doubles, of which the engine writes lists. */
  get doubles(): Float64Array {
    this.#follow();
    return this.#doubles;
  }

  /** The memory as integers of four bytes. */
  get words(): Int32Array {
    this.#follow();
    return this.#words;
  }

  /** The string at a stack index: text when it is UTF-8, else a copy of its bytes. The value must be a string. */
  read(L: number, index: number): string | Uint8Array {
    const start = this.#exports.lua_tolstring(L, index, this.#length);
    const size = this.view.getUint32(this.#length, true);
    return this.text(start, size);
  }

  /** Bytes of the string at a stack index. */
  sizeOf(L: number, index: number): number {
    this.#exports.lua_tolstring(L, index, this.#length);
    return this.view.getUint32(this.#length, true);
  }

  /** The string of so many bytes at an address, as `read` gives it. */
  text(start: number, size: number): string | Uint8Array {
    const { bytes } = this;
    return textOf(bytes, start, start + size) ?? new Uint8Array(bytes.subarray(start, start + size));
  }

  /** The same, but undefined for one that is long. */
  shortText(start: number, size: number): string | Uint8Array | undefined {
    return size > LONG_TEXT ? undefined : this.text(start, size);
  }

  /** As `text`, of a table's key: the same few come again and again. Undefined where it is no text. */
  key(start: number, size: number): string | undefined {
    if (size === 0 || size > SHORT) return this.#key(start, size);
    const { bytes } = this;
    const hash = (size + 7 * (bytes[start] as number) + 31 * (bytes[start + size - 1] as number) + 61 * (bytes[start + (size >> 1)] as number)) % KNOWN_KEYS;
    const known = this.#keys[hash];
    if (known?.length === size) {
      let i = 0;
      while (i < size && known.charCodeAt(i) === bytes[start + i]) i++;
      if (i === size) return known;
    }
    const key = this.#key(start, size);
    // Of plain ASCII alone.
    if (key?.length === size) this.#keys[hash] = key;
    return key;
  }

  #key(start: number, size: number): string | undefined {
    const key = this.text(start, size);
    return typeof key === 'string' ? key : undefined;
  }

  /** As `read`, but undefined for one that is long, which `beginRead` reads in steps. */
  readShort(L: number, index: number): string | Uint8Array | undefined {
    const start = this.#exports.lua_tolstring(L, index, this.#length);
    return this.shortText(start, this.view.getUint32(this.#length, true));
  }

  /** Begins to read a long string, piece by piece; it must stay where it is. */
  beginRead(L: number, index: number): LongString {
    const start = this.#exports.lua_tolstring(L, index, this.#length);
    return new LongString(() => this.bytes, start, start + this.view.getUint32(this.#length, true));
  }

  /** The same, but always text, as `readText`. */
  beginText(L: number, index: number): TextReading {
    const start = this.#exports.lua_tolstring(L, index, this.#length);
    return new TextReading(() => this.bytes, start, start + this.view.getUint32(this.#length, true), true);
  }

  /** As `read`, but always text: wrong bytes become replacement characters. Of a longer one the first `most` bytes. */
  readText(L: number, index: number, most = Number.POSITIVE_INFINITY): string {
    const start = this.#exports.lua_tolstring(L, index, this.#length);
    const size = Math.min(most, this.view.getUint32(this.#length, true));
    return textOf(this.bytes, start, start + size) ?? this.bytes.utf8Slice(start, start + size);
  }

  /** What `tostring` gives of any value (metamethods may run). */
  describe(L: number, index: number): string {
    const start = this.#exports.luaL_tolstring(L, index, this.#length);
    const size = this.view.getUint32(this.#length, true);
    const text = this.bytes.utf8Slice(start, start + size);
    this.#exports.lua_settop(L, -2);
    return text;
  }

  /** Pushes text or bytes; a full heap raises the language's own memory error. */
  push(L: number, value: string | Uint8Array): void {
    const size = this.write(value, 0);
    if (size === undefined) this.#pushLong(L, value);
    else this.#exports.lua_pushlstring(L, this.scratch, size);
  }

  /** Writes text or bytes so far into the scratch area; gives their size, undefined where the area may not hold them. */
  write(value: string | Uint8Array, offset: number): number | undefined {
    const text = typeof value === 'string';
    if (offset + (text ? value.length * 3 : value.length) > SCRATCH) return undefined;
    if (text) return this.#write(value, this.scratch + offset);
    this.bytes.set(value, this.scratch + offset);
    return value.length;
  }

  /** Copies a short name with a closing NUL to the scratch area; valid until the next string is written. */
  name(text: string): number {
    const size = this.#write(text, this.scratch);
    this.bytes[this.scratch + size] = 0;
    return this.scratch;
  }

  /** Copies text or bytes to memory of their own, NUL behind; the caller frees it. Throws LIMIT_EXCEEDED when the heap is full. */
  allocate(value: string | Uint8Array): { pointer: number; size: number } {
    const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    const pointer = this.room(size);
    if (typeof value === 'string') this.bytes.utf8Write(value, pointer, size);
    else this.bytes.set(value, pointer);
    this.bytes[pointer + size] = 0;
    return { pointer, size };
  }

  /** Begins to push a long text or bytes, piece by piece. */
  begin(value: string | Uint8Array): LongText {
    return new LongText(this.#exports, this, value);
  }

  /** Memory for so many bytes and a NUL, which the caller frees. Throws LIMIT_EXCEEDED when the heap is full. */
  room(size: number): number {
    const pointer = this.#exports.malloc(size + 1);
    if (!pointer) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory: the script reached limits.memory_mb');
    return pointer;
  }

  #write(text: string, at: number): number {
    const { length } = text;
    const { bytes } = this;
    if (length <= SHORT) {
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code >= 128) break;
        bytes[at + i] = code;
      }
      if (i === length) return length;
    }
    return bytes.utf8Write(text, at);
  }

  #pushLong(L: number, value: string | Uint8Array): void {
    const text = this.begin(value);
    while (!text.more());
    text.push(L);
  }

  /** A memory that grows takes the length from all views of what it was. */
  #follow(): void {
    if (this.#bytes.length > 0) return;
    const { buffer } = this.#exports.memory;
    this.#bytes = Buffer.from(buffer);
    this.#view = new DataView(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#words = new Int32Array(buffer);
  }
}

import { isUtf8 } from 'node:buffer';
import { ScriptError } from '../../errors.ts';
import type { LuaExports } from './exports.ts';

/** Up to this length a string is read byte by byte, which beats the decoder's call. */
const SHORT = 24;
/** Strings of up to this many bytes pass through one buffer that is kept. */
const SCRATCH = 8_192;

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
  /** Where the buffers lie; an image must remember it. */
  readonly block: number;
  /** Four bytes for lengths that the API writes. */
  readonly #length: number;
  readonly #scratch: number;
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
    this.#scratch = this.#length + 8;
    this.numbers = Math.ceil((this.#scratch + SCRATCH + 1) / 8) * 8;
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

  /** The string at a stack index: text when it is UTF-8, else a copy of its bytes. The value must be a string. */
  read(L: number, index: number): string | Uint8Array {
    const start = this.#exports.lua_tolstring(L, index, this.#length);
    const size = this.view.getUint32(this.#length, true);
    return this.#decode(start, size);
  }

  /** As `read`, but always text: wrong bytes become replacement characters. */
  readText(L: number, index: number): string {
    const start = this.#exports.lua_tolstring(L, index, this.#length);
    const size = this.view.getUint32(this.#length, true);
    return this.bytes.utf8Slice(start, start + size);
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
    const most = typeof value === 'string' ? value.length * 3 : value.length;
    if (most > SCRATCH) return this.#pushLong(L, value);
    if (typeof value === 'string') this.#exports.lua_pushlstring(L, this.#scratch, this.#write(value));
    else {
      this.bytes.set(value, this.#scratch);
      this.#exports.lua_pushlstring(L, this.#scratch, value.length);
    }
  }

  /** Copies a short name with a closing NUL to the scratch area; valid until the next string is written. */
  name(text: string): number {
    const size = this.#write(text);
    this.bytes[this.#scratch + size] = 0;
    return this.#scratch;
  }

  /** Copies text or bytes to memory of their own, NUL behind; the caller frees it. Throws LIMIT_EXCEEDED when the heap is full. */
  allocate(value: string | Uint8Array): { pointer: number; size: number } {
    const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    const pointer = this.#exports.malloc(size + 1);
    if (!pointer) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory: the script reached limits.memory_mb');
    if (typeof value === 'string') this.bytes.utf8Write(value, pointer, size);
    else this.bytes.set(value, pointer);
    this.bytes[pointer + size] = 0;
    return { pointer, size };
  }

  #write(text: string): number {
    const { length } = text;
    const { bytes } = this;
    const at = this.#scratch;
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

  #decode(start: number, size: number): string | Uint8Array {
    const { bytes } = this;
    const end = start + size;
    if (size <= SHORT) {
      let text = '';
      let i = start;
      for (; i < end; i++) {
        const byte = bytes[i] as number;
        if (byte >= 128) break;
        text += String.fromCharCode(byte);
      }
      if (i === end) return text;
    }
    const slice = bytes.subarray(start, end);
    return isUtf8(slice) ? bytes.utf8Slice(start, end) : new Uint8Array(slice);
  }

  #pushLong(L: number, value: string | Uint8Array): void {
    const { pointer, size } = this.allocate(value);
    try {
      this.#exports.lua_pushlstring(L, pointer, size);
    } finally {
      this.#exports.free(pointer);
    }
  }

  /** A memory that grows takes the length from all views of what it was. */
  #follow(): void {
    if (this.#bytes.length > 0) return;
    const { buffer } = this.#exports.memory;
    this.#bytes = Buffer.from(buffer);
    this.#view = new DataView(buffer);
    this.#doubles = new Float64Array(buffer);
  }
}

import { ScriptError } from '../../errors.ts';
import type { QuickJSExports } from './exports.ts';
import type { Heap } from './heap.ts';

/** Bytes of the area for texts and arguments on their way in. */
export const SCRATCH_BYTES = 16_384;
/** Property names that an instance keeps as atoms. */
const MOST_ATOMS = 4_096;
/** Up to this length a text is written character by character, which beats the encoder's call. */
const SHORT = 32;

/** Memory of the engine for what is on its way in, and the texts that go through it. */
export class Scratch {
  readonly #x: QuickJSExports;
  readonly #heap: Heap;
  readonly #context: number;
  /** Where the area lies; its first 16 bytes are the caller's. */
  readonly address: number;
  readonly #atoms = new Map<string, number>();
  #used = 0;

  constructor(x: QuickJSExports, heap: Heap, context: number, address: number) {
    this.#x = x;
    this.#heap = heap;
    this.#context = context;
    this.address = address;
  }

  /** Bytes in use, which `release` goes back to. */
  get used(): number {
    return this.#used;
  }

  /** Part of the area, or memory of its own; throws LIMIT_EXCEEDED where there is none. */
  take(size: number): number {
    const needed = (size + 15) & ~15;
    if (this.#used + needed + 16 <= SCRATCH_BYTES) {
      const pointer = this.address + 16 + this.#used;
      this.#used += needed;
      return pointer;
    }
    const pointer = this.#x.wasm_malloc(needed);
    if (pointer === 0) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for a value');
    return pointer;
  }

  /** Gives back what was taken when so many bytes were in use; in reverse order. */
  release(pointer: number, used: number): void {
    this.#used = used;
    if (pointer === 0) return;
    if (pointer < this.address || pointer >= this.address + SCRATCH_BYTES) this.#x.wasm_free(pointer);
  }

  /** Memory for `size` bytes, given back in reverse order by the function returned. */
  reserve(size: number): { pointer: number; free: () => void } {
    const before = this.#used;
    const pointer = this.take(size);
    return { pointer, free: () => this.release(pointer, before) };
  }

  /** A text, in which half of a surrogate pair becomes U+FFFD. */
  text(text: string): bigint {
    const { pointer, size, end } = this.#encode(text);
    const value = this.#x.JS_NewStringLen(this.#context, pointer, size);
    this.release(pointer, end);
    return value;
  }

  /** The atom of a property name; kept, so nobody frees it. */
  atom(name: string): number {
    const known = this.#atoms.get(name);
    if (known !== undefined) return known;
    if (this.#atoms.size >= MOST_ATOMS) {
      for (const atom of this.#atoms.values()) this.#x.JS_FreeAtom(this.#context, atom);
      this.#atoms.clear();
    }
    const { pointer, size, end } = this.#encode(name);
    const atom = this.#x.JS_NewAtomLen(this.#context, pointer, size);
    this.release(pointer, end);
    if (atom !== 0) this.#atoms.set(name, atom);
    return atom;
  }

  #encode(text: string): { pointer: number; size: number; end: number } {
    const end = this.#used;
    const { length } = text;
    const pointer = this.take(length * 3 + 1);
    const { bytes } = this.#heap;
    let size = 0;
    if (length <= SHORT) {
      for (; size < length; size++) {
        const code = text.charCodeAt(size);
        if (code >= 128) break;
        bytes[pointer + size] = code;
      }
    }
    if (size < length) size = bytes.utf8Write(text, pointer);
    bytes[pointer + size] = 0;
    return { pointer, size, end };
  }
}

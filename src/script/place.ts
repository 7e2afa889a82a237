import { EXTRA, usePages } from '../call/pages.ts';

/**
 * Where the engine's copy of a large text will lie, if it can be kept for it until then. The machine charges for each page of new
 * memory when it is first used, up to several milliseconds a megabyte: here that happens in pieces, not while the engine copies.
 */
export class Place {
  readonly #free: (pointer: number) => void;
  #pointer: number;
  #touched = 0;

  /** `allocate` gives 0 when the heap is full, which the engine will find out itself. */
  constructor(allocate: (size: number) => number, free: (pointer: number) => void, size: number) {
    this.#free = free;
    this.#pointer = allocate(size + EXTRA);
  }

  /** Uses the pages of the first `size` bytes. */
  touch(bytes: Uint8Array, size: number): void {
    if (this.#pointer === 0) return;
    this.#touched = usePages(bytes, this.#pointer, this.#touched, size);
  }

  /** Leaves the memory to the engine, once. */
  leave(): void {
    this.#free(this.#pointer);
    this.#pointer = 0;
  }
}

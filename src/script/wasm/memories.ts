import { letGo } from './let-go.ts';

const PAGE = 65_536;
/** Memories kept for the next contexts of one engine; each is little more than a megabyte. */
const MOST_KEPT = 16;

/** First and largest size, in pages of 64 KiB. */
export interface MemorySize {
  readonly initial: number;
  readonly maximum: number;
}

/**
 * The memories of one engine's contexts. One whose context has ended serves the next: its pages are mapped already, which is most of what a new
 * context costs.
 */
export class Memories {
  readonly #size: MemorySize;
  readonly #kept: WebAssembly.Memory[] = [];

  constructor(size: MemorySize) {
    this.#size = size;
  }

  /** A memory of so many bytes, or of the engine's first size; all zero. */
  take(bytes: number = this.#size.initial * PAGE): WebAssembly.Memory {
    const index = this.#kept.findLastIndex(({ buffer }) => buffer.byteLength === bytes);
    if (index < 0) return new WebAssembly.Memory({ initial: bytes / PAGE, maximum: this.#size.maximum });
    const [memory] = this.#kept.splice(index, 1) as [WebAssembly.Memory];
    new Uint8Array(memory.buffer).fill(0);
    return memory;
  }

  /** Takes back a memory of so many bytes whose context nothing can enter any more. One that has grown is let go: it cannot shrink. */
  give(memory: WebAssembly.Memory, bytes: number): void {
    if (memory.buffer.byteLength !== bytes) return letGo(memory);
    this.#kept.push(memory);
    if (this.#kept.length > MOST_KEPT) letGo(this.#kept.shift() as WebAssembly.Memory);
  }
}

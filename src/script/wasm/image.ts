/** Memory is copied in chunks of this many bytes, but for those that are all zero. */
const CHUNK = 4_096;

/** The bytes of a memory that are not zero. */
export interface MemoryImage {
  readonly length: number;
  readonly chunks: readonly { readonly at: number; readonly bytes: Uint8Array }[];
}

/** Copies a memory. */
export function captureImage(memory: WebAssembly.Memory): MemoryImage {
  const bytes = Buffer.from(memory.buffer);
  const zero = Buffer.alloc(CHUNK);
  const chunks: { at: number; bytes: Uint8Array }[] = [];
  let start = -1;
  for (let at = 0; at <= bytes.length; at += CHUNK) {
    const used = at < bytes.length && bytes.compare(zero, 0, CHUNK, at, at + CHUNK) !== 0;
    if (used && start < 0) start = at;
    if (used || start < 0) continue;
    chunks.push({ at: start, bytes: new Uint8Array(memory.buffer.slice(start, at)) });
    start = -1;
  }
  return { length: bytes.length, chunks };
}

/** Makes a fresh instance's memory equal to the image, which is as long; what the image has as zero must be zero already. */
export function applyImage(memory: WebAssembly.Memory, image: MemoryImage): void {
  const bytes = new Uint8Array(memory.buffer);
  for (const chunk of image.chunks) bytes.set(chunk.bytes, chunk.at);
}

/** Bytes of a page of the machine's memory. */
const PAGE = 4_096;
/** Bytes that an allocator or an engine puts before or behind what it keeps, and more. */
export const EXTRA = 64;

/** Uses the pages of memory between two offsets from `at`, which the machine charges for at their first use; gives the offset to go on from. */
export function usePages(bytes: Uint8Array, at: number, from: number, to: number): number {
  let next = from;
  for (; next < to; next += PAGE) bytes[at + next] = 0;
  return next;
}

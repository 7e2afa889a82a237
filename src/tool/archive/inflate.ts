import { Gunzip, Inflate } from 'fflate';
import { ScriptError } from '../../errors.ts';
import { checkTotal, damaged } from './entry.ts';

/** Packed bytes between two looks at the limit. */
const STEP = 4_096;

/** Unpacks deflated bytes to exactly `size`; stops as soon as there is more. */
export function inflate(packed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let filled = 0;
  const stream = new Inflate((piece) => {
    if (filled + piece.length > size) throw damaged('an entry is longer than it says');
    out.set(piece, filled);
    filled += piece.length;
  });
  feed(packed, (piece, last) => stream.push(piece, last));
  if (filled !== size) throw damaged('an entry is shorter than it says');
  return out;
}

/** Unpacks gzip (RFC 1952), several members too; stops as soon as there is more than an archive may unpack to. */
export function gunzip(packed: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  let total = 0;
  const stream = new Gunzip((piece) => {
    total += piece.length;
    checkTotal(total, packed.length);
    pieces.push(piece);
  });
  feed(packed, (piece, last) => stream.push(piece, last));
  return Buffer.concat(pieces);
}

function feed(packed: Uint8Array, push: (piece: Uint8Array, last: boolean) => void): void {
  try {
    for (let at = 0; at === 0 || at < packed.length; at += STEP) push(packed.subarray(at, at + STEP), at + STEP >= packed.length);
  } catch (error) {
    if (error instanceof ScriptError) throw error;
    throw damaged(error instanceof Error ? error.message : 'it cannot be unpacked');
  }
}

import { doneInTurns } from './breath.ts';
import type { Cpu } from './cpu.ts';
import type { Soon } from './soon.ts';
import { bytesOf } from './text.ts';

/** Bytes that are hashed at once: a millisecond's work. */
const PIECE = 2 ** 19;

interface Hash {
  update(data: Uint8Array): unknown;
}

/** Gives a text or bytes to a hash, for a run, over several turns of the event loop where they are long; then the hash itself. */
export function hashed<H extends Hash>(cpu: Cpu, hash: H, data: string | Uint8Array): Soon<H> {
  return doneInTurns(cpu, hashing(hash, data));
}

function* hashing<H extends Hash>(hash: H, data: string | Uint8Array): Generator<undefined, H> {
  for (const piece of bytesOf(data, PIECE)) {
    hash.update(piece);
    yield;
  }
  return hash;
}

import { doneInTurns } from './breath.ts';
import type { Cpu } from './cpu.ts';
import { createHash, createHmac } from './digest.ts';
import { type Soon, whenReady } from './soon.ts';
import { bytesOf } from './text.ts';

/** Bytes that are hashed at once: a millisecond's work. */
const PIECE = 2 ** 19;

/** No block of the algorithms that scripts may name is longer; bytes. */
const LONGEST_BLOCK = 128;

interface Hash {
  update(data: Uint8Array): unknown;
}

/** Gives a text or bytes to a hash, for a run, over several turns of the event loop where they are long; then the hash itself. */
export function hashed<H extends Hash>(cpu: Cpu, hash: H, data: string | Uint8Array): Soon<H> {
  return doneInTurns(cpu, hashing(hash, data));
}

/** An HMAC, ready for its data; of a key longer than a block it is that of the key's own hash (RFC 2104, section 2), which takes as long as any data. */
export function hmac(cpu: Cpu, algorithm: string, key: Uint8Array): Soon<ReturnType<typeof createHmac>> {
  if (key.length <= LONGEST_BLOCK) return createHmac(algorithm, key);
  return whenReady(hashed(cpu, createHash(algorithm), key), (hash) => createHmac(algorithm, hash.digest()));
}

function* hashing<H extends Hash>(hash: H, data: string | Uint8Array): Generator<undefined, H> {
  for (const piece of bytesOf(data, PIECE)) {
    hash.update(piece);
    yield;
  }
  return hash;
}

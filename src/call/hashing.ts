import { inTurns } from '../call/breath.ts';
import type { Cpu } from '../call/cpu.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { bytesOf } from '../call/text.ts';

/** Bytes that are hashed at once: a millisecond's work. */
const PIECE = 2 ** 19;

/** Gives a text or bytes to a hash, for a run, over several turns of the event loop where they are long; then the hash itself. */
export function hashed<H extends { update(data: Uint8Array): unknown }>(cpu: Cpu, hash: H, data: string | Uint8Array): Soon<H> {
  const pieces = bytesOf(data, PIECE);
  const step = () => {
    const { done, value } = pieces.next();
    if (!done) hash.update(value);
    return done === true;
  };
  return whenReady(inTurns(cpu, step), () => hash);
}

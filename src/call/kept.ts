import { ScriptError } from '../errors.ts';
import { isMap } from './check/kind.ts';

/** What a run may keep on the host, in times of what its script may have: what is let go is seen to be free only some time later. */
const TIMES = 4;
/** Bytes that each part of a value takes, roughly. */
const PART = 64;

/** What stays on the host for a run, beside what its script holds itself: agents and their histories, tools, workflows, subscriptions. */
export class Kept {
  readonly #most: number;
  readonly #memoryMb: number;
  /** Shared with those who let go, who know nothing else of the run. */
  readonly #account = { bytes: 0 };

  constructor(memoryMb: number) {
    this.#memoryMb = memoryMb;
    this.#most = memoryMb * TIMES * 2 ** 20;
  }

  /** Counts a value, and gives its bytes. Throws LIMIT_EXCEEDED, which `method` begins, when all comes to too much. */
  take(method: string, value: unknown): number {
    const bytes = weightOf(value);
    this.count(method, bytes);
    return bytes;
  }

  /** Counts bytes as long as their owner lives; throws as `take`. */
  hold(method: string, owner: object, bytes: number): void {
    this.count(method, bytes);
    this.until(owner, bytes);
  }

  /** Counts a value as long as its owner lives; throws as `take`. */
  add(method: string, owner: object, value: unknown): void {
    this.until(owner, this.take(method, value));
  }

  /** Counts bytes until they are released; throws as `take`. */
  count(method: string, bytes: number): void {
    if (this.#account.bytes + bytes > this.#most)
      throw new ScriptError(
        'LIMIT_EXCEEDED',
        `${method}: what the run keeps beside its script comes to more than ${TIMES} times limits.memory_mb = ${this.#memoryMb} MB`,
        { method },
      );
    this.#account.bytes += bytes;
  }

  release(bytes: number): void {
    this.#account.bytes -= bytes;
  }

  /** Releases so many bytes when their owner is garbage. */
  until(owner: object, bytes: number): void {
    letGo.register(owner, { account: this.#account, bytes });
  }
}

const letGo = new FinalizationRegistry<{ readonly account: { bytes: number }; readonly bytes: number }>(({ account, bytes }) => {
  account.bytes -= bytes;
});

/** What a value takes, bytes: its texts, and something for each part. */
function weightOf(value: unknown): number {
  // About what V8 takes: where a text has others than those of Latin-1, two for each.
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.length;
  let bytes = PART;
  if (Array.isArray(value)) for (const item of value) bytes += weightOf(item);
  else if (isMap(value)) for (const [key, item] of Object.entries(value)) bytes += Buffer.byteLength(key) + weightOf(item);
  return bytes;
}

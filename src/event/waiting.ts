import { isMap } from '../call/check/kind.ts';
import type { Value } from '../call/value.ts';
import type { Delivery } from './subscription.ts';

/** Bytes that each part of a payload takes, roughly. */
const PART_BYTES = 32;

/** What the events of one run that wait anywhere may hold together, bytes. */
export interface Room {
  readonly most: number;
  bytes: number;
}

/** Events that wait for one handler or mailbox; the oldest are dropped when there are too many, or too much for the run. */
export class Waiting {
  readonly #events: Delivery[] = [];
  readonly #most: number;
  readonly #room: Room;
  readonly #onDropped: () => void;

  constructor(most: number, room: Room, onDropped: () => void) {
    this.#most = most;
    this.#room = room;
    this.#onDropped = onDropped;
  }

  get length(): number {
    return this.#events.length;
  }

  add(delivery: Delivery): void {
    this.#events.push(delivery);
    this.#room.bytes += delivery.bytes;
    while (this.length > 0 && (this.length > this.#most || this.#room.bytes > this.#room.most)) {
      this.take();
      this.#onDropped();
    }
  }

  /** The one that has waited longest. */
  take(): Delivery | undefined {
    const first = this.#events.shift();
    if (first) this.#room.bytes -= first.bytes;
    return first;
  }

  clear(): void {
    while (this.take());
  }
}

/** About how many bytes a payload holds: its texts, and something for each part. */
export function sizeOf(payload: Value): number {
  if (typeof payload === 'string') return PART_BYTES + payload.length * 2;
  if (payload instanceof Uint8Array) return PART_BYTES + payload.byteLength;
  let bytes = PART_BYTES;
  if (Array.isArray(payload)) for (const item of payload) bytes += sizeOf(item);
  else if (isMap(payload)) for (const [key, item] of Object.entries(payload)) bytes += key.length * 2 + sizeOf(item as Value);
  return bytes;
}

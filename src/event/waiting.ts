import type { Value } from '../call/value.ts';
import type { Delivery } from './subscription.ts';

const SIZED_ITEMS = 10_000;

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

/** About how many bytes a payload holds; a very large structure is counted up to a bound only. */
export function roughSize(payload: Value): number {
  let bytes = 0;
  const open: Value[] = [payload];
  for (let counted = 0; open.length > 0 && counted < SIZED_ITEMS; counted++) {
    const value = open.pop();
    if (typeof value === 'string') bytes += value.length * 2;
    else if (value instanceof Uint8Array) bytes += value.byteLength;
    else if (Array.isArray(value)) open.push(...value.slice(0, SIZED_ITEMS));
    else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) open.push(...Object.values(value));
    bytes += 16;
  }
  return bytes;
}

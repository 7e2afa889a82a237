import type { Value } from '../call/value.ts';
import { patternTest } from './pattern.ts';
import type { EventRecord } from './record.ts';

const MAX_EVENTS = 1_000;
const MAX_BYTES = 4 * 2 ** 20;
const SIZED_ITEMS = 10_000;

/** What `Event.history` selects by; `since` in ms since 1970. */
export interface HistoryQuery {
  readonly pattern?: string | undefined;
  readonly since?: number | undefined;
  readonly limit?: number | undefined;
}

/** The last 1,000 events of a run, fewer when their payloads come to more than 4 MB. */
export class EventHistory {
  #events: { record: EventRecord; bytes: number }[] = [];
  #first = 0;
  #bytes = 0;

  add(record: EventRecord): void {
    const bytes = roughSize(record.payload ?? null);
    this.#events.push({ record, bytes });
    this.#bytes += bytes;
    while (this.#events.length - this.#first > MAX_EVENTS || (this.#bytes > MAX_BYTES && this.#events.length - this.#first > 1)) {
      this.#bytes -= this.#events[this.#first++]?.bytes ?? 0;
    }
    if (this.#first > MAX_EVENTS) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The matching events, oldest first; with a limit the latest ones. */
  query({ pattern, since, limit }: HistoryQuery): EventRecord[] {
    const test = pattern === undefined ? () => true : patternTest(pattern);
    const found = this.#events
      .slice(this.#first)
      .map((entry) => entry.record)
      .filter((record) => (since === undefined || record.timestamp >= since) && test(record.event_type));
    return limit === undefined ? found : found.slice(Math.max(0, found.length - limit));
  }
}

/** About how many bytes a payload holds; a very large structure is counted up to a bound only. */
function roughSize(payload: Value): number {
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

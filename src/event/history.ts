import { patternTest } from './pattern.ts';
import type { EventRecord } from './record.ts';

const MAX_EVENTS = 1_000;
const MAX_BYTES = 4 * 2 ** 20;

/** What `Event.history` selects by; `since` in ms since 1970. */
export interface HistoryQuery {
  readonly pattern?: string | undefined;
  readonly since?: number | undefined;
  readonly limit?: number | undefined;
}

/** The last 1,000 events of a run, fewer when their payloads come to more than 4 MB; the latest always. */
export class EventHistory {
  readonly #events: { record: EventRecord; bytes: number }[] = [];
  #bytes = 0;

  add(record: EventRecord, bytes: number): void {
    this.#events.push({ record, bytes });
    this.#bytes += bytes;
    while (this.#events.length > MAX_EVENTS || (this.#bytes > MAX_BYTES && this.#events.length > 1)) this.#bytes -= this.#events.shift()?.bytes ?? 0;
  }

  /** The matching events, oldest first; with a limit the latest ones. */
  query({ pattern, since, limit }: HistoryQuery): EventRecord[] {
    const test = pattern === undefined ? () => true : patternTest(pattern);
    const found = this.#events.map((entry) => entry.record).filter((record) => (since === undefined || record.timestamp >= since) && test(record.event_type));
    return limit === undefined ? found : found.slice(Math.max(0, found.length - limit));
  }
}

import type { Context } from '../call/context.ts';
import { cancelled } from '../call/run.ts';
import type { EventRecord } from './record.ts';
import type { Counts, Target } from './subscription.ts';

const MAX_WAITING = 1_000;

/** Where `Event.receive` takes its events from: it fills from the first receive on, so that nothing is lost between two. */
export interface Mailbox extends Target {
  /** The next event, or null when none came within `timeoutMs`; whoever has waited longest gets it. Rejects with CANCELLED. */
  take(context: Context, timeoutMs: number | undefined): EventRecord | null | Promise<EventRecord | null>;
}

/** Opens a mailbox that keeps the latest 1,000 events. */
export function createMailbox(id: string, pattern: string, totals: Counts): Mailbox {
  const letters: EventRecord[] = [];
  const waiters = new Set<(record: EventRecord) => void>();
  const counts: Counts = { delivered: 0, dropped: 0, failed: 0 };
  return {
    id,
    pattern,
    active: true,
    counts,
    waiting: () => letters.length,
    deliver({ record }) {
      counts.delivered++;
      totals.delivered++;
      const [waiter] = waiters;
      if (waiter) {
        waiters.delete(waiter);
        waiter(record);
        return;
      }
      letters.push(record);
      if (letters.length <= MAX_WAITING) return;
      letters.shift();
      counts.dropped++;
      totals.dropped++;
    },
    take({ signal }, timeoutMs) {
      const letter = letters.shift();
      if (letter) return letter;
      if (timeoutMs === 0) return null;
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(cancelled(signal));
        const end = () => {
          waiters.delete(waiter);
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
        };
        const waiter = (record: EventRecord) => {
          end();
          resolve(record);
        };
        const onAbort = () => {
          end();
          reject(cancelled(signal));
        };
        const timer =
          timeoutMs === undefined
            ? undefined
            : setTimeout(() => {
                end();
                resolve(null);
              }, timeoutMs);
        waiters.add(waiter);
        signal.addEventListener('abort', onAbort, { once: true });
      });
    },
  };
}

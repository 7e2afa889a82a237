import type { Context } from '../call/context.ts';
import { cancelled } from '../call/run.ts';
import type { EventRecord } from './record.ts';
import type { Counts, Desk, Target } from './subscription.ts';
import { Waiting } from './waiting.ts';

const MAX_WAITING = 1_000;

/** Where `Event.receive` takes its events from: it fills from the first receive on, so that nothing is lost between two. */
export interface Mailbox extends Target {
  /** The next event, or null when none came within `timeoutMs`; whoever has waited longest gets it. Rejects with CANCELLED. */
  take(context: Context, timeoutMs: number | undefined): EventRecord | null | Promise<EventRecord | null>;
}

/** Opens a mailbox that keeps the latest 1,000 events. */
export function createMailbox(id: string, pattern: string, { totals, room }: Pick<Desk, 'totals' | 'room'>): Mailbox {
  const waiters = new Set<(record: EventRecord) => void>();
  const counts: Counts = { delivered: 0, dropped: 0, failed: 0 };
  const letters = new Waiting(MAX_WAITING, room, () => {
    counts.dropped++;
    totals.dropped++;
  });
  return {
    id,
    pattern,
    active: true,
    counts,
    waiting: () => letters.length,
    deliver(delivery) {
      counts.delivered++;
      totals.delivered++;
      const [waiter] = waiters;
      if (waiter) {
        waiters.delete(waiter);
        waiter(delivery.record);
        return;
      }
      letters.add(delivery);
    },
    take({ signal }, timeoutMs) {
      const letter = letters.take();
      if (letter) return letter.record;
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

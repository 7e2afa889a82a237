import type { Context } from '../call/context.ts';
import { sameValue } from '../call/same.ts';
import { type Callback, Float, type Value, type ValueMap } from '../call/value.ts';
import type { EventRecord } from './record.ts';
import { type Room, Waiting } from './waiting.ts';

/** How a subscription is set up: `filter` is a function of the event or a map that the payload must contain. */
export interface SubscribeOptions {
  readonly filter?: Callback | ValueMap | undefined;
  /** How many events wait while the handler is busy; 1,000 unless told otherwise. */
  readonly max_queue?: number | undefined;
  /** How long one call of the handler may take, in ms; 60,000 unless told otherwise. */
  readonly timeout_ms?: number | undefined;
}

/** One event on its way to subscriptions, with the call that emitted it. */
export interface Delivery {
  readonly record: EventRecord;
  readonly context: Context;
  /** About what its payload holds. */
  readonly bytes: number;
}

/** Somebody who gets matching events: a handler or a mailbox. A promise holds the emitter until it resolves. */
export interface Target {
  readonly id: string;
  readonly pattern: string;
  active: boolean;
  readonly counts: Counts;
  deliver(delivery: Delivery): void | Promise<void>;
  waiting(): number;
}

export interface Counts {
  delivered: number;
  dropped: number;
  failed: number;
}

/** What a handler needs of the bus that it hangs on. */
export interface Desk {
  readonly totals: Counts;
  readonly room: Room;
  /** A handler has begun (1) or ended (-1) to work. */
  busy(change: 1 | -1): void;
  failed(target: Target, delivery: Delivery, error: unknown): void;
}

const DEFAULT_QUEUE = 1_000;
const DEFAULT_TIMEOUT_MS = 60_000;

/** A subscription with a handler: one event at a time, the others queue, the oldest is dropped when the queue is full. */
export function createHandler(id: string, pattern: string, fn: Callback, options: SubscribeOptions, desk: Desk): Target {
  const counts: Counts = { delivered: 0, dropped: 0, failed: 0 };
  const queue = new Waiting(options.max_queue ?? DEFAULT_QUEUE, desk.room, () => {
    counts.dropped++;
    desk.totals.dropped++;
  });
  const timeoutMs = options.timeout_ms ?? DEFAULT_TIMEOUT_MS;
  const { filter } = options;
  let busy = false;

  async function handle(delivery: Delivery, onFirstWait: () => void): Promise<void> {
    const { record } = delivery;
    const { signal } = delivery.context.run;
    // The handler outlives the call that emitted the event, so it is not cancelled with it and takes no part in its transaction.
    const context = delivery.context.with({ hookDepth: delivery.context.hookDepth + 1, correlationId: record.correlation_id, signal, transaction: undefined });
    const how = { signal, timeoutMs, onFirstWait };
    try {
      if (typeof filter === 'function' && !truthy(await context.invoke(filter, [record], how))) return;
      counts.delivered++;
      desk.totals.delivered++;
      await context.invoke(fn, [record], how);
    } catch (error) {
      if (signal.aborted) return;
      counts.failed++;
      desk.totals.failed++;
      desk.failed(target, delivery, error);
    }
  }

  async function work(first: Delivery, onFirstWait: () => void): Promise<void> {
    busy = true;
    desk.busy(1);
    try {
      for (let next: Delivery | undefined = first; next && target.active; next = queue.take()) await handle(next, onFirstWait);
    } finally {
      busy = false;
      queue.clear();
      desk.busy(-1);
    }
  }

  const target: Target = {
    id,
    pattern,
    active: true,
    counts,
    waiting: () => queue.length,
    deliver(delivery) {
      if (filter && typeof filter !== 'function' && !contains(delivery.record.payload, filter)) return;
      if (busy) return queue.add(delivery);
      return new Promise<void>((resolve) => {
        const done = work(delivery, () => {
          delivery.context.run.background(done);
          resolve();
        });
        done.then(resolve);
      });
    },
  };
  return target;
}

/** Only nil and false are untrue in a filter's answer, as in Lua; JavaScript's other falsy values count as untrue as well. */
function truthy(value: Value): boolean {
  return Boolean(value instanceof Float ? value.value : value);
}

/** True when the value has everything that the wanted one has. */
function contains(value: Value, wanted: Value): boolean {
  const isMap = (one: Value) => one !== null && typeof one === 'object' && Object.getPrototypeOf(one) === Object.prototype;
  if (Array.isArray(wanted)) return Array.isArray(value) && value.length === wanted.length && wanted.every((item, at) => contains(value[at] ?? null, item));
  if (!isMap(value) || !isMap(wanted)) return sameValue(value, wanted);
  return Object.entries(wanted as ValueMap).every(([key, item]) => Object.hasOwn(value as ValueMap, key) && contains((value as ValueMap)[key] ?? null, item));
}

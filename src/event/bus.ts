import type { Run } from '../call/context.ts';
import { type Context, runService } from '../call/context.ts';
import { refuseAfterEnd } from '../call/ended.ts';
import { cancelled } from '../call/run.ts';
import type { Callback, Value, ValueMap } from '../call/value.ts';
import { asScriptError, placeField, ScriptError } from '../errors.ts';
import { runLog } from '../log/log.ts';
import { EventHistory, type HistoryQuery } from './history.ts';
import { hostEvents } from './host.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { PatternIndex } from './pattern.ts';
import type { EventDraft, EventRecord } from './record.ts';
import { type Counts, createHandler, type Delivery, type SubscribeOptions, type Target } from './subscription.ts';
import { type Room, sizeOf } from './waiting.ts';

export { hostEvents } from './host.ts';
export type { EventDraft, EventRecord } from './record.ts';
export type { SubscribeOptions } from './subscription.ts';

/** How deep hooks and event handlers may cause one another. */
export const MAX_HOOK_DEPTH = 8;
const MAX_TYPE_LENGTH = 256;
/** Events that wait to be handed out while handlers run. */
const MAX_QUEUED = 10_000;

export type EventStats = { emitted: number; delivered: number; dropped: number; failed: number; subscriptions: number; queue_depth: number };
export type SubscriptionInfo = {
  id: string;
  pattern: string;
  source: 'script' | 'host';
  delivered: number;
  failed: number;
  dropped: number;
  queue_depth: number;
};

/** The events of one run. An emission answers at once when nobody subscribed, else when every handler has ended or waits. */
export interface Events {
  /** Emits an event; throws BAD_ARGUMENT for a bad type, DEPTH_EXCEEDED when handlers emit in a circle, and LIMIT_EXCEEDED when they emit too much. */
  emit(context: Context, draft: EventDraft): EventRecord | Promise<EventRecord>;
  /** Emits one of the runtime's own events; too deep in handlers, or while too many wait, it is not handed on, for what it tells has happened already. */
  announce(context: Context, eventType: string, payload: ValueMap): void | Promise<void>;
  /** Registers a handler and answers its id; throws LIMIT_EXCEEDED beyond `limits.subscriptions`, CONFLICT when the main chunk has returned. */
  subscribe(context: Context, pattern: string, fn: Callback, options?: SubscribeOptions): string;
  /** True when there was such a subscription. */
  unsubscribe(id: string): boolean;
  /** The next matching event since the pattern was first received, null after `timeoutMs`; throws as `subscribe` does for a new pattern. */
  receive(context: Context, pattern: string, timeoutMs?: number): EventRecord | null | Promise<EventRecord | null>;
  /** Waits until every handler has ended; throws DEADLOCK inside of one. */
  flush(context: Context): void | Promise<void>;
  list(): SubscriptionInfo[];
  stats(): EventStats;
  history(query: HistoryQuery): EventRecord[];
}

function createEvents(run: Run): Events {
  const host = run.host.get(hostEvents);
  const origin = { run_id: run.id, tenant: run.tenant };
  const index = new PatternIndex<Target>();
  const targets = new Map<string, Target>();
  const mailboxes = new Map<string, Mailbox>();
  const history = new EventHistory();
  const totals: Counts = { delivered: 0, dropped: 0, failed: 0 };
  const room: Room = { most: run.limits.memory_mb * 2 ** 20, bytes: 0 };
  const queue: (Delivery & { readonly to: readonly Target[]; handed: number })[] = [];
  let sequence = 0;
  let registered = 0;
  let working = 0;
  let idle: (() => void)[] = [];
  /** Set while events are being handed out: what an emitter outside of all handlers waits for. */
  let turn: Promise<void> | true | undefined;

  const desk = {
    totals,
    room,
    busy(change: 1 | -1) {
      working += change;
      if (working > 0) return;
      for (const wake of idle) wake();
      idle = [];
    },
    failed(target: Target, { record, context }: Delivery, error: unknown) {
      if (record.event_type === 'event.handler_failed') return;
      const told = asScriptError(error);
      const { code, message } = told;
      const payload = { subscription_id: target.id, pattern: target.pattern, event_type: record.event_type, code, message, ...placeField(told) };
      run.get(runLog).write('warn', 'event.handler_failed', payload);
      const said = announce(context, 'event.handler_failed', payload);
      if (said) run.background(said);
    },
  };

  function record(context: Context, draft: EventDraft): Omit<Delivery, 'context'> {
    sequence++;
    const made: EventRecord = {
      id: `evt_${sequence}`,
      event_type: draft.event_type,
      ...(draft.payload !== undefined && draft.payload !== null && { payload: draft.payload }),
      timestamp: run.now(),
      sequence,
      source: draft.source ?? 'script',
      correlation_id: draft.correlation_id ?? context.correlationId,
    };
    const bytes = sizeOf(made.payload ?? null);
    history.add(made, bytes);
    host.deliver(made, origin);
    return { record: made, bytes };
  }

  function isFull(): boolean {
    return queue.length >= MAX_QUEUED || (queue.length > 0 && room.bytes > room.most);
  }

  function handOut(delivery: Delivery): void | Promise<void> {
    const to = index.match(delivery.record.event_type);
    if (to.length === 0) return;
    queue.push({ ...delivery, to, handed: 0 });
    room.bytes += delivery.bytes;
    if (turn === undefined) return startTurn();
    // A handler that waited for the turn it is part of would wait for itself.
    if (turn !== true && delivery.context.hookDepth === 0) return turn;
  }

  function startTurn(): void | Promise<void> {
    turn = true;
    const waits = step();
    if (!waits) {
      turn = undefined;
      return;
    }
    turn = finishTurn(waits);
    return turn;
  }

  async function finishTurn(first: Promise<void>): Promise<void> {
    for (let waits: Promise<void> | void = first; waits; waits = step()) await waits;
    turn = undefined;
  }

  /** Goes on until a handler has to be waited for, or nothing is left. */
  function step(): void | Promise<void> {
    // A run that has ended takes nothing more.
    if (run.signal.aborted) queue.length = 0;
    for (let next = queue[0]; next; next = queue[0]) {
      for (let target = next.to[next.handed]; target; target = next.to[next.handed]) {
        next.handed++;
        const waits = target.active ? target.deliver(next) : undefined;
        if (waits) return waits;
      }
      queue.shift();
      room.bytes -= next.bytes;
    }
  }

  function announce(context: Context, eventType: string, payload: ValueMap): void | Promise<void> {
    const made = record(context, { event_type: eventType, payload, source: 'runtime' });
    if (context.hookDepth < MAX_HOOK_DEPTH && !isFull()) return handOut({ ...made, context });
    if (index.match(eventType).length > 0) totals.dropped++;
  }

  function add(context: Context, target: Target): void {
    refuseAfterEnd(context);
    if (targets.size >= run.limits.subscriptions)
      throw new ScriptError('LIMIT_EXCEEDED', `more than limits.subscriptions = ${run.limits.subscriptions} subscriptions in one run`);
    index.add(target.pattern, target);
    targets.set(target.id, target);
  }

  return {
    announce,
    emit(context, draft) {
      checkType(draft.event_type);
      if (context.hookDepth >= MAX_HOOK_DEPTH)
        throw new ScriptError(
          'DEPTH_EXCEEDED',
          `${context.method}: event handlers and hooks cause one another more than ${MAX_HOOK_DEPTH} deep (emitting ${draft.event_type})`,
        );
      if (isFull())
        throw new ScriptError(
          'LIMIT_EXCEEDED',
          `${context.method}: more than ${MAX_QUEUED} events, or limits.memory_mb = ${run.limits.memory_mb} MB of them, wait to be handed out`,
        );
      const made = record(context, draft);
      const waits = handOut({ ...made, context });
      return waits ? waits.then(() => made.record) : made.record;
    },
    subscribe(context, pattern, fn, options = {}) {
      const target = createHandler(`sub_${++registered}`, pattern, fn, options, desk);
      add(context, target);
      return target.id;
    },
    unsubscribe(id) {
      const target = targets.get(id);
      if (!target) return false;
      target.active = false;
      index.remove(target.pattern, target);
      mailboxes.delete(target.pattern);
      return targets.delete(id);
    },
    receive(context, pattern, timeoutMs) {
      let mailbox = mailboxes.get(pattern);
      if (!mailbox) {
        mailbox = createMailbox(`sub_${++registered}`, pattern, desk);
        add(context, mailbox);
        mailboxes.set(pattern, mailbox);
      }
      return mailbox.take(context, timeoutMs);
    },
    flush(context) {
      if (context.hookDepth > 0) throw new ScriptError('DEADLOCK', `${context.method}: called inside an event handler or hook it would wait for itself`);
      if (working === 0 && turn === undefined) return;
      return settled(context.signal);
    },
    list: () => [
      ...host.list().map((pattern): SubscriptionInfo => ({ id: 'host', pattern, source: 'host', delivered: 0, failed: 0, dropped: 0, queue_depth: 0 })),
      ...[...targets.values()].map(
        (target): SubscriptionInfo => ({
          id: target.id,
          pattern: target.pattern,
          source: 'script',
          ...target.counts,
          queue_depth: target.waiting(),
        }),
      ),
    ],
    stats: () => ({
      emitted: sequence,
      ...totals,
      subscriptions: targets.size,
      queue_depth: queue.length + [...targets.values()].reduce((sum, target) => sum + target.waiting(), 0),
    }),
    history: (query) => history.query(query),
  };

  async function settled(signal: AbortSignal): Promise<void> {
    while (working > 0 || turn !== undefined) {
      if (turn instanceof Promise) await turn;
      if (working > 0) await nextIdle(signal);
    }
  }

  function nextIdle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(cancelled(signal));
      const onAbort = () => reject(cancelled(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      idle.push(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }
}

function checkType(eventType: string): void {
  if (eventType.length <= MAX_TYPE_LENGTH && /^[\p{L}\p{M}\p{N}_-]+(?:[.:][\p{L}\p{M}\p{N}_-]+)*$/u.test(eventType)) return;
  throw new ScriptError(
    'BAD_ARGUMENT',
    `Event.emit: event_type: expected names of letters, digits, _ and - with . or : between them, ${MAX_TYPE_LENGTH} characters at most, got ${JSON.stringify(eventType.slice(0, 80))}; patterns are for Event.subscribe`,
  );
}

export const events = runService<Events>('events', createEvents);

/** Announces that something named failed: `<kind>.<name>.failed` and `<kind>.error`, both with name, code and message. */
export function announceFailure(context: Context, kind: string, name: string, error: unknown): void | Promise<void> {
  const bus = context.run.get(events);
  const { code, message } = asScriptError(error);
  const payload: { [key: string]: Value } = { name, code, message };
  const first = bus.announce(context, `${kind}.${name}.failed`, payload);
  if (!first) return bus.announce(context, `${kind}.error`, payload);
  return first.then(() => bus.announce(context, `${kind}.error`, payload));
}

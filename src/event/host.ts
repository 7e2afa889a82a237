import { hostService } from '../call/context.ts';
import { plainNumbers } from '../call/plain.ts';
import { checkValue, fn } from '../call/rules.ts';
import { PatternIndex, splitEventPattern } from './pattern.ts';
import type { EventRecord } from './record.ts';

/** Where an event that reaches a host listener comes from. */
export interface EventOrigin {
  readonly run_id: string;
  readonly tenant: string;
}

export type HostListener = (event: EventRecord, origin: EventOrigin) => unknown;

/** Listeners written in TypeScript: they hear the events of all runs, before the run's own handlers, and never hold them up. */
export interface HostEvents {
  /** Listens until the returned function is called. Throws BAD_ARGUMENT when the pattern is malformed. */
  on(pattern: string, listener: HostListener): () => void;
  /** Hands an event to the matching listeners; what they throw is passed to the error listener, else to the process as a warning. */
  deliver(event: EventRecord, origin: EventOrigin): void;
  /** Takes over reporting of listeners that fail. */
  onError(report: (error: unknown, event: EventRecord) => void): void;
  list(): string[];
}

function createHostEvents(): HostEvents {
  const index = new PatternIndex<HostListener>();
  const registered = new Map<HostListener, string>();
  let report: (error: unknown, event: EventRecord) => void = (error, event) => process.emitWarning(`listener of ${event.event_type} failed: ${error}`);
  return {
    on(pattern, listener) {
      splitEventPattern(pattern, 'on: pattern');
      checkValue('on: listener', listener, fn);
      // Wrapped so that one function registered twice is two listeners.
      const own: HostListener = (event, origin) => listener(event, origin);
      index.add(pattern, own);
      registered.set(own, pattern);
      return () => {
        if (registered.delete(own)) index.remove(pattern, own);
      };
    },
    deliver(event, origin) {
      if (index.size === 0) return;
      const listeners = index.match(event.event_type);
      if (listeners.length === 0) return;
      const told = plainNumbers(event);
      for (const listener of listeners) {
        try {
          const answer = listener(told, origin);
          if (answer instanceof Promise) answer.catch((error) => report(error, event));
        } catch (error) {
          report(error, event);
        }
      }
    },
    onError(newReport) {
      report = newReport;
    },
    list: () => [...registered.values()],
  };
}

export const hostEvents = hostService<HostEvents>('host events', createHostEvents);

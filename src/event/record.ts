import type { Value } from '../call/value.ts';

/** What a handler, a listener and the history see of one event; `timestamp` in ms since 1970, `sequence` counts from 1 in each run. */
export type EventRecord = {
  id: string;
  event_type: string;
  payload?: Value;
  timestamp: number;
  sequence: number;
  /** Who emitted it: `script`, `runtime` or `host`. */
  source: string;
  correlation_id: string;
};

/** What an emitter gives. */
export interface EventDraft {
  readonly event_type: string;
  readonly payload?: Value | undefined;
  readonly correlation_id?: string | undefined;
  readonly source?: 'script' | 'runtime' | 'host';
}

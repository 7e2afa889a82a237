import type { Soon } from '../call/soon.ts';

export const SESSION_STATUSES = ['active', 'suspended', 'completed'] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** A session as it is stored; times in ms since 1970. */
export interface SessionRecord {
  readonly id: string;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly status: SessionStatus;
  readonly tags: readonly string[];
  /** CBOR. */
  readonly metadata: Uint8Array;
  readonly forked_from: string | undefined;
  readonly created_at: number;
  /** The last change of the session, its turns, values or artifacts. */
  readonly updated_at: number;
  readonly saved_at: number | undefined;
  /** The session is gone when nothing has changed for this time, ms. */
  readonly expires_in: number | undefined;
  readonly expires_at: number | undefined;
  readonly turns: number;
}

/** What a session is made of. */
export type NewSession = Pick<SessionRecord, 'id' | 'name' | 'description' | 'tags' | 'metadata' | 'forked_from' | 'expires_in'>;

export interface StoredTurn {
  /** From 1, in the order in which they were added. */
  readonly number: number;
  /** CBOR. */
  readonly turn: Uint8Array;
  readonly created_at: number;
}

export interface SessionFilter {
  readonly status?: SessionStatus | undefined;
  /** All of them. */
  readonly tags?: readonly string[] | undefined;
  readonly limit: number;
}

export interface TurnRange {
  /** Only the last so many. */
  readonly last?: number | undefined;
  /** Only those after this number. */
  readonly after?: number | undefined;
  readonly limit?: number | undefined;
}

/** Why a change was not made: no such session (or id taken), the status that the session has, or a quota. */
export type Refused = { readonly refused: 'absent' | 'taken' | SessionStatus } | { readonly refused: 'full'; readonly quota: keyof Quotas };

/** True when a change was not made. */
export function isRefused<T>(outcome: T | Refused): outcome is Refused {
  return typeof outcome === 'object' && outcome !== null && 'refused' in outcome;
}

/** What a tenant may hold; a change beyond it is refused. */
export interface Quotas {
  readonly sessions: number;
  /** Of one session. */
  readonly turns: number;
  readonly artifacts: number;
  /** Of all artifacts before compression. */
  readonly artifact_bytes: number;
}

/** The sessions of one tenant. Expired ones are absent everywhere; every change that depends on the status is atomic. */
export interface SessionRecords {
  create(session: NewSession, quotas: Quotas, now: number): Soon<SessionRecord | Refused>;
  get(id: string, now: number): Soon<SessionRecord | undefined>;
  /** Newest first. */
  list(filter: SessionFilter, now: number): Soon<SessionRecord[]>;
  /** Changes the status of a session that has one of `from`, or only notes that it was saved, which then survives a power loss. Gives the session as it was. */
  change(id: string, from: readonly SessionStatus[], to: { readonly status: SessionStatus } | 'saved', now: number): Soon<SessionRecord | Refused>;
  /** Adds turns to an active session, all or none, and gives the number of the last. */
  append(id: string, turns: readonly Uint8Array[], quotas: Quotas, now: number): Soon<number | Refused>;
  /** Oldest first. */
  turns(id: string, range: TurnRange): Soon<StoredTurn[]>;
  /** Sets a value of an active session; undefined removes it. */
  setValue(id: string, key: string, value: Uint8Array | undefined, now: number): Soon<true | Refused>;
  value(id: string, key: string): Soon<Uint8Array | undefined>;
  values(id: string): Soon<{ readonly key: string; readonly value: Uint8Array }[]>;
  /** Copies turns, values and artifacts into a new, active session. */
  fork(id: string, copy: NewSession, quotas: Quotas, now: number): Soon<SessionRecord | Refused>;
  /** Removes a session with everything in it; gives it as it was. */
  remove(id: string, now: number): Soon<SessionRecord | undefined>;
}

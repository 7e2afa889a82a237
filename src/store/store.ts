import type { Run } from '../call/context.ts';
import type { Soon } from '../call/soon.ts';
import type { ArtifactRecords } from './artifacts.ts';
import type { BlobFiles } from './blobs.ts';
import type { Moment } from './changes.ts';
import type { SessionRecords } from './sessions.ts';

/** One stored value. Revisions are random: the same number means the same value. */
export interface StoredEntry {
  readonly value: Uint8Array;
  readonly revision: number;
  /** ms since 1970. */
  readonly expiresAt: number | undefined;
}

/** Keys are listed in byte order. */
export interface ListOptions {
  readonly prefix?: string | undefined;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
  /** The list ends with the key with which all are more bytes. */
  readonly bytes?: number | undefined;
}

/** A change of one key, with the revision that it must still have (0: absent; undefined: any). */
export interface StoreWrite {
  readonly scope: string;
  readonly key: string;
  readonly expect?: number | undefined;
  /** Bytes of the value that is expected, which a look at its revision reads too. */
  readonly expectBytes?: number | undefined;
  /** Undefined deletes; absent only checks. */
  readonly put?: { readonly value: Uint8Array; readonly expiresAt?: number | undefined } | undefined;
  readonly remove?: true;
}

/** A change of a named number or text of the store, such as a schema version. */
export interface MetaWrite {
  readonly name: string;
  readonly value: string;
  readonly expect?: string | undefined;
}

export interface StoreUsage {
  readonly entries: number;
  readonly scopes: number;
  /** Of keys and values. */
  readonly bytes: number;
}

/** A list of keys that must still be the same. */
export interface ListCheck {
  readonly scope: string;
  readonly options: ListOptions;
  readonly keys: readonly string[];
}

/** What else a commit changes and needs. */
export interface CommitOptions {
  readonly meta?: readonly MetaWrite[];
  readonly lists?: readonly ListCheck[];
  readonly charge?: Charge | undefined;
}

/** Who is charged with what large work computes and keeps, which others do not wait for, and what ends it; a call is one. */
export interface Charge {
  readonly run: Pick<Run, 'tenant' | 'cpu'> & Partial<Pick<Run, 'kept'>>;
  readonly method?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Where one tenant's data live: values here, sessions and artifacts in parts of their own. Expired entries are absent everywhere. All times are given by the caller, in ms since 1970. */
export interface Store {
  get(scope: string, key: string, now: number): Soon<StoredEntry | undefined>;
  /** Keys of one moment. */
  list(scope: string, options: ListOptions, now: number, charge?: Charge): Soon<string[]>;
  scopes(now: number, charge?: Charge): Soon<string[]>;
  usage(now: number, charge?: Charge): Soon<StoreUsage>;
  meta(name: string): Soon<string | undefined>;
  /** All writes or none; false when a precondition does not hold. */
  commit(writes: readonly StoreWrite[], now: number, options?: CommitOptions): Soon<boolean>;
  /** Removes a scope and says how many entries it had. */
  clear(scope: string, now: number, charge?: Charge): Soon<number>;
  /** How far the changes have come: of two that are equal, nothing has changed in between. */
  moment(): Moment;
  /** The keys that may have changed since, as `idOf` makes them; undefined when that is not known. */
  changedSince(moment: Moment): readonly string[] | undefined;
  readonly backups: Backups;
  readonly sessions: SessionRecords;
  readonly artifacts: ArtifactRecords;
  /** Content of artifacts that is too large for a record. */
  readonly blobs: BlobFiles;
  /** True when another process has abandoned the tenant: open a new store. */
  readonly isRemoved: boolean;
  /** Makes every other process that has it open fail at its next call, before the tenant's folder is deleted. */
  abandon(): Soon<void>;
  close(): void;
}

/** What a backup is called. */
export interface BackupNote {
  readonly id: string;
  readonly description?: string | undefined;
  /** ms since 1970. */
  readonly created_at: number;
}

/** What is known of a backup without reading its values. */
export interface BackupHead extends BackupNote {
  readonly size_bytes: number;
  readonly entries: number;
}

/** Why a backup that is there cannot be restored: it was changed, its content is none of a backup although its checksum holds, or a newer llmspell made it. */
export type BackupFault = 'checksum' | 'form' | 'newer';

/** Copies of all values of a store; each is there whole or not at all. */
export interface Backups {
  /** Copies the values of one moment. */
  make(note: BackupNote, charge?: Charge): Soon<void>;
  /** True when it can be restored; undefined when there is none. */
  check(id: string, charge?: Charge): Soon<true | BackupFault | undefined>;
  /** Replaces all values at once, and makes a backup of what was there until then; gives what `check` would, and changes nothing unless that is true. */
  restore(id: string, before: BackupNote, charge?: Charge): Soon<true | BackupFault | undefined>;
  /** Those that can be read, in any order. */
  heads(charge?: Charge): Soon<BackupHead[]>;
  remove(id: string): boolean;
}

/** Whether two lists have the same keys. */
export function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((key, at) => key === b[at]);
}

/** A new revision. */
export function newRevision(): number {
  return 1 + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - 1));
}

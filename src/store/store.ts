import type { Soon } from '../call/soon.ts';
import type { ArtifactRecords } from './artifacts.ts';
import type { BlobFiles } from './blobs.ts';
import type { SessionRecords } from './sessions.ts';

/** One stored value. Revisions are random: the same number means that nobody wrote in between. */
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
}

/** A change of one key, with the revision that it must still have (0: absent; undefined: any). */
export interface StoreWrite {
  readonly scope: string;
  readonly key: string;
  readonly expect?: number | undefined;
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

/** Every entry of a store, for backup and restore. */
export interface StoreDump {
  readonly entries: readonly { readonly scope: string; readonly key: string; readonly value: Uint8Array; readonly expiresAt: number | undefined }[];
  readonly meta: Readonly<Record<string, string>>;
}

/** Where one tenant's data live: values here, sessions and artifacts in parts of their own. Expired entries are absent everywhere. All times are given by the caller, in ms since 1970. */
export interface Store {
  get(scope: string, key: string, now: number): Soon<StoredEntry | undefined>;
  list(scope: string, options: ListOptions, now: number): Soon<string[]>;
  scopes(now: number): Soon<string[]>;
  usage(now: number): Soon<StoreUsage>;
  meta(name: string): Soon<string | undefined>;
  /** All writes or none; false when a precondition does not hold. */
  commit(writes: readonly StoreWrite[], now: number, meta?: readonly MetaWrite[]): Soon<boolean>;
  /** Removes a scope and says how many entries it had. */
  clear(scope: string, now: number): Soon<number>;
  dump(now: number): Soon<StoreDump>;
  /** Replaces everything in one transaction. */
  replace(dump: StoreDump): Soon<void>;
  readonly backups: BackupFiles;
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

/** Where backups lie; written whole or not at all. */
export interface BackupFiles {
  write(id: string, bytes: Uint8Array): void;
  read(id: string): Uint8Array | undefined;
  ids(): string[];
  remove(id: string): boolean;
}

/** A new revision. */
export function newRevision(): number {
  return 1 + Math.floor(Math.random() * (Number.MAX_SAFE_INTEGER - 1));
}

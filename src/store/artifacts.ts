import type { Soon } from '../call/soon.ts';
import type { Quotas, Refused } from './sessions.ts';

/** One version of an artifact; its content is found by `hash`. */
export interface ArtifactRecord {
  readonly id: string;
  readonly session_id: string;
  readonly name: string;
  /** From 1, one more than the highest version of this name that is there. */
  readonly version: number;
  readonly type: string;
  /** SHA-256 of the content, hex. */
  readonly hash: string;
  /** Of the content, bytes. */
  readonly size: number;
  /** CBOR. */
  readonly metadata: Uint8Array;
  /** ms since 1970. */
  readonly created_at: number;
}

export type NewArtifact = Pick<ArtifactRecord, 'id' | 'session_id' | 'name' | 'type' | 'metadata'>;

export type Encoding = 'raw' | 'zstd';

/** Content that is ready to be stored: a few bytes, or a file that waits under another name. */
export interface StagedContent {
  readonly hash: string;
  readonly size: number;
  readonly encoding: Encoding;
  /** What it takes on disk, bytes. */
  readonly stored: number;
  readonly content: { readonly data: Uint8Array } | StagedFile;
}

/** A complete file under a temporary name. */
export interface StagedFile {
  /** Gives it a name of its own, for good, and says which. */
  place(hash: string): string;
  /** Removes it unless it was placed. */
  discard(): void;
}

/** Where content lies; exactly one of `data` and `file` is there. */
export interface StoredContent {
  readonly hash: string;
  readonly size: number;
  readonly encoding: Encoding;
  readonly data: Uint8Array | undefined;
  readonly file: string | undefined;
}

export interface ArtifactFilter {
  readonly session_id?: string | undefined;
  readonly type?: string | undefined;
  readonly name?: string | undefined;
  readonly content_hash?: string | undefined;
  /** Made at or after, and before, ms since 1970. */
  readonly created_from?: number | undefined;
  readonly created_before?: number | undefined;
  /** Only the highest version of each name. */
  readonly latest?: boolean | undefined;
  readonly limit: number;
  readonly offset?: number | undefined;
}

export interface ArtifactTotals {
  readonly artifacts: number;
  /** Before compression. */
  readonly bytes: number;
}

/** The artifacts of one tenant. Those of expired sessions are absent. Equal content is stored once; content that no artifact has any more is dropped. */
export interface ArtifactRecords {
  /** Adds a version to an active session. The staged file is placed only if the content is new; the caller discards it in any case. */
  add(artifact: NewArtifact, staged: StagedContent, quotas: Quotas, now: number): Soon<ArtifactRecord | Refused>;
  /** By id, or the given or highest version of a name. */
  find(
    session_id: string,
    reference: { readonly id: string } | { readonly name: string; readonly version?: number | undefined },
    now: number,
  ): Soon<ArtifactRecord | undefined>;
  /** Newest first. */
  query(filter: ArtifactFilter, now: number): Soon<ArtifactRecord[]>;
  /** Where the content of an artifact lies; ask again when its file is gone meanwhile. */
  content(hash: string): Soon<StoredContent | undefined>;
  remove(session_id: string, id: string, now: number): Soon<boolean>;
  totals(): Soon<ArtifactTotals>;
  /** Removes the files of dropped content. */
  collect(): Soon<void>;
  /** Removes files that a killed process has left; gives how many. Safe while others write. */
  sweep(now: number): Promise<number>;
}

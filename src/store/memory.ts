import type { ArtifactRecords, StoredContent } from './artifacts.ts';
import { type BlobFiles, memoryBlobs } from './blobs.ts';
import { dropUnused, memoryArtifacts } from './memory-artifacts.ts';
import { type MemorySessions, memorySessions } from './memory-sessions.ts';
import type { SessionRecords } from './sessions.ts';
import {
  type BackupFiles,
  type ListOptions,
  type MetaWrite,
  newRevision,
  type Store,
  type StoreDump,
  type StoredEntry,
  type StoreUsage,
  type StoreWrite,
} from './store.ts';

/** A store that lives as long as the process; for tests and hosts that keep nothing. */
export class MemoryStore implements Store {
  #scopes = new Map<string, Map<string, StoredEntry>>();
  #meta = new Map<string, string>();
  readonly backups: BackupFiles = memoryBackups();
  readonly blobs: BlobFiles = memoryBlobs();
  readonly sessions: SessionRecords;
  readonly artifacts: ArtifactRecords;
  readonly isRemoved = false;

  constructor() {
    const data: MemorySessions = { sessions: new Map() };
    const contents = new Map<string, StoredContent>();
    this.sessions = memorySessions(data, () => dropUnused(data, contents, this.blobs));
    this.artifacts = memoryArtifacts(data, contents, this.blobs);
  }

  get(scope: string, key: string, now: number): StoredEntry | undefined {
    const entry = this.#scopes.get(scope)?.get(key);
    return entry && !expired(entry, now) ? entry : undefined;
  }

  list(scope: string, { prefix = '', after, limit = Number.POSITIVE_INFINITY }: ListOptions, now: number): string[] {
    const keys = [...(this.#scopes.get(scope) ?? [])].filter(([key, entry]) => !expired(entry, now) && key.startsWith(prefix)).map(([key]) => key);
    const sorted = keys.sort(byBytes);
    const rest = after === undefined ? sorted : sorted.filter((key) => byBytes(key, after) > 0);
    return rest.slice(0, limit);
  }

  scopes(now: number): string[] {
    return [...this.#scopes]
      .filter(([, entries]) => [...entries.values()].some((entry) => !expired(entry, now)))
      .map(([scope]) => scope)
      .sort(byBytes);
  }

  usage(now: number): StoreUsage {
    const { entries } = this.dump(now);
    const bytes = entries.reduce((sum, { scope, key, value }) => sum + Buffer.byteLength(scope) + Buffer.byteLength(key) + value.length, 0);
    return { entries: entries.length, scopes: this.scopes(now).length, bytes };
  }

  meta(name: string): string | undefined {
    return this.#meta.get(name);
  }

  commit(writes: readonly StoreWrite[], now: number, meta: readonly MetaWrite[] = []): boolean {
    const holds = (write: StoreWrite) => write.expect === undefined || write.expect === (this.get(write.scope, write.key, now)?.revision ?? 0);
    if (!writes.every(holds) || !meta.every(({ name, expect }) => expect === undefined || expect === (this.#meta.get(name) ?? ''))) return false;
    for (const { scope, key, put, remove } of writes) {
      if (put) this.#scope(scope).set(key, { value: put.value, revision: newRevision(), expiresAt: put.expiresAt });
      else if (remove) this.#scopes.get(scope)?.delete(key);
    }
    for (const { name, value } of meta) this.#meta.set(name, value);
    return true;
  }

  clear(scope: string, now: number): number {
    const count = this.list(scope, {}, now).length;
    this.#scopes.delete(scope);
    return count;
  }

  dump(now: number): StoreDump {
    const entries = [...this.#scopes].flatMap(([scope, map]) =>
      [...map].filter(([, entry]) => !expired(entry, now)).map(([key, { value, expiresAt }]) => ({ scope, key, value, expiresAt })),
    );
    return { entries, meta: Object.fromEntries(this.#meta) };
  }

  replace({ entries, meta }: StoreDump): void {
    this.#scopes = new Map();
    this.#meta = new Map(Object.entries(meta));
    for (const { scope, key, value, expiresAt } of entries) this.#scope(scope).set(key, { value, revision: newRevision(), expiresAt });
  }

  abandon(): void {}

  close(): void {}

  #scope(scope: string): Map<string, StoredEntry> {
    const found = this.#scopes.get(scope) ?? new Map<string, StoredEntry>();
    this.#scopes.set(scope, found);
    return found;
  }
}

function expired({ expiresAt }: StoredEntry, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function memoryBackups(): BackupFiles {
  const files = new Map<string, Uint8Array>();
  return {
    write: (id, bytes) => void files.set(id, bytes),
    read: (id) => files.get(id),
    ids: () => [...files.keys()],
    remove: (id) => files.delete(id),
  };
}

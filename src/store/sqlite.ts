import { join } from 'node:path';
import { uncharged } from '../call/cpu.ts';
import type { Soon } from '../call/soon.ts';
import type { AppendTask } from './append-task.ts';
import type { ArtifactRecords } from './artifacts.ts';
import { type BlobFiles, blobFolder } from './blobs.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { storeFailure } from './failure.ts';
import { backupFolder } from './files.ts';
import { makeFolder } from './folders.ts';
import type { Refused, SessionRecords } from './sessions.ts';
import { sqliteArtifacts } from './sqlite-artifacts.ts';
import { sqliteSessions } from './sqlite-sessions.ts';
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

/** Turns that take more together are written by a thread, bytes. */
const LARGE = 2 ** 20;
const LARGE_MS = 60_000;
const APPEND = new URL('./append-task.ts', import.meta.url);

const LIVE = '(expires_at IS NULL OR expires_at > :now)';

const STATEMENTS = {
  get: `SELECT value, revision, expires_at FROM state WHERE scope = :scope AND key = :key AND ${LIVE}`,
  revision: `SELECT revision FROM state WHERE scope = :scope AND key = :key AND ${LIVE}`,
  put: 'INSERT INTO state VALUES (:scope, :key, :value, :revision, :expires) ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision, expires_at = excluded.expires_at',
  remove: 'DELETE FROM state WHERE scope = :scope AND key = :key',
  list: `SELECT key FROM state WHERE scope = :scope AND key > :after AND key >= :prefix AND substr(key, 1, length(:prefix)) = :prefix AND ${LIVE} ORDER BY key LIMIT :limit`,
  scopes: `SELECT DISTINCT scope FROM state WHERE ${LIVE} ORDER BY scope`,
  usage: `SELECT count(*) AS entries, count(DISTINCT scope) AS scopes, coalesce(sum(length(CAST(scope AS BLOB)) + length(CAST(key AS BLOB)) + length(value)), 0) AS bytes FROM state WHERE ${LIVE}`,
  clear: 'DELETE FROM state WHERE scope = :scope',
  count: `SELECT count(*) AS count FROM state WHERE scope = :scope AND ${LIVE}`,
  expire: 'DELETE FROM state WHERE expires_at <= :now',
  all: `SELECT scope, key, value, expires_at FROM state WHERE ${LIVE} ORDER BY scope, key`,
  meta: 'SELECT value FROM meta WHERE name = :name',
  allMeta: 'SELECT name, value FROM meta',
  putMeta: 'INSERT INTO meta VALUES (:name, :value) ON CONFLICT DO UPDATE SET value = excluded.value',
} as const;

interface Row {
  readonly scope: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
  readonly expires_at: number | null;
}

interface MetaRow {
  readonly name: string;
  readonly value: string;
}

/** A tenant's data in `state.db` and the files of its folder. */
export class SqliteStore implements Store {
  readonly backups: BackupFiles;
  readonly sessions: SessionRecords;
  readonly artifacts: ArtifactRecords;
  readonly blobs: BlobFiles;
  readonly #db: Database;

  /** Opens or makes the database. Throws STORE_FAILED with one sentence when that is impossible. */
  constructor(folder: string, durability: 'normal' | 'full', limits: Omit<DatabaseOptions, 'durability'> = {}) {
    this.backups = backupFolder(join(folder, 'backups'));
    this.blobs = blobFolder(join(folder, 'blobs'));
    try {
      makeFolder(folder);
    } catch (error) {
      throw storeFailure(error);
    }
    this.#db = new Database(join(folder, 'state.db'), { durability, ...limits });
    const sessions = sqliteSessions(this.#db);
    this.sessions = {
      ...sessions,
      append(id, turns, quotas, now) {
        if (turns.reduce((sum, { length }) => sum + length, 0) <= LARGE) return sessions.append(id, turns, quotas, now);
        const task: AppendTask = { folder, options: { durability, ...limits }, id, turns, quotas, now };
        return import('../worker/pool.ts').then(({ inWorker }) => inWorker<number | Refused>(APPEND, task, { deadlineMs: LARGE_MS, run: uncharged(folder) }));
      },
    };
    this.artifacts = sqliteArtifacts(this.#db, this.blobs, limits.max_bytes);
  }

  get isRemoved(): boolean {
    return this.#db.removed;
  }

  get(scope: string, key: string, now: number): StoredEntry | undefined {
    const row = this.#db.one<Row>(STATEMENTS.get, { scope, key, now });
    return row && { value: row.value, revision: row.revision, expiresAt: row.expires_at ?? undefined };
  }

  list(scope: string, { prefix = '', after = '', limit = -1 }: ListOptions, now: number): string[] {
    return this.#db.all<Row>(STATEMENTS.list, { scope, prefix, after, limit, now }).map((row) => row.key);
  }

  scopes(now: number): string[] {
    return this.#db.all<Row>(STATEMENTS.scopes, { now }).map((row) => row.scope);
  }

  usage(now: number): StoreUsage {
    return { ...(this.#db.one<StoreUsage>(STATEMENTS.usage, { now }) ?? { entries: 0, scopes: 0, bytes: 0 }) };
  }

  meta(name: string): string | undefined {
    return this.#db.one<MetaRow>(STATEMENTS.meta, { name })?.value;
  }

  commit(writes: readonly StoreWrite[], now: number, meta: readonly MetaWrite[] = []): Soon<boolean> {
    const [first] = writes;
    const simple = writes.length === 1 && meta.length === 0 && first?.expect === undefined;
    return this.#db.write(simple && first ? () => this.#apply(first) : () => this.#db.transaction(() => this.#commitAll(writes, now, meta)));
  }

  clear(scope: string, now: number): Soon<number> {
    return this.#db.write(() =>
      this.#db.transaction(() => {
        const count = this.#db.one<{ count: number }>(STATEMENTS.count, { scope, now })?.count ?? 0;
        this.#db.run(STATEMENTS.clear, { scope });
        return count;
      }),
    );
  }

  dump(now: number): StoreDump {
    return this.#db.read(() => ({
      entries: this.#db
        .all<Row>(STATEMENTS.all, { now })
        .map(({ scope, key, value, expires_at }) => ({ scope, key, value, expiresAt: expires_at ?? undefined })),
      meta: Object.fromEntries(this.#db.all<MetaRow>(STATEMENTS.allMeta).map(({ name, value }) => [name, value])),
    }));
  }

  replace({ entries, meta }: StoreDump): Soon<void> {
    return this.#db.write(() =>
      this.#db.transaction(() => {
        this.#db.run('DELETE FROM state');
        this.#db.run('DELETE FROM meta');
        for (const { scope, key, value, expiresAt } of entries) this.#apply({ scope, key, put: { value, expiresAt } });
        for (const [name, value] of Object.entries(meta)) this.#db.run(STATEMENTS.putMeta, { name, value });
      }),
    );
  }

  abandon(): Soon<void> {
    return this.#db.write(() =>
      this.#db.transaction(() => {
        for (const table of ['state', 'sessions', 'artifacts', 'turns', 'session_values']) this.#db.run(`ALTER TABLE ${table} RENAME TO removed_${table}`);
      }),
    );
  }

  close(): void {
    this.#db.close();
  }

  #commitAll(writes: readonly StoreWrite[], now: number, meta: readonly MetaWrite[]): boolean {
    for (const { scope, key, expect } of writes) {
      if (expect !== undefined && expect !== (this.#db.one<Row>(STATEMENTS.revision, { scope, key, now })?.revision ?? 0)) return false;
    }
    for (const { name, expect } of meta) if (expect !== undefined && expect !== (this.meta(name) ?? '')) return false;
    for (const write of writes) this.#apply(write);
    for (const { name, value } of meta) this.#db.run(STATEMENTS.putMeta, { name, value });
    this.#db.run(STATEMENTS.expire, { now });
    return true;
  }

  #apply({ scope, key, put, remove }: StoreWrite): true {
    if (put) this.#db.run(STATEMENTS.put, { scope, key, value: put.value, revision: newRevision(), expires: put.expiresAt ?? null });
    else if (remove) this.#db.run(STATEMENTS.remove, { scope, key });
    return true;
  }
}

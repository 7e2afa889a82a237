import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Soon } from '../call/soon.ts';
import { transaction, writing } from './busy.ts';
import { openDatabase } from './database.ts';
import { storeFailure } from './failure.ts';
import { backupFolder } from './files.ts';
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

/** The format of `state.db`; a newer one is refused, an older one would be migrated here. */
const FORMAT = 1;

const SCHEMA = `
  CREATE TABLE state (scope TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, revision INTEGER NOT NULL, expires_at INTEGER, PRIMARY KEY (scope, key)) STRICT, WITHOUT ROWID;
  CREATE INDEX state_expiry ON state (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`;

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

/** A tenant's values in `state.db` of its folder. */
export class SqliteStore implements Store {
  readonly backups: BackupFiles;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<keyof typeof STATEMENTS, StatementSync>();

  /** Opens or makes the database, which may grow to so many pages of 4 kB. Throws STORE_FAILED with one sentence when that is impossible. */
  constructor(folder: string, durability: 'normal' | 'full', limits: { readonly most_pages?: number } = {}) {
    this.backups = backupFolder(join(folder, 'backups'));
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#db = openDatabase(join(folder, 'state.db'), durability, { version: FORMAT, schema: SCHEMA });
      if (limits.most_pages !== undefined) this.#db.exec(`PRAGMA max_page_count = ${limits.most_pages}`);
    } catch (error) {
      throw storeFailure(error);
    }
  }

  get(scope: string, key: string, now: number): StoredEntry | undefined {
    const row = this.#one<Row>('get', { scope, key, now });
    return row && { value: row.value, revision: row.revision, expiresAt: row.expires_at ?? undefined };
  }

  list(scope: string, { prefix = '', after = '', limit = -1 }: ListOptions, now: number): string[] {
    return this.#all<Row>('list', { scope, prefix, after, limit, now }).map((row) => row.key);
  }

  scopes(now: number): string[] {
    return this.#all<Row>('scopes', { now }).map((row) => row.scope);
  }

  usage(now: number): StoreUsage {
    return { ...(this.#one<StoreUsage>('usage', { now }) ?? { entries: 0, scopes: 0, bytes: 0 }) };
  }

  meta(name: string): string | undefined {
    return this.#one<MetaRow>('meta', { name })?.value;
  }

  commit(writes: readonly StoreWrite[], now: number, meta: readonly MetaWrite[] = []): Soon<boolean> {
    const [first] = writes;
    const simple = writes.length === 1 && meta.length === 0 && first?.expect === undefined;
    return writing(simple && first ? () => this.#apply(first) : () => transaction(this.#db, () => this.#commitAll(writes, now, meta)));
  }

  clear(scope: string, now: number): Soon<number> {
    return writing(() =>
      transaction(this.#db, () => {
        const count = this.#one<{ count: number }>('count', { scope, now })?.count ?? 0;
        this.#run('clear', { scope });
        return count;
      }),
    );
  }

  dump(now: number): StoreDump {
    return this.#reading(() => ({
      entries: this.#all<Row>('all', { now }).map(({ scope, key, value, expires_at }) => ({ scope, key, value, expiresAt: expires_at ?? undefined })),
      meta: Object.fromEntries(this.#all<MetaRow>('allMeta', {}).map(({ name, value }) => [name, value])),
    }));
  }

  replace({ entries, meta }: StoreDump): Soon<void> {
    return writing(() =>
      transaction(this.#db, () => {
        this.#db.exec('DELETE FROM state; DELETE FROM meta');
        for (const { scope, key, value, expiresAt } of entries) this.#apply({ scope, key, put: { value, expiresAt } });
        for (const [name, value] of Object.entries(meta)) this.#run('putMeta', { name, value });
      }),
    );
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #commitAll(writes: readonly StoreWrite[], now: number, meta: readonly MetaWrite[]): boolean {
    for (const { scope, key, expect } of writes) {
      if (expect !== undefined && expect !== (this.#one<Row>('revision', { scope, key, now })?.revision ?? 0)) return false;
    }
    for (const { name, expect } of meta) if (expect !== undefined && expect !== (this.meta(name) ?? '')) return false;
    for (const write of writes) this.#apply(write);
    for (const { name, value } of meta) this.#run('putMeta', { name, value });
    this.#run('expire', { now });
    return true;
  }

  #apply({ scope, key, put, remove }: StoreWrite): true {
    if (put) this.#run('put', { scope, key, value: put.value, revision: newRevision(), expires: put.expiresAt ?? null });
    else if (remove) this.#run('remove', { scope, key });
    return true;
  }

  #reading<T>(work: () => T): T {
    this.#db.exec('BEGIN');
    try {
      return work();
    } finally {
      this.#db.exec('COMMIT');
    }
  }

  #statement(name: keyof typeof STATEMENTS): StatementSync {
    const known = this.#statements.get(name);
    if (known) return known;
    const made = this.#db.prepare(STATEMENTS[name]);
    this.#statements.set(name, made);
    return made;
  }

  #one<T>(name: keyof typeof STATEMENTS, values: Record<string, string | number>): T | undefined {
    try {
      return this.#statement(name).get(values) as T | undefined;
    } catch (error) {
      throw storeFailure(error);
    }
  }

  #all<T>(name: keyof typeof STATEMENTS, values: Record<string, string | number>): T[] {
    try {
      return this.#statement(name).all(values) as T[];
    } catch (error) {
      throw storeFailure(error);
    }
  }

  #run(name: keyof typeof STATEMENTS, values: Record<string, string | number | Uint8Array | null>): void {
    this.#statement(name).run(values);
  }
}

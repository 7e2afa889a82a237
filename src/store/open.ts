import { createRequire } from 'node:module';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { transaction } from './busy.ts';
import { newerFormat } from './failure.ts';

/** How long a write of another process may block this thread, ms; then it is tried again without blocking. */
export const BUSY_MS = 5;

/** What a database is made of. */
export interface Format {
  /** What takes it from one version of the format to the next; the first makes it. */
  readonly steps: readonly string[];
  /** Bytes, a power of two; fixed when the file is made. */
  readonly pageSize?: number;
}

/** Opens a database, `:memory:` included; makes it or brings it up to date. Throws STORE_FAILED when a newer llmspell wrote it. */
export function openDatabase(path: string, durability: 'normal' | 'full', format: Format): DatabaseSync {
  const db = new (native())(path, { timeout: 2_000, enableForeignKeyConstraints: true });
  try {
    if (format.pageSize) db.exec(`PRAGMA page_size = ${format.pageSize}`);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; PRAGMA secure_delete = ON`);
    bringUpToDate(db, format.steps);
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A connection that only reads, all of it of one moment. */
export function openReader(path: string): Disposable & { each<T>(sql: string, values?: Record<string, SQLInputValue>): Iterable<T> } {
  const db = new (native())(path, { readOnly: true, timeout: BUSY_MS });
  const statements = new Map<string, StatementSync>();
  db.exec('BEGIN');
  return {
    each<T>(sql: string, values: Record<string, SQLInputValue> = {}): Iterable<T> {
      const statement = statements.get(sql) ?? db.prepare(sql);
      statements.set(sql, statement);
      return statement.iterate(values) as Iterable<T>;
    },
    [Symbol.dispose]: () => db.close(),
  };
}

/** Loaded when the first store opens: scripts that keep nothing start without it. */
function native(): typeof DatabaseSync {
  return (createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite')).DatabaseSync;
}

function bringUpToDate(db: DatabaseSync, steps: readonly string[]): void {
  const found = versionOf(db);
  if (found === steps.length) return;
  if (found > steps.length) throw newerFormat(found, steps.length);
  transaction(db, () => {
    // Two processes may come here at once: the second finds it done.
    for (const step of steps.slice(versionOf(db))) db.exec(step);
    db.exec(`PRAGMA user_version = ${steps.length}`);
  });
}

function versionOf(db: DatabaseSync): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

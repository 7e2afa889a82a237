import { createRequire } from 'node:module';
import type { DatabaseSync } from 'node:sqlite';
import { ScriptError } from '../errors.ts';
import { transaction } from './busy.ts';

/** How long a write of another process may block this thread, ms; then it is tried again without blocking. */
const BUSY_MS = 5;

/** What a database is made of, and the number that a newer form of it would have. */
export interface Format {
  readonly version: number;
  /** Statements that make it; `PRAGMA user_version` is set behind them. */
  readonly schema: string;
  /** Bytes, a power of two; fixed when the file is made. */
  readonly pageSize?: number;
}

/** Opens or makes a database, `:memory:` included. Throws STORE_FAILED when a newer llmspell wrote it. */
export function openDatabase(path: string, durability: 'normal' | 'full', format: Format): DatabaseSync {
  // Loaded when the first store opens: scripts that keep nothing start without it.
  const { DatabaseSync: Database } = createRequire(import.meta.url)('node:sqlite') as typeof import('node:sqlite');
  const db = new Database(path, { timeout: 2_000 });
  try {
    if (format.pageSize) db.exec(`PRAGMA page_size = ${format.pageSize}`);
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durability}; PRAGMA secure_delete = ON`);
    const found = version(db);
    if (found > format.version)
      throw new ScriptError(
        'STORE_FAILED',
        `the data folder was written by a newer llmspell (format ${found}; this one knows ${format.version}): update llmspell, or choose another folder with --data`,
      );
    // Two processes may make it at once: the second finds it made.
    if (found === 0)
      transaction(db, () => {
        if (version(db) === 0) db.exec(`${format.schema}; PRAGMA user_version = ${format.version}`);
      });
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function version(db: DatabaseSync): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

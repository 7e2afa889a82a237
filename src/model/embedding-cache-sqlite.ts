import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { makeFolder } from '../store/folders.ts';
import { type Format, openDatabase } from '../store/open.ts';
import { type EmbeddingCache, MOST_CACHED_BYTES } from './embedding-cache.ts';

const FORMAT: Format = {
  steps: [
    // The first files carried no number of their format.
    `
  CREATE TABLE IF NOT EXISTS vectors (hash TEXT PRIMARY KEY, vector BLOB NOT NULL, used_at INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS vectors_used ON vectors (used_at);`,
  ],
};
/** The time of use is written no oftener than this, ms. */
const PRECISION_MS = 3_600_000;
/** What is kept when the cache is full, of its limit. */
const KEPT = 0.9;

/** A cache in `embeddings.db` of a folder. A file that is damaged is made anew; one that another process writes is left alone. */
export function createSqliteCache(folder: string, most = MOST_CACHED_BYTES): EmbeddingCache {
  const file = join(folder, 'embeddings.db');
  let db = attempt(() => openCache(folder, file));
  if (!db) {
    for (const ending of ['', '-wal', '-shm']) attempt(() => rmSync(file + ending, { force: true }));
    db = attempt(() => openCache(folder, file));
  }
  return {
    get(hashes) {
      const now = Date.now();
      return (
        attempt(() => {
          const find = db?.prepare('SELECT vector, used_at FROM vectors WHERE hash = ?');
          return hashes.map((hash) => {
            const row = find?.get(hash) as { vector: Uint8Array; used_at: number } | undefined;
            if (row && now - row.used_at > PRECISION_MS) attempt(() => db?.prepare('UPDATE vectors SET used_at = ? WHERE hash = ?').run(now, hash));
            return row && new Float32Array(Uint8Array.from(row.vector).buffer);
          });
        }) ?? hashes.map(() => undefined)
      );
    },
    put(entries) {
      attempt(() => {
        db?.exec('BEGIN IMMEDIATE');
        try {
          const insert = db?.prepare('INSERT INTO vectors VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
          for (const [hash, vector] of entries) insert?.run(hash, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), Date.now());
          if (db) shrink(db, most);
          db?.exec('COMMIT');
        } catch (error) {
          if (db?.isTransaction) db.exec('ROLLBACK');
          throw error;
        }
      });
    },
    close() {
      if (db?.isOpen) db.close();
      db = undefined;
    },
  };
}

function openCache(folder: string, file: string): DatabaseSync {
  makeFolder(folder);
  const db = openDatabase(file, 'normal', FORMAT);
  try {
    db.prepare('SELECT count(*) FROM vectors').get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Forgets the vectors that were used longest ago. */
function shrink(db: DatabaseSync, most: number): void {
  let over = usedBytes(db) - most;
  if (over <= 0) return;
  over += most * (1 - KEPT);
  const forget = db.prepare('DELETE FROM vectors WHERE rowid = ?');
  for (const row of db.prepare('SELECT rowid AS id, length(vector) AS size FROM vectors ORDER BY used_at, rowid').all() as { id: number; size: number }[]) {
    if (over <= 0) break;
    forget.run(row.id);
    over -= row.size;
  }
}

/** Of the file's pages, those that hold something. */
function usedBytes(db: DatabaseSync): number {
  const of = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
  return (of('page_count') - of('freelist_count')) * of('page_size');
}

/** What the work gives, undefined when the database does not let it. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

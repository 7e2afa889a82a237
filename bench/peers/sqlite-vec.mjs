// The same vectors in sqlite-vec: a virtual table in a file, with the text beside each vector and the group as a column to filter by.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { getLoadablePath } from 'sqlite-vec';

export const version = 'sqlite-vec 0.1.9';

/** Stores everything; `search` gives the places of the nearest. */
export async function open(folder, { count, dimensions, vector, text, group }) {
  const db = new DatabaseSync(join(folder, 'vec.db'), { allowExtension: true });
  db.loadExtension(getLoadablePath());
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  db.exec(`CREATE VIRTUAL TABLE chunks USING vec0(embedding float[${dimensions}] distance_metric=cosine, part integer, +text text)`);
  const insert = db.prepare('INSERT INTO chunks (rowid, embedding, part, text) VALUES (?, ?, ?, ?)');
  db.exec('BEGIN');
  for (let at = 0; at < count; at++) insert.run(BigInt(at), bytes(vector(at)), BigInt(group(at)), text(at));
  db.exec('COMMIT');
  const all = db.prepare('SELECT rowid AS at, text, distance FROM chunks WHERE embedding MATCH ? AND k = ?');
  const some = db.prepare('SELECT rowid AS at, text, distance FROM chunks WHERE embedding MATCH ? AND k = ? AND part = ?');
  return {
    search: (query, limit, part) => (part === undefined ? all.all(bytes(query), limit) : some.all(bytes(query), limit, BigInt(part))).map((row) => row.at),
    close: () => db.close(),
  };
}

const bytes = (vector) => new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);

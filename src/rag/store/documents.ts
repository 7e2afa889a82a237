import { encode } from '../../call/codec.ts';
import { ScriptError } from '../../errors.ts';
import { bytesOf, comparable } from '../../vector/rows.ts';
import type { KnowledgeSettings, PreparedDocument } from '../knowledge.ts';
import type { KnowledgeDatabase } from './database.ts';
import { fieldsOf } from './fields.ts';
import type { BaseRow, ChunkRow, DocumentRow } from './schema.ts';
import { searchable } from './words.ts';

/** Entries of the log that are kept for caches to catch up from. */
const LOG_KEPT = 8_192;
const LOG_TRIMMED_EVERY = 1_024;

/** A document with everything checked and computed that needs no database. */
export interface StorableDocument {
  readonly document: PreparedDocument;
  readonly vectors: readonly Uint8Array[];
  readonly metadata: Uint8Array;
  readonly size: number;
  readonly bytes: number;
}

/** Checks a document against the settings of its base. Throws BAD_ARGUMENT that names the chunk for vectors that cannot be compared and for metadata that cannot be stored. */
export function storable(document: PreparedDocument, settings: KnowledgeSettings): StorableDocument {
  const vectors = document.chunks.map(({ vector }, at) =>
    bytesOf(comparable(vector, settings.dimensions, settings.metric, `document ${JSON.stringify(document.id)}, vector of chunk ${at + 1}`)),
  );
  if (!document.id.isWellFormed()) throw new ScriptError('BAD_ARGUMENT', 'document_id: expected text, got a string with half of a surrogate pair');
  const size = Buffer.byteLength(document.text);
  const bytes = size + document.chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.text) + 4 * settings.dimensions, 0);
  return { document, vectors, metadata: encode(document.metadata), size, bytes };
}

/** Throws CONFLICT, naming both, unless vectors that are wanted can be compared with those that are stored. */
export function checkVectors(base: string, stored: KnowledgeSettings, wanted: KnowledgeSettings): void {
  if (stored.embedder === wanted.embedder && stored.dimensions === wanted.dimensions && stored.metric === wanted.metric) return;
  const words = ({ embedder, dimensions, metric }: KnowledgeSettings) => `the embedder ${embedder} (${dimensions} dimensions, ${metric})`;
  throw new ScriptError(
    'CONFLICT',
    `the knowledge base ${JSON.stringify(base)} was made with ${words(stored)}, and this call wants ${words(wanted)}: delete its documents and ingest them again, or give the other pipeline another name`,
    { details: { stored: { ...stored }, wanted: { ...wanted } } },
  );
}

/** Stores a document in place of its older version, inside a transaction. */
export function storeDocument(
  to: KnowledgeDatabase,
  base: BaseRow,
  { document, vectors, metadata, size, bytes }: StorableDocument,
  now: number,
): 'added' | 'replaced' | 'skipped' {
  const n = base.id;
  const old = to.one<DocumentRow>(`SELECT * FROM documents_${n} WHERE name = ?`, document.id);
  if (old?.hash === document.hash) return 'skipped';
  to.failpoint?.('begun', to.db);
  if (old) forget(to, n, old);
  to.failpoint?.('forgotten', to.db);
  const { next: first } = base;
  const count = document.chunks.length;
  const { id } = to.one<{ id: number }>(
    `INSERT INTO documents_${n} (name, hash, source, format, metadata, version, size, bytes, created_at, updated_at, first, count) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET hash = excluded.hash, source = excluded.source, format = excluded.format, metadata = excluded.metadata, version = version + 1, size = excluded.size,
     bytes = excluded.bytes, updated_at = excluded.updated_at, first = excluded.first, count = excluded.count RETURNING id`,
    document.id,
    document.hash,
    document.source ?? null,
    document.format,
    metadata,
    size,
    bytes,
    now,
    now,
    first,
    count,
  ) as { id: number };
  to.run(`INSERT INTO texts_${n} VALUES (?, ?)`, id, document.text);
  for (const { path, type, value } of fieldsOf(document.metadata)) to.run(`INSERT OR IGNORE INTO fields_${n} VALUES (?, ?, ?, ?)`, path, type, value, id);
  to.failpoint?.('document', to.db);
  document.chunks.forEach(({ text, start, stop, headings }, at) => {
    const titles = headings && headings.length > 0 ? JSON.stringify(headings) : null;
    to.run(`INSERT INTO chunks_${n} VALUES (?, ?, ?, ?, ?, ?)`, first + at, id, text, start, stop, titles);
    to.run(`INSERT INTO vectors_${n} VALUES (?, ?)`, first + at, vectors[at] as Uint8Array);
  });
  to.failpoint?.('rows', to.db);
  const source = document.source === undefined ? null : indexed(document.source);
  document.chunks.forEach(({ text, headings }, at) => {
    const titles = headings && headings.length > 0 ? JSON.stringify(headings) : null;
    to.run(`INSERT INTO text_${n} (rowid, text, headings, source) VALUES (?, ?, ?, ?)`, first + at, indexed(text), titles && indexed(titles), source);
  });
  to.failpoint?.('text', to.db);
  note(to, base, { added: first, added_count: count, removed: old?.first ?? 0, removed_count: old?.count ?? 0 });
  to.run(
    'UPDATE bases SET next = next + ?, documents = documents + ?, chunks = chunks + ?, bytes = bytes + ? WHERE id = ?',
    count,
    old ? 0 : 1,
    count - (old?.count ?? 0),
    bytes - (old?.bytes ?? 0),
    n,
  );
  to.failpoint?.('logged', to.db);
  return old ? 'replaced' : 'added';
}

/** Removes the documents of some names from a base, inside a transaction, and says how many there were. */
export function removeDocuments(from: KnowledgeDatabase, base: string, names: readonly string[]): number {
  return names.filter((name) => {
    const row = from.base(base);
    return row !== undefined && removeDocument(from, row, name);
  }).length;
}

function removeDocument(from: KnowledgeDatabase, base: BaseRow, name: string): boolean {
  const old = from.one<DocumentRow>(`SELECT * FROM documents_${base.id} WHERE name = ?`, name);
  if (!old) return false;
  forget(from, base.id, old);
  from.run(`DELETE FROM documents_${base.id} WHERE id = ?`, old.id);
  note(from, base, { added: 0, added_count: 0, removed: old.first, removed_count: old.count });
  from.run('UPDATE bases SET documents = documents - 1, chunks = chunks - ?, bytes = bytes - ? WHERE id = ?', old.count, old.bytes, base.id);
  return true;
}

/** Removes everything of a document but its own row. */
function forget(from: KnowledgeDatabase, n: number, { id, first, count, source }: DocumentRow): void {
  const last = first + count - 1;
  // The full-text index keeps no text: it must be told what it indexed.
  for (const chunk of from.all<ChunkRow>(`SELECT * FROM chunks_${n} WHERE id BETWEEN ? AND ?`, first, last))
    from.run(
      `INSERT INTO text_${n} (text_${n}, rowid, text, headings, source) VALUES ('delete', ?, ?, ?, ?)`,
      chunk.id,
      indexed(chunk.text),
      chunk.headings && indexed(chunk.headings),
      source && indexed(source),
    );
  from.run(`DELETE FROM chunks_${n} WHERE id BETWEEN ? AND ?`, first, last);
  from.run(`DELETE FROM vectors_${n} WHERE id BETWEEN ? AND ?`, first, last);
  from.run(`DELETE FROM fields_${n} WHERE document = ?`, id);
  from.run(`DELETE FROM texts_${n} WHERE document = ?`, id);
}

/** What the database gives back of a text is what the index must have been given. */
function indexed(text: string): string {
  return searchable(text.toWellFormed());
}

/** One entry of the log, and the old ones that no cache needs any more. */
function note(to: KnowledgeDatabase, base: BaseRow, entry: { added: number; added_count: number; removed: number; removed_count: number }): void {
  const seq = (to.one<{ seq: number }>('UPDATE bases SET seq = seq + 1 WHERE id = ? RETURNING seq', base.id) as { seq: number }).seq;
  to.run('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)', base.id, seq, entry.added, entry.added_count, entry.removed, entry.removed_count);
  if (seq % LOG_TRIMMED_EVERY === 0) trimLog(to, base.id, seq - LOG_KEPT);
}

/** Drops the entries up to a place, inside a transaction; a cache that stopped before it loads anew. */
export function trimLog(to: KnowledgeDatabase, n: number, seq: number): void {
  to.run('DELETE FROM log WHERE base = ? AND seq <= ?', n, seq);
  to.run('UPDATE bases SET trimmed = max(trimmed, ?) WHERE id = ?', seq, n);
}

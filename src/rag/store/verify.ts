import type { Matrix } from '../../vector/flat.ts';
import type { KnowledgeSettings } from '../knowledge.ts';
import type { KnowledgeDatabase } from './database.ts';
import type { OpenGraph } from './graph.ts';
import type { BaseRow } from './schema.ts';

/** What of a base does not agree, one sentence each: rows with each other, the full text with the chunks, the vectors with both, the index and the memory with the vectors. */
export function verifyBase(
  database: KnowledgeDatabase,
  base: BaseRow,
  settings: KnowledgeSettings,
  open: OpenGraph | undefined,
  behind: Matrix | undefined,
): string[] {
  const n = base.id;
  const problems: string[] = [];
  const none = (sentence: string, sql: string) => {
    const count = database.one<{ count: number }>(`SELECT count(*) AS count FROM (${sql})`)?.count ?? 0;
    if (count > 0) problems.push(`${sentence}: ${count}`);
  };
  // The full text looks for what other processes wrote when it is searched, not when it is checked.
  database.one(`SELECT rowid FROM text_${n} WHERE text_${n} MATCH '"a"' LIMIT 1`);
  const [integrity] = database.all<{ integrity_check: string }>('PRAGMA integrity_check(1)');
  if (integrity?.integrity_check !== 'ok') problems.push(`the database is damaged: ${integrity?.integrity_check}`);
  none(
    'documents whose chunks are not as many as they say',
    `SELECT 1 FROM documents_${n} d WHERE count <> (SELECT count(*) FROM chunks_${n} c WHERE c.id BETWEEN d.first AND d.first + d.count - 1 AND c.document = d.id)`,
  );
  none('chunks without a document', `SELECT 1 FROM chunks_${n} WHERE document NOT IN (SELECT id FROM documents_${n})`);
  none('chunks without a vector', `SELECT 1 FROM chunks_${n} WHERE id NOT IN (SELECT id FROM vectors_${n})`);
  none('vectors without a chunk', `SELECT 1 FROM vectors_${n} WHERE id NOT IN (SELECT id FROM chunks_${n})`);
  none('vectors of a wrong length', `SELECT 1 FROM vectors_${n} WHERE length(vector) <> ${4 * settings.dimensions}`);
  none('documents without their text', `SELECT 1 FROM documents_${n} WHERE id NOT IN (SELECT document FROM texts_${n})`);
  none('texts without a document', `SELECT 1 FROM texts_${n} WHERE document NOT IN (SELECT id FROM documents_${n})`);
  none('fields without a document', `SELECT 1 FROM fields_${n} WHERE document NOT IN (SELECT id FROM documents_${n})`);
  none(
    'counts of the base that are wrong',
    `SELECT 1 FROM bases WHERE id = ${n} AND (documents <> (SELECT count(*) FROM documents_${n}) OR chunks <> (SELECT count(*) FROM chunks_${n}) OR bytes <> (SELECT coalesce(sum(bytes), 0) FROM documents_${n}))`,
  );
  none(
    'totals of the tenant that are wrong',
    'SELECT 1 FROM totals WHERE (documents, bytes) <> (SELECT coalesce(sum(documents), 0), coalesce(sum(bytes + index_bytes), 0) FROM bases)',
  );
  none('numbers that would be given twice', `SELECT 1 FROM bases WHERE id = ${n} AND next <= (SELECT coalesce(max(id), 0) FROM chunks_${n})`);
  none(
    'entries missing from the log',
    `SELECT 1 FROM bases WHERE id = ${n} AND seq - trimmed <> (SELECT count(*) FROM log WHERE base = ${n} AND seq > trimmed)`,
  );
  try {
    database.db.exec(`INSERT INTO text_${n} (text_${n}, rank) VALUES ('integrity-check', 1)`);
  } catch (error) {
    problems.push(`the full text does not agree with the chunks: ${error instanceof Error ? error.message : error}`);
  }
  return [...problems, ...verifyVectors(database, n, open, behind)];
}

function verifyVectors(database: KnowledgeDatabase, n: number, open: OpenGraph | undefined, behind: Matrix | undefined): string[] {
  const problems: string[] = [];
  const last = open?.snapshot.last ?? 0;
  const ids = database.all<{ id: number }>(`SELECT id FROM vectors_${n} ORDER BY id`).map((row) => row.id);
  const fresh = ids.filter((id) => id > last);
  if (!behind) problems.push('the stored vectors cannot be read into memory');
  else if (fresh.join() !== behind.keys().join()) problems.push(`the vectors in memory are others than the stored ones: ${behind.count} and ${fresh.length}`);
  if (!open) return problems;
  const missing = open.graph.missing(ids.filter((id) => id <= last));
  if (missing.length > 0) problems.push(`vectors that the index lacks: ${missing.length}`);
  if (open.graph.count !== open.snapshot.entries) problems.push(`the index has ${open.graph.count} entries and should have ${open.snapshot.entries}`);
  return problems;
}

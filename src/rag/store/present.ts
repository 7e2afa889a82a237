// Rows of the database as what callers get.
import { decode } from '../../call/codec.ts';
import type { ValueMap } from '../../call/value.ts';
import { type Metric, similarity } from '../../vector/vector.ts';
import type { Chunk, DocumentInfo, Hit, Search } from '../knowledge.ts';
import type { KnowledgeDatabase } from './database.ts';
import type { Fused } from './fuse.ts';
import type { ChunkRow, DocumentRow } from './schema.ts';

/** What a search of some mode found, and the scores of the vectors that it compared. */
export interface Ranked {
  readonly ranked: readonly Fused[];
  readonly mode: Search['mode'];
  readonly scores: ReadonlyMap<number, number>;
  readonly metric: Metric;
}

type HitRow = Omit<ChunkRow, 'document'> & Pick<DocumentRow, 'name' | 'source' | 'format' | 'metadata' | 'version' | 'first'>;

/** The hits of base `n` in their order; chunks that were removed since they were found are left out. */
export function hitsOf(database: KnowledgeDatabase, n: number, { ranked, mode, scores, metric }: Ranked): Hit[] {
  const rows = database.all<HitRow>(
    `SELECT c.id, c.text, c.start, c.stop, c.headings, d.name, d.source, d.format, d.metadata, d.version, d.first
     FROM chunks_${n} c JOIN documents_${n} d ON d.id = c.document WHERE c.id IN (SELECT value FROM json_each(?))`,
    JSON.stringify(ranked.map(({ id }) => id)),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const hits: Hit[] = [];
  for (const { id, score, vector, keyword } of ranked) {
    const row = byId.get(id);
    if (!row) continue;
    const found = scores.get(id);
    const like = found === undefined ? undefined : similarity(metric, found);
    hits.push({
      chunk: chunkOf(row, row.first),
      document: { id: row.name, source: row.source ?? undefined, format: row.format, metadata: decode(row.metadata) as ValueMap, version: row.version },
      score: mode === 'vector' ? (like ?? score) : score,
      similarity: like,
      ranks: { vector, keyword },
    });
  }
  return hits;
}

/** A document without its text. */
export function infoOf(row: DocumentRow): DocumentInfo {
  return {
    id: row.name,
    hash: row.hash,
    source: row.source ?? undefined,
    format: row.format,
    metadata: decode(row.metadata) as ValueMap,
    version: row.version,
    chunks: row.count,
    size: row.size,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

/** A chunk of the document whose first chunk has the number `first`. */
export function chunkOf({ id, text, start, stop, headings }: Omit<ChunkRow, 'document'>, first: number): Chunk {
  return { index: id - first, text, start, stop, headings: headings === null ? undefined : (JSON.parse(headings) as string[]) };
}

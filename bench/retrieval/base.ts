import { parseConfig } from '../../src/config/config.ts';
import { ingest } from '../../src/rag/ingest.ts';
import type { Chunk, Hit } from '../../src/rag/knowledge.ts';
import { openPipeline } from '../../src/rag/pipeline.ts';
import { retrieve, type Widen } from '../../src/rag/retrieve.ts';
import type { ChunkOptions } from '../../src/rag/schemas.ts';
import { benchContext } from '../context.ts';
import type { Document } from './corpus.ts';

/** The ways to search that are compared. */
export const MODES = ['keyword', 'vector', 'hybrid', 'hybrid + rerank'] as const;
export type Mode = (typeof MODES)[number];

/** A knowledge base in memory that was filled and is asked as scripts do it, with a local embedding model. */
export interface Filled {
  readonly chunks: number;
  find(mode: Mode, query: string, more?: { top_k?: number; diversity?: number; widen?: Widen | undefined }): Promise<Hit[]>;
  chunksOf(source: string): Chunk[];
}

/** Ingests documents through the whole pipeline, with the default's embedding model if none is named. Throws when one of them fails. */
export async function fill(documents: readonly Document[], chunking?: ChunkOptions, embedder?: string): Promise<Filled> {
  const context = benchContext(parseConfig({ data: { backend: 'memory' }, models: { embedding_override: embedder } }));
  const pipeline = openPipeline(context, 'default', undefined);
  const inputs = documents.map(({ source, text }) => ({ content: text, name: source, metadata: { document_id: source } }));
  const { failed, chunks_created } = await ingest(context, pipeline, inputs, { chunking });
  if (failed.length > 0) throw new Error(`documents that could not be ingested: ${JSON.stringify(failed)}`);
  return {
    chunks: chunks_created,
    find: (mode, query, { widen, ...more } = {}) => {
      const rerank = mode === 'hybrid + rerank';
      return retrieve(context, pipeline, { query, top_k: 10, mode: rerank ? 'hybrid' : mode, rerank, ...more }, widen);
    },
    chunksOf: (source) => pipeline.base.chunks(source, 0, Number.MAX_SAFE_INTEGER),
  };
}

import { anyMap, bytes } from '../call/schema.ts';
import { z } from '../zod.ts';

/** Every way to chunk. */
export const STRATEGIES = ['fixed', 'sentence', 'recursive', 'markdown', 'code', 'semantic'] as const;

/** How to chunk, as scripts say it. */
export const chunkOptions = z.strictObject({
  strategy: z
    .string()
    .optional()
    .describe(`${STRATEGIES.join(', ')}; if not given, what fits the format of each document`),
  chunk_size: z.int().optional().describe('most tokens of a chunk; 512 if not given'),
  overlap: z.int().optional().describe('tokens that a chunk repeats of the one before; 50 if not given, a tenth of small chunks'),
  language: z.string().optional().describe('code: the programming language'),
  breakpoint_percentile: z.number().optional().describe('semantic: gaps above this percentile of all begin a chunk; 90 if not given'),
});

export type ChunkOptions = z.output<typeof chunkOptions>;

/** A document as scripts give it: one of content, file_path and url. */
export const documentInput = z.strictObject({
  content: z.union([z.string(), bytes]).optional().describe('the text itself, or the bytes of a file'),
  file_path: z.string().optional().describe('a file, a folder with all that is in it, or a pattern such as docs/**/*.md'),
  url: z.string().optional(),
  name: z.string().optional().describe('with content: a file name, whose ending tells the format'),
  metadata: anyMap.default({}).describe('document_id names the document; the rest is kept and can be filtered by'),
});

export type DocumentInput = z.output<typeof documentInput>;

/** What is looked for. */
export const words = z.string().max(100_000);

/** What to look for, and how. */
export const queryFields = {
  query: words,
  top_k: z.int().min(1).max(1_000).optional().describe('5 if not given'),
  similarity_threshold: z.number().min(-1).max(1).optional(),
  metadata_filters: anyMap.optional(),
  rerank: z.boolean().optional(),
  mode: z.enum(['hybrid', 'vector', 'keyword']).optional(),
  diversity: z.number().min(0).max(1).optional().describe('how much chunks that say the same again count less'),
};

const query = z.strictObject(queryFields);

/** A query; chunks whose vectors are less similar than `similarity_threshold` are left out, and `top_k` is the most that there are. */
export type Query = z.output<typeof query>;

/** What became of an ingest; `index` is the place of the given document as the script's language counts. */
export const ingested = z.object({
  documents: z.int(),
  chunks_created: z.int(),
  vectors_indexed: z.int(),
  skipped: z.int(),
  failed: z.array(z.object({ index: z.int(), source: z.string().optional(), error: z.string() })),
  passed_over: z
    .array(z.object({ index: z.int(), source: z.string(), reason: z.string() }))
    .optional()
    .describe('links, pipes and names that are no UTF-8 in a folder or behind a pattern; absent where there are none'),
});

import { z } from 'zod';
import { compileSchema } from '../call/compile.ts';
import type { Context, Language } from '../call/context.ts';
import { anyMap } from '../call/schema.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { announceFailure, events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import { diversify } from './diversity.ts';
import { embedTexts } from './embed.ts';
import type { Filter, Hit, Search } from './knowledge.ts';
import type { Pipeline } from './pipeline.ts';
import { rerankHits } from './reranker.ts';
import { countRetrieval } from './statistics.ts';

/** What is looked for. */
export const words = z.string().max(100_000);
/** What a query may say, as scripts and hooks give it. */
export const queryFields = {
  query: words,
  top_k: z.int().min(1).max(1_000).optional().describe('5 if not given'),
  similarity_threshold: z.number().min(-1).max(1).optional(),
  metadata_filters: anyMap.optional(),
  rerank: z.boolean().optional(),
  mode: z.enum(['hybrid', 'vector', 'keyword']).optional(),
  diversity: z.number().min(0).max(1).optional().describe('how much chunks that say the same again count less'),
  neighbors: z.int().min(0).max(10).optional().describe('so many chunks before and behind join `surrounding`'),
};

/** What to look for, and how. */
export interface Query {
  readonly query: string;
  /** Most chunks; 5 if not given. */
  readonly top_k?: number | undefined;
  /** Least similarity of a chunk's vector to the query's. */
  readonly similarity_threshold?: number | undefined;
  readonly metadata_filters?: Filter | undefined;
  readonly rerank?: boolean | undefined;
  readonly mode?: Search['mode'] | undefined;
  /** From 0 to 1: how much chunks that say the same again count less. */
  readonly diversity?: number | undefined;
}

const TOP_K = 5;
/** What reranking and diversity choose from, at least. */
const POOL = 50;

const checkQuery = compileSchema(z.strictObject({ ...queryFields, query: words.optional() }));
const checkPassages = compileSchema(z.array(z.object({ document_id: z.string(), chunk_index: z.int() })));

/**
 * The chunks that answer a query best. `widen` turns what the search found into what is chosen from: `retrieve_with_context` joins a second
 * search. Throws BAD_ARGUMENT for an empty query, MODEL_FAILED of the embedding model, NOT_ALLOWED when that was not granted.
 */
export async function retrieve(context: Context, pipeline: Pipeline, query: Query, widen?: Widen): Promise<Hit[]> {
  const { run } = context;
  const { name } = pipeline;
  const started = performance.now();
  const input: ValueMap = { query: query.query, top_k: query.top_k ?? TOP_K, ...(query.metadata_filters && { metadata_filters: query.metadata_filters }) };
  let found: Hit[] = [];
  const watched = {
    kind: 'rag',
    name,
    before: 'before_retrieve',
    after: 'after_retrieve',
    error: 'error',
    input,
    fields: { base: name },
    checkInput: (changed: Value) => checkQuery(changed, 'RAG: input', run.language) as ValueMap,
    checkOutput: (changed: Value) => passagesOf(selected(found, changed, run.language)),
  };
  try {
    const passages = await run.get(hooks).around<ValueMap, Value>(context, watched, async (changed, inside) => {
      found = await find(inside, pipeline, { ...query, ...(changed as Partial<Query>) }, widen);
      return passagesOf(found);
    });
    found = selected(found, passages ?? [], run.language);
    countRetrieval(context, pipeline, performance.now() - started);
    await run.get(events).announce(context, `rag.${name}.retrieved`, { name, query: query.query, chunks: found.length });
    return found;
  } catch (error) {
    await announceFailure(context, 'rag', name, error);
    throw error;
  }
}

/** Hits as hooks see them. */
function passagesOf(hits: readonly Hit[]): ValueMap[] {
  return hits.map(({ chunk, document, score }) => ({ document_id: document.id, chunk_index: chunk.index, content: chunk.text, score }));
}

/** The hits that hooks left, in their order. Throws BAD_ARGUMENT for one that was not found: it would have no source. */
function selected(found: readonly Hit[], passages: Value, language: Language): Hit[] {
  const wanted = checkPassages(passages, 'RAG: output', language) as { document_id: string; chunk_index: number }[];
  const known = new Map(found.map((hit) => [`${hit.chunk.index}:${hit.document.id}`, hit]));
  return wanted.map(({ document_id, chunk_index }) => {
    const hit = known.get(`${chunk_index}:${document_id}`);
    if (!hit) throw new ScriptError('BAD_ARGUMENT', `RAG: output: the passage ${chunk_index} of ${JSON.stringify(document_id)} is none of those found`);
    return hit;
  });
}

/** Joins further hits to those of the query itself. */
export type Widen = (hits: Hit[], search: (text: string) => Promise<Hit[]>) => Promise<Hit[]>;

async function find(context: Context, pipeline: Pipeline, query: Query, widen: Widen | undefined): Promise<Hit[]> {
  const { base } = pipeline;
  const { top_k = TOP_K, mode = 'hybrid', similarity_threshold, diversity = 0 } = query;
  if (query.query.trim() === '') throw new ScriptError('BAD_ARGUMENT', `${context.method}: query: expected some words, got an empty text`);
  if (mode === 'keyword' && similarity_threshold !== undefined)
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: similarity_threshold: a search by keywords compares no vectors; use mode hybrid or vector`);
  if (base.settings === undefined) return [];
  const limit = query.rerank || diversity > 0 || widen ? Math.max(POOL, top_k) : top_k;
  const search = async (text: string) => {
    const vector = mode === 'keyword' ? undefined : (await embedTexts(context, pipeline.embedder, [text], pipeline.tenant))[0];
    return base.search({ mode, text, vector, filter: query.metadata_filters, limit: similarity_threshold === undefined ? limit : Math.max(POOL, limit) });
  };
  const own = await search(query.query);
  const hits = widen ? await widen(own, search) : own;
  const near = similarity_threshold === undefined ? hits : hits.filter(({ similarity = -1 }) => similarity >= similarity_threshold);
  const ranked = query.rerank ? await rerankHits(context, query.query, near) : near;
  return diversity > 0 ? diversify(ranked, top_k, diversity) : ranked.slice(0, top_k);
}

import type { Context } from '../call/context.ts';
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

/**
 * The chunks that answer a query best. `widen` turns what the search found into what is chosen from: `retrieve_with_context` joins a second
 * search. Throws BAD_ARGUMENT for an empty query, MODEL_FAILED of the embedding model, NOT_ALLOWED when that was not granted.
 */
export async function retrieve(context: Context, pipeline: Pipeline, query: Query, widen?: Widen): Promise<Hit[]> {
  const { run } = context;
  const { name } = pipeline;
  const started = performance.now();
  const input: ValueMap = { query: query.query, top_k: query.top_k ?? TOP_K, ...(query.metadata_filters && { metadata_filters: query.metadata_filters }) };
  const watched = { kind: 'rag', name, before: 'before_retrieve', after: 'after_retrieve', error: 'error', input, fields: { base: name } };
  try {
    let found: Hit[] = [];
    await run.get(hooks).around<ValueMap, Value>(context, watched, async (changed, inside) => {
      found = await find(inside, pipeline, { ...query, ...(changed as Partial<Query>) }, widen);
      return found.map(({ chunk, document, score }) => ({ document_id: document.id, chunk_index: chunk.index, content: chunk.text, score }));
    });
    countRetrieval(context, pipeline, performance.now() - started);
    await run.get(events).announce(context, `rag.${name}.retrieved`, { name, query: query.query, chunks: found.length });
    return found;
  } catch (error) {
    await announceFailure(context, 'rag', name, error);
    throw error;
  }
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
    const vector = mode === 'keyword' ? undefined : (await embedTexts(context, pipeline.embedder, [text], pipeline.tenant, 'query'))[0];
    return base.search({ mode, text, vector, filter: query.metadata_filters, limit: similarity_threshold === undefined ? limit : Math.max(POOL, limit) });
  };
  const own = await search(query.query);
  const hits = widen ? await widen(own, search) : own;
  const near = similarity_threshold === undefined ? hits : hits.filter(({ similarity = -1 }) => similarity >= similarity_threshold);
  const ranked = query.rerank ? await rerankHits(context, query.query, near) : near;
  return diversity > 0 ? diversify(ranked, top_k, diversity) : ranked.slice(0, top_k);
}

import type { Context } from '../call/context.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { announceFailure, events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import { diversify } from './diversity.ts';
import { embedTexts } from './embed.ts';
import { checkQuery, hitsOf, shown } from './hooked.ts';
import type { Hit } from './knowledge.ts';
import type { Pipeline } from './pipeline.ts';
import { checkFilter } from './query.ts';
import { rerankHits } from './reranker.ts';
import type { Query } from './schemas.ts';
import { countRetrieval } from './statistics.ts';

const TOP_K = 5;
/** What reranking and diversity choose from, at least. */
const POOL = 50;

/**
 * The chunks that answer a query best. `widen` turns what the search found into what is chosen from: `retrieve_with_context` joins a second
 * search. Throws BAD_ARGUMENT for an empty query or a wrong filter, MODEL_FAILED of the embedding model,
 * NOT_ALLOWED when that was not granted, CONFLICT when another is wanted than the base's vectors have.
 */
export async function retrieve(context: Context, pipeline: Pipeline, query: Query, widen?: Widen): Promise<Hit[]> {
  const { run } = context;
  const { name } = pipeline;
  pipeline.checkVectors();
  const started = performance.now();
  const { query: text, top_k = TOP_K, similarity_threshold, metadata_filters, rerank, mode, diversity } = query;
  const asked = Object.entries({ query: text, top_k, similarity_threshold, metadata_filters, rerank, mode, diversity });
  const input: ValueMap = Object.fromEntries(asked.filter(([, value]) => value !== undefined)) as ValueMap;
  const watched = {
    kind: 'rag',
    name,
    before: 'before_retrieve',
    after: 'after_retrieve',
    error: 'error',
    input,
    fields: { base: name },
    checkInput: checkQuery(context),
    checkOutput: (output: Value) => shown(hitsOf(context, pipeline, output, found)),
  };
  let found: Hit[] = [];
  try {
    let own: Value = null;
    const output = await run.get(hooks).around<ValueMap, Value>(context, watched, async (changed, inside) => {
      found = await find(inside, pipeline, { ...query, ...(changed as Partial<Query>) }, widen);
      own = shown(found);
      return own;
    });
    const hits = output === own ? found : hitsOf(context, pipeline, output ?? [], found);
    countRetrieval(context, pipeline, performance.now() - started);
    await run.get(events).announce(context, `rag.${name}.retrieved`, { name, query: query.query, chunks: hits.length });
    return hits;
  } catch (error) {
    await announceFailure(context, 'rag', name, error);
    throw error;
  }
}

/** Joins further hits to those of the query itself. */
export type Widen = (hits: Hit[], search: (text: string) => Promise<Hit[]>) => Promise<Hit[]>;

async function find(context: Context, pipeline: Pipeline, query: Query, widen: Widen | undefined): Promise<Hit[]> {
  const { top_k = TOP_K, mode = 'hybrid', similarity_threshold, diversity = 0 } = query;
  if (query.query.trim() === '') throw new ScriptError('BAD_ARGUMENT', `${context.method}: query: expected some words, got an empty text`);
  if (mode === 'keyword' && similarity_threshold !== undefined)
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: similarity_threshold: a search by keywords compares no vectors; use mode hybrid or vector`);
  checkFilter(context, query.metadata_filters);
  if (pipeline.base.settings === undefined) return [];
  const limit = query.rerank || diversity > 0 || widen ? Math.max(POOL, top_k) : top_k;
  const search = async (text: string) => {
    const vector = mode === 'keyword' ? undefined : (await embedTexts(context, pipeline.embedder, [text], pipeline.tenant, 'query'))[0];
    if (vector) checkLength(context, pipeline, vector);
    return pipeline.base.search({
      mode,
      text,
      vector,
      filter: query.metadata_filters,
      limit: similarity_threshold === undefined ? limit : Math.max(POOL, limit),
    });
  };
  const own = await search(query.query);
  const hits = widen ? await widen(own, search) : own;
  const near = similarity_threshold === undefined ? hits : hits.filter(({ similarity = -1 }) => similarity >= similarity_threshold);
  const ranked = query.rerank ? await rerankHits(context, query.query, near) : near;
  return diversity > 0 ? diversify(context.run.cpu, ranked, top_k, diversity) : ranked.slice(0, top_k);
}

/** Throws CONFLICT when the model gives other vectors than it gave when the base was made. */
function checkLength({ method }: Context, { base, name, embedder }: Pipeline, { length }: Float32Array): void {
  const dimensions = base.settings?.dimensions ?? length;
  if (length === dimensions) return;
  throw new ScriptError(
    'CONFLICT',
    `${method}: ${embedder} gives vectors of ${length} numbers now, and the knowledge base ${name} has its vectors of ${dimensions}: delete its documents and ingest them again`,
  );
}

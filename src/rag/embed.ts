import { Spending } from '../agent/budget.ts';
import { breathe } from '../call/breath.ts';
import type { Context } from '../call/context.ts';
import { external } from '../call/external.ts';
import type { EmbeddingModel, EmbeddingPurpose } from '../model/embedding.ts';
import { cacheKey, embeddingCaches } from '../model/embedding-cache.ts';
import { embeddings } from '../model/embeddings.ts';
import { modelFailed } from '../model/failure.ts';
import { usageOf } from '../model/model.ts';
import { retrying } from '../model/retry.ts';
import { countTokens } from '../model/tokens.ts';
import { toVectors } from '../model/vectors.ts';

const RETRIES = 4;
/** Requests of one call that are open at once. */
const MOST_PARALLEL = 4;
/** Vectors of a model of this process that are checked at once. */
const CHECKED_AT_ONCE = 64;
/** Of the texts of one request, UTF-16 code units: providers take some 300,000 tokens. */
const MOST_CHARACTERS = 250_000;
const TIMEOUT_MS = 120_000;

/**
 * The vectors of texts by an embedding model, one each, in order, of length 1. Vectors that the cache of `tenant` (the run's own if not given) knows are not asked for again, nor is
 * one text asked for twice; `purpose` matters only to models whose vectors are not kept. Throws NOT_ALLOWED, BAD_CONFIG, LIMIT_EXCEEDED for a budget, MODEL_FAILED after retries.
 */
export async function embedTexts(
  context: Context,
  name: string,
  texts: readonly string[],
  tenant = context.run.tenant,
  purpose: EmbeddingPurpose = 'document',
): Promise<Float32Array[]> {
  const registry = context.run.host.get(embeddings);
  registry.check(context, name);
  const model = registry.open(name);
  if (model.uncached) return checked(context, model.name, texts.length, await model.embed(texts, context.signal, undefined, purpose));
  const cache = context.run.host.get(embeddingCaches);
  const keys = texts.map((text) => cacheKey(name, text));
  const known = new Map<string, Float32Array>();
  for (const [at, vector] of cache.of(tenant).get(keys).entries()) if (vector) known.set(keys[at] as string, vector);
  const missing = new Map(keys.map((key, at) => [key, texts[at] as string] as const).filter(([key]) => !known.has(key)));
  const batches = batchesOf([...missing], model.batch);
  const next = batches.values();
  await Promise.all(
    Array.from({ length: Math.min(MOST_PARALLEL, batches.length) }, async () => {
      for (const batch of next) {
        const vectors = await ask(
          context,
          model,
          batch.map(([, text]) => text),
        );
        const found = batch.map(([key], at) => [key, vectors[at] as Float32Array] as const);
        // At once, so that what was paid for is kept when a later request fails.
        cache.of(tenant).put(found);
        for (const [key, vector] of found) known.set(key, vector);
      }
    }),
  );
  return sameLength(
    name,
    keys.map((key) => known.get(key) as Float32Array),
  );
}

/** The vectors of a model of this process, which may be tens of thousands, over several turns. */
async function checked(context: Context, name: string, texts: number, answer: readonly Float32Array[]): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let at = 0; at < texts; at += CHECKED_AT_ONCE) {
    vectors.push(...toVectors(name, Math.min(CHECKED_AT_ONCE, texts - at), answer.slice(at, at + CHECKED_AT_ONCE)));
    await breathe(context.run.cpu);
  }
  return sameLength(name, vectors);
}

function batchesOf(texts: readonly (readonly [key: string, text: string])[], most: number): (readonly [string, string])[][] {
  const batches: (readonly [string, string])[][] = [];
  let size = 0;
  for (const one of texts) {
    const last = batches.at(-1);
    if (last && last.length < most && size + one[1].length <= MOST_CHARACTERS) last.push(one);
    else {
      batches.push([one]);
      size = 0;
    }
    size += one[1].length;
  }
  return batches;
}

/** One request, tried again where that helps, charged to the budget of the agent that it is made for. */
async function ask(context: Context, model: EmbeddingModel, texts: readonly string[]): Promise<Float32Array[]> {
  const spending = Spending.of(context);
  const estimate =
    spending &&
    usageOf(
      texts.reduce((sum, text) => sum + countTokens(text), 0),
      0,
    );
  return retrying(context, RETRIES, async () => {
    const reservation = estimate && spending.reserve(context, model.name, estimate);
    let used = estimate;
    let vectors: Float32Array[];
    try {
      vectors = await external(context, () =>
        inTime(context, model, (signal) =>
          model.embed(texts, signal, (tokens) => {
            used = usageOf(tokens, 0);
          }),
        ),
      );
    } catch (error) {
      reservation?.release();
      throw error;
    }
    if (used) reservation?.settle(used);
    return toVectors(model.name, texts.length, vectors);
  });
}

async function inTime<T>(context: Context, model: EmbeddingModel, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await work(AbortSignal.any([context.signal, late]));
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    if (late.aborted) throw modelFailed(model.name, `the provider did not answer within ${TIMEOUT_MS / 1000} s`, { outcome: 'unknown', retryable: true });
    throw error;
  }
}

/** A provider that changed a model's dimensions would spoil what is compared. */
function sameLength(name: string, vectors: Float32Array[]): Float32Array[] {
  const [first] = vectors;
  const other = vectors.find((vector) => vector.length !== first?.length);
  if (first && other) throw modelFailed(name, `it gave vectors of ${first.length} and of ${other.length} numbers`, { outcome: 'failed', retryable: false });
  return vectors;
}

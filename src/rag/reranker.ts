import type { Context } from '../call/context.ts';
import { external } from '../call/external.ts';
import { ScriptError } from '../errors.ts';
import { modelFailed, translateFailure } from '../model/failure.ts';
import { z } from '../zod.ts';
import type { Hit } from './knowledge.ts';
import { rerank } from './rerank.ts';

const answer = z.object({ results: z.array(z.object({ index: z.int().nonnegative(), relevance_score: z.number() })) });
const TIMEOUT_MS = 30_000;

/** Orders hits anew: by the model of `[rag.reranker]` where there is one, else by how the query's terms stand in them. */
export async function rerankHits(context: Context, query: string, hits: readonly Hit[]): Promise<Hit[]> {
  const settings = context.run.host.config.rag.reranker;
  if (!settings || hits.length === 0) return rerank(query, hits);
  const name = `reranker ${settings.model}`;
  const key = settings.api_key_env === undefined ? undefined : process.env[settings.api_key_env];
  if (settings.api_key_env !== undefined && !key)
    throw new ScriptError('BAD_CONFIG', `${name}: the environment variable ${settings.api_key_env} has no key in it`);
  const body = { model: settings.model, query, documents: hits.map(({ chunk }) => chunk.text), top_n: hits.length };
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const { results } = await external(context, () => ask(settings.url, key, body, signal));
    const seen = new Set<number>();
    const ordered = results.flatMap(({ index, relevance_score }) => {
      const hit = hits[index];
      if (!hit || seen.has(index)) throw modelFailed(name, 'it names passages that it was not given', { outcome: 'failed', retryable: true });
      seen.add(index);
      return [{ ...hit, score: relevance_score }];
    });
    if (ordered.length < hits.length)
      throw modelFailed(name, `it ordered ${ordered.length} of ${hits.length} passages`, { outcome: 'failed', retryable: true });
    return ordered.sort((a, b) => b.score - a.score);
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    throw translateFailure(name, error, key);
  }
}

/** The request that Cohere, Jina, vLLM and others understand. */
async function ask(url: string, key: string | undefined, body: object, signal: AbortSignal): Promise<z.output<typeof answer>> {
  const headers = { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!response.ok) {
    const { status } = response;
    const retryable = status === 408 || status === 429 || status >= 500;
    throw Object.assign(new Error(await response.text()), {
      statusCode: status,
      responseHeaders: Object.fromEntries(response.headers),
      isRetryable: retryable,
    });
  }
  const parsed = answer.safeParse(await response.json());
  if (!parsed.success) throw modelFailed('reranker', "the service's answer cannot be read", { outcome: 'failed', retryable: true });
  return parsed.data;
}

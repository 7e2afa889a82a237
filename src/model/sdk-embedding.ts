import { ScriptError } from '../errors.ts';
import type { EmbeddingModel } from './embedding.ts';
import { translateFailure } from './failure.ts';
import { type Provider, requireKey } from './providers.ts';
import { toVectors } from './vectors.ts';

type SdkEmbedding = ReturnType<ReturnType<typeof import('@ai-sdk/openai')['createOpenAI']>['embeddingModel']>;

const BATCH: Readonly<Record<Provider['kind'], number>> = { openai: 128, google: 100, 'openai-compatible': 64, anthropic: 1 };

/** A provider's embedding model through the kept provider library, which is loaded at the first request. Throws BAD_CONFIG when the key is missing or the provider has none. */
export function createSdkEmbedding(provider: Provider, id: string): EmbeddingModel {
  const name = `${provider.name}/${id}`;
  if (provider.kind === 'anthropic')
    throw new ScriptError('BAD_CONFIG', `${name}: Anthropic has no embedding models; use openai/…, google/…, ollama/… or local/words`);
  const key = requireKey(provider, name);
  let opened: Promise<SdkEmbedding> | undefined;
  let dimensions: number | undefined;
  return {
    name,
    get dimensions() {
      return dimensions;
    },
    batch: BATCH[provider.kind],
    async embed(texts, signal, onTokens) {
      try {
        opened ??= open(provider, id, key);
        const { embeddings, usage } = await (await opened).doEmbed({ values: [...texts], abortSignal: signal });
        const vectors = toVectors(name, texts.length, embeddings);
        dimensions ??= vectors[0]?.length;
        if (usage) onTokens?.(usage.tokens);
        return vectors;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw translateFailure(name, error, key);
      }
    },
  };
}

async function open(provider: Provider, id: string, key: string | undefined): Promise<SdkEmbedding> {
  const settings = { ...(provider.baseUrl !== undefined && { baseURL: provider.baseUrl }), ...(key !== undefined && { apiKey: key }) };
  if (provider.kind === 'openai') return (await import('@ai-sdk/openai')).createOpenAI(settings).embeddingModel(id);
  if (provider.kind === 'google') return (await import('@ai-sdk/google')).createGoogle(settings).embeddingModel(id);
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
  return createOpenAICompatible({ ...settings, name: provider.name, baseURL: provider.baseUrl ?? '' }).embeddingModel(id);
}

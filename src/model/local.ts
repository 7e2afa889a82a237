import type { EmbeddingModel, EmbeddingPurpose } from './embedding.ts';
import { HASH_OPTIONS, hashEmbed } from './hash/embed.ts';
import { WORDS_OPTIONS, wordsEmbed } from './words/embed.ts';
import { wordTable } from './words/table.ts';

/** The embedding model that compares the spellings of words, and the one that compares their meanings too. */
export const HASH_MODEL = 'local/hash';
export const WORDS_MODEL = 'local/words';

/** What it computes between two turns of the event loop, ms. */
const PER_TURN_MS = 4;

type Embed = (text: string, purpose: EmbeddingPurpose | undefined) => Float32Array;

const MODELS: Record<string, () => { dimensions: number; embed: Embed }> = {
  [HASH_MODEL]: () => ({ dimensions: HASH_OPTIONS.dimensions, embed: hashEmbed }),
  [WORDS_MODEL]: () => {
    const table = wordTable();
    return { dimensions: WORDS_OPTIONS.spelling.dimensions + table.dimensions, embed: (text, purpose) => wordsEmbed(text, table, purpose) };
  },
};

/** The names of the embedding models that need no network, no key and no grant. */
export const LOCAL_MODELS: readonly string[] = Object.keys(MODELS);

/** A local embedding model, undefined for another name. Throws INTERNAL when its data is missing or broken. */
export function createLocalModel(name: string): EmbeddingModel | undefined {
  const model = Object.hasOwn(MODELS, name) ? MODELS[name]?.() : undefined;
  if (!model) return undefined;
  return {
    name,
    dimensions: model.dimensions,
    batch: 1_024,
    uncached: true,
    async embed(texts, signal, _onTokens, purpose) {
      const vectors: Float32Array[] = [];
      let started = performance.now();
      for (const text of texts) {
        vectors.push(model.embed(text, purpose));
        if (performance.now() - started < PER_TURN_MS) continue;
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        started = performance.now();
      }
      return vectors;
    },
  };
}

import type { EmbeddingModel } from '../embedding.ts';
import { HASH_OPTIONS, hashEmbed } from './embed.ts';

export const HASH_MODEL = 'local/hash';

/** What it computes between two turns of the event loop, ms. */
const PER_TURN_MS = 4;

/** The embedding model that needs no network: it compares the spellings of words, not their meanings. */
export function createHashModel(): EmbeddingModel {
  return {
    name: HASH_MODEL,
    dimensions: HASH_OPTIONS.dimensions,
    batch: 1_024,
    uncached: true,
    async embed(texts, signal, _onTokens, purpose) {
      const vectors: Float32Array[] = [];
      let started = performance.now();
      for (const text of texts) {
        vectors.push(hashEmbed(text, purpose));
        if (performance.now() - started < PER_TURN_MS) continue;
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        started = performance.now();
      }
      return vectors;
    },
  };
}

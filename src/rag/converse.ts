import { termsOf } from '../model/extractive/words.ts';
import type { Hit } from './knowledge.ts';
import type { Widen } from './retrieve.ts';

/** How a conversation joins a query. */
export interface Conversation {
  /** What was said last, oldest first. */
  readonly turns: readonly string[];
  /** What a chunk's score is multiplied by that has every word of the turns; 1 leaves them out. */
  readonly context_boost: number;
}

/** How much the search that has the conversation's words counts beside the query's own. */
const CONTEXT_WEIGHT = 0.5;
/** Words of the turns that boost chunks, the first of them. */
const MOST_MENTIONED = 256;

/** Searches once more with the words of the last turns, adds both scores as shares of the best one's, and boosts what the turns mention. */
export function withConversation(query: string, { turns, context_boost }: Conversation): Widen | undefined {
  const mentioned = new Set(turns.flatMap(termsOf).slice(0, MOST_MENTIONED));
  if (mentioned.size === 0) return undefined;
  return async (own, search) => {
    const around = await search(`${query}\n${turns.join('\n')}`);
    return fuse(own, around)
      .map((hit) => ({ ...hit, score: hit.score * (1 + (context_boost - 1) * share(mentioned, hit)) }))
      .sort((a, b) => b.score - a.score);
  };
}

/** Shares, not ranks: a passage that answers the question itself must stay ahead of those that only fit the conversation. */
function fuse(own: readonly Hit[], around: readonly Hit[]): Hit[] {
  const fused = new Map<string, Hit>();
  for (const [hits, weight] of [
    [own, 1],
    [around, CONTEXT_WEIGHT],
  ] as const) {
    const best = Math.max(...hits.map(({ score }) => score), Number.MIN_VALUE);
    for (const hit of hits) {
      const key = `${hit.chunk.index}:${hit.document.id}`;
      const known = fused.get(key);
      fused.set(key, { ...(known ?? hit), score: (known?.score ?? 0) + (weight * hit.score) / best });
    }
  }
  return [...fused.values()];
}

/** The share of the words of the conversation that a chunk has. */
function share(mentioned: ReadonlySet<string>, hit: Hit): number {
  const terms = new Set(termsOf(hit.chunk.text));
  let shared = 0;
  for (const term of mentioned) if (terms.has(term)) shared++;
  return shared / mentioned.size;
}

import { termsOf } from '../model/extractive/words.ts';
import type { Hit } from './knowledge.ts';

/**
 * Maximal marginal relevance (Carbonell and Goldstein 1998): picks hits one by one, each good and unlike those before. `diversity` from 0 (order
 * as it is) to 1 (only unlikeness counts); likeness is the share of terms in common.
 */
export function diversify(hits: readonly Hit[], limit: number, diversity: number): Hit[] {
  const top = hits[0]?.score ?? 0;
  if (diversity <= 0 || top <= 0) return hits.slice(0, limit);
  const left = hits.map((hit) => ({ hit, terms: new Set(termsOf(hit.chunk.text)), likeness: 0 }));
  const chosen: Hit[] = [];
  while (chosen.length < limit && left.length > 0) {
    let best = 0;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (const [at, { hit, likeness }] of left.entries()) {
      const value = ((1 - diversity) * hit.score) / top - diversity * likeness;
      if (value > bestValue) [best, bestValue] = [at, value];
    }
    const [next] = left.splice(best, 1);
    if (!next) break;
    chosen.push(next.hit);
    for (const other of left) other.likeness = Math.max(other.likeness, jaccard(next.terms, other.terms));
  }
  return chosen;
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const term of a) if (b.has(term)) shared++;
  return shared / Math.max(1, a.size + b.size - shared);
}

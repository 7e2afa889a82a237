import { breathe } from '../call/breath.ts';
import type { Cpu } from '../call/cpu.ts';
import { termsOf } from '../model/extractive/words.ts';
import type { Hit } from './knowledge.ts';

/**
 * Maximal marginal relevance (Carbonell and Goldstein 1998): picks hits one by one, each good and unlike those before. `diversity` from 0 (order
 * as it is) to 1 (only unlikeness counts); likeness is the share of terms in common.
 */
export async function diversify(cpu: Cpu, hits: readonly Hit[], limit: number, diversity: number): Promise<Hit[]> {
  const top = hits[0]?.score ?? 0;
  if (diversity <= 0 || top <= 0) return hits.slice(0, limit);
  /** By term, the places of the hits that have it; by hit, those lists of its terms. */
  const having = new Map<string, number[]>();
  const terms: number[][][] = [];
  for (const [at, hit] of hits.entries()) {
    const own = [...new Set(termsOf(hit.chunk.text))].map((term) => {
      const places = having.get(term) ?? [];
      places.push(at);
      having.set(term, places);
      return places;
    });
    terms.push(own);
    await breathe(cpu);
  }
  const likeness = new Float64Array(hits.length);
  const shared = new Uint32Array(hits.length);
  const left = new Set(hits.keys());
  const chosen: Hit[] = [];
  while (chosen.length < limit && left.size > 0) {
    let best = -1;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (const at of left) {
      const value = ((1 - diversity) * (hits[at] as Hit).score) / top - diversity * (likeness[at] as number);
      if (best < 0 || value > bestValue) [best, bestValue] = [at, value];
    }
    left.delete(best);
    chosen.push(hits[best] as Hit);
    const own = terms[best] as number[][];
    shared.fill(0);
    for (const places of own) for (const at of places) shared[at] = (shared[at] as number) + 1;
    for (const at of left) {
      const both = shared[at] as number;
      const all = own.length + (terms[at] as number[][]).length - both;
      likeness[at] = Math.max(likeness[at] as number, both / Math.max(1, all));
    }
    await breathe(cpu);
  }
  return chosen;
}

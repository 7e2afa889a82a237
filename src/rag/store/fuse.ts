import type { Found } from '../../vector/vector.ts';

/** How much nearness counts beside the words; found on the tuning half of `bench/retrieval`. */
const VECTOR_WEIGHT = 0.7;

/** A chunk with its 1-based places in the two rankings. */
export interface Fused {
  readonly id: number;
  readonly score: number;
  readonly vector: number | undefined;
  readonly keyword: number | undefined;
}

/** What is fused: the two rankings, best first, and how near those are that only the words found. */
export interface Rankings {
  readonly vector: readonly Found[];
  readonly keyword: readonly Found[];
  readonly others?: readonly Found[] | undefined;
  /** The nearness that says nothing; the worst of the ranking if not given, for most models give any two texts some. */
  readonly zero?: number | undefined;
}

/**
 * Fuses by score, each as a share of the best (a convex combination: Bruch, Gai and Ingber, An Analysis of Fusion Functions for Hybrid
 * Retrieval, 2023): a rank alone does not say how much better the first is than the second. Equal scores are ordered by the better place, then by number.
 */
export function fuse({ vector, keyword, others = [], zero = vector.at(-1)?.score ?? 0 }: Rankings): Fused[] {
  const [byVector, byKeyword] = [places(vector), places(keyword)];
  const near = new Map([...vector, ...others].map(({ key, score }) => [key, score]));
  const words = new Map(keyword.map(({ key, score }) => [key, score]));
  const span = (vector[0]?.score ?? 0) - zero;
  const most = keyword[0]?.score ?? 0;
  const nearness = (id: number) => {
    const score = near.get(id);
    if (score === undefined || vector.length === 0) return 0;
    return span > 0 ? Math.min(1, Math.max(0, score - zero) / span) : Number(byVector.has(id));
  };
  const fused = [...new Set([...byVector.keys(), ...byKeyword.keys()])].map((id) => ({
    id,
    score: (most > 0 ? (words.get(id) ?? 0) / most : Number(byKeyword.has(id))) + VECTOR_WEIGHT * nearness(id),
    vector: byVector.get(id),
    keyword: byKeyword.get(id),
  }));
  return fused.sort((a, b) => b.score - a.score || best(a) - best(b) || a.id - b.id);
}

function places(found: readonly Found[]): Map<number, number> {
  return new Map(found.map(({ key }, index) => [key, index + 1]));
}

function best({ vector, keyword }: Fused): number {
  return Math.min(vector ?? Number.POSITIVE_INFINITY, keyword ?? Number.POSITIVE_INFINITY);
}

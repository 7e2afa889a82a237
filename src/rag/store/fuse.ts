/** The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009). */
const K = 60;

/** A chunk with its 1-based places in the two rankings. */
export interface Fused {
  readonly id: number;
  readonly score: number;
  readonly vector: number | undefined;
  readonly keyword: number | undefined;
}

/** Fuses two rankings, best first: each place counts 1 / (60 + place). Equal scores are ordered by the better single place, then by number. */
export function fuse(vector: readonly number[], keyword: readonly number[]): Fused[] {
  const [byVector, byKeyword] = [places(vector), places(keyword)];
  const ids = new Set([...vector, ...keyword]);
  const fused = [...ids].map((id) => {
    const [v, k] = [byVector.get(id), byKeyword.get(id)];
    return { id, score: (v ? 1 / (K + v) : 0) + (k ? 1 / (K + k) : 0), vector: v, keyword: k };
  });
  return fused.sort((a, b) => b.score - a.score || best(a) - best(b) || a.id - b.id);
}

function places(ids: readonly number[]): Map<number, number> {
  return new Map(ids.map((id, index) => [id, index + 1]));
}

function best({ vector, keyword }: Fused): number {
  return Math.min(vector ?? Number.POSITIVE_INFINITY, keyword ?? Number.POSITIVE_INFINITY);
}

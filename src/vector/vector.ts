/** How vectors are compared. */
export type Metric = 'cosine' | 'dot' | 'l2';

/** A vector that was found, by the number it was stored under. `score` is larger the nearer: cosine, product, or the negative square of the distance. */
export interface Found {
  readonly key: number;
  readonly score: number;
}

/** Scores as scripts see them: cosine and product unchanged, a distance `d` as `1 / (1 + d)`. */
export function similarity(metric: Metric, score: number): number {
  return metric === 'l2' ? 1 / (1 + Math.sqrt(Math.max(0, -score))) : score;
}

/** The score of two vectors in plain code, for a few. */
export function scoreOf(metric: Metric, a: Float32Array, b: Float32Array): number {
  let sum = 0;
  if (metric === 'l2') for (let at = 0; at < a.length; at++) sum -= ((a[at] as number) - (b[at] as number)) ** 2;
  else for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

/** How well one query was answered. */
export interface Score {
  readonly recall: number;
  /** Reciprocal rank of the first relevant hit. */
  readonly mrr: number;
  readonly ndcg: number;
}

const DEPTH = 10;

/** Scores the first ten hits of a query, given which of them are relevant and how many relevant chunks there are. */
export function score(relevant: readonly boolean[], total: number): Score {
  const top = relevant.slice(0, DEPTH);
  const found = top.filter(Boolean).length;
  const first = top.indexOf(true);
  const gain = top.reduce((sum, hit, at) => sum + (hit ? 1 / Math.log2(at + 2) : 0), 0);
  const best = Array.from({ length: Math.min(total, DEPTH) }, (_, at) => 1 / Math.log2(at + 2)).reduce((a, b) => a + b, 0);
  return { recall: found / Math.min(total, DEPTH), mrr: first < 0 ? 0 : 1 / (first + 1), ndcg: gain / best };
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}

export interface Interval {
  readonly mean: number;
  /** The 95 % interval of the mean difference. */
  readonly low: number;
  readonly high: number;
}

/** Paired bootstrap of the mean difference a − b (Efron and Tibshirani 1993), seeded. */
export function pairedBootstrap(a: readonly number[], b: readonly number[], random: () => number, rounds = 10_000): Interval {
  const differences = a.map((value, at) => value - (b[at] ?? 0));
  const means: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let sum = 0;
    for (let i = 0; i < differences.length; i++) sum += differences[Math.floor(random() * differences.length)] ?? 0;
    means.push(sum / differences.length);
  }
  means.sort((x, y) => x - y);
  return { mean: mean(differences), low: means[Math.floor(rounds * 0.025)] ?? 0, high: means[Math.ceil(rounds * 0.975) - 1] ?? 0 };
}

import type { Filled, Mode } from './base.ts';
import { isRelevant, type Judged } from './judged.ts';
import { type Interval, mean, pairedBootstrap, type Score, score } from './score.ts';

/** How well one query was answered in one mode. */
export interface Result extends Score {
  readonly judged: Judged;
}

/** Asks every query in a mode. */
export async function evaluate(base: Filled, mode: Mode, judged: readonly Judged[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const one of judged) {
    const hits = await base.find(mode, one.query);
    const relevant = hits.map(({ chunk, document }) => document.id === one.source && isRelevant(chunk, one.section));
    results.push({ judged: one, ...score(relevant, relevantChunks(base, one)) });
  }
  return results;
}

/** How many chunks hold a query's section. */
export function relevantChunks(base: Filled, { source, section }: Judged): number {
  return base.chunksOf(source).filter((chunk) => isRelevant(chunk, section)).length;
}

/** The 95 % interval of the difference in nDCG@10 of two modes. Sections are drawn, not queries: the queries of one section fail together. */
export function difference(a: readonly Result[], b: readonly Result[], seed = 1): Interval {
  const [left, right] = [bySection(a), bySection(b)];
  return pairedBootstrap(
    [...left.values()],
    [...left.keys()].map((key) => right.get(key) ?? 0),
    seeded(seed),
  );
}

function bySection(results: readonly Result[]): Map<string, number> {
  const groups = Map.groupBy(results, ({ judged: { source, section } }) => `${source}:${section.start}`);
  return new Map([...groups].map(([key, group]) => [key, mean(group.map(({ ndcg }) => ndcg))]));
}

/** Numbers from 0 to 1 that a seed gives again (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

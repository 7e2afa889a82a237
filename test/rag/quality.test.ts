import { beforeAll, describe, expect, it } from 'vitest';
import { type Filled, fill, MODES, type Mode } from '../../bench/retrieval/base.ts';
import { readCorpus } from '../../bench/retrieval/corpus.ts';
import { evaluate, relevantChunks, seeded } from '../../bench/retrieval/evaluate.ts';
import { isRelevant, type Judged, readJudged } from '../../bench/retrieval/judged.ts';
import { mean, score } from '../../bench/retrieval/score.ts';

const documents = readCorpus();
/** One package's documents and queries; the fresh ones are kept unseen. */
const some = documents.filter(({ source }) => source.startsWith('pino/'));
const asked = readJudged(documents).filter(({ source, half }) => half !== 'fresh' && source.startsWith('pino/'));

let base: Filled;
const ndcg = new Map<Mode, number>();
beforeAll(async () => {
  base = await fill(some);
  for (const mode of MODES) ndcg.set(mode, mean((await evaluate(base, mode, asked)).map((one) => one.ndcg)));
}, 60_000);

describe('what is found', () => {
  it('is judged by enough queries, each of which has something to find', () => {
    expect(asked.length).toBeGreaterThan(60);
    for (const one of asked) expect(relevantChunks(base, one)).toBeGreaterThan(0);
  });

  it.each<[Mode, number]>([
    ['keyword', 0.68],
    ['vector', 0.6],
    ['hybrid', 0.7],
    ['hybrid + rerank', 0.73],
  ])('by %s stands among the first', (mode, least) => {
    expect(ndcg.get(mode)).toBeGreaterThan(least);
  });

  it('by hybrid search is more than by the better of its halves, and still more after reranking', () => {
    const better = Math.max(ndcg.get('keyword') as number, ndcg.get('vector') as number);
    expect(ndcg.get('hybrid')).toBeGreaterThan(better);
    expect(ndcg.get('hybrid + rerank')).toBeGreaterThan(ndcg.get('hybrid') as number);
  });

  it('in a shuffled order scores far lower', async () => {
    const random = seeded(7);
    const shuffled = await Promise.all(
      asked.map(async (one: Judged) => {
        const hits = (await base.find('hybrid', one.query, { top_k: 50 })).map((hit) => ({ hit, by: random() })).toSorted((a, b) => a.by - b.by);
        const relevant = hits.map(({ hit: { chunk, document } }) => document.id === one.source && isRelevant(chunk, one.section));
        return score(relevant, relevantChunks(base, one)).ndcg;
      }),
    );
    expect(mean(shuffled)).toBeLessThan((ndcg.get('hybrid') as number) / 2);
  });
});

describe('the judged set', () => {
  it('has no section of the fresh queries in its other halves', () => {
    const sections = (fresh: boolean) =>
      new Set(readJudged(documents).flatMap(({ half, source, section }) => ((half === 'fresh') === fresh ? [`${source}:${section.start}`] : [])));
    const [unseen, seen] = [sections(true), sections(false)];
    expect([unseen.size, seen.size]).toEqual([153, 119]);
    expect([...unseen].filter((section) => seen.has(section))).toEqual([]);
  });

  it('says which sections are not in node_modules', () => {
    expect(() => readJudged(documents.filter(({ source }) => source !== 'pino/docs/redaction.md'))).toThrow(
      /^\d+ judged sections are not in node_modules \(run npm ci; .*: pino\/docs\/redaction\.md/,
    );
  });
});

// Scores every mode of retrieval on the judged set; `--json` prints one object per line, `--half tuning` scores that half alone,
// `--model local/hash` with another embedding model than the default.
// Ends with 1 when a claim of the documentation does not hold on the fresh set.
import { parseArgs } from 'node:util';
import { fill, MODES, type Mode } from './base.ts';
import { readCorpus } from './corpus.ts';
import { difference, evaluate, type Result } from './evaluate.ts';
import { type Half, type Kind, readJudged } from './judged.ts';
import { type Interval, mean } from './score.ts';

const ALL_HALVES: readonly Half[] = ['tuning', 'held out', 'fresh'];
const KINDS: readonly (Kind | 'all')[] = ['all', 'keyword', 'question', 'paraphrase'];

/** Queries in the text's own words, beside those in others. */
const OWN_WORDS: readonly Kind[] = ['keyword', 'question'];

/** Two modes compared on queries of one kind. */
interface Comparison {
  readonly a: Mode;
  readonly b: Mode;
  readonly kind: Kind | 'all' | 'own words';
  readonly half: Half;
  readonly interval: Interval;
}

const { json, half: chosen, model } = parseArgs({ options: { json: { type: 'boolean' }, half: { type: 'string' }, model: { type: 'string' } } }).values;
const halves = ALL_HALVES.filter((half) => chosen === undefined || half === chosen);
if (halves.length === 0) throw new Error(`--half must be one of ${ALL_HALVES.join(', ')}; found ${chosen}`);

const documents = readCorpus();
const judged = readJudged(documents).filter(({ half }) => halves.includes(half));
const base = await fill(documents, undefined, model);
const results = new Map<Mode, Result[]>();
for (const mode of MODES) results.set(mode, await evaluate(base, mode, judged));

const of = (mode: Mode, half: Half, kind: Comparison['kind']) => {
  const kinds: readonly Kind[] = kind === 'own words' ? OWN_WORDS : kind === 'all' ? [...OWN_WORDS, 'paraphrase'] : [kind];
  return (results.get(mode) as Result[]).filter(({ judged: one }) => one.half === half && kinds.includes(one.kind));
};
const rows = halves.flatMap((half) =>
  KINDS.flatMap((kind) =>
    MODES.map((mode) => {
      const scored = of(mode, half, kind);
      const average = (name: 'recall' | 'mrr' | 'ndcg') => mean(scored.map((one) => one[name]));
      return { half, kind, mode, queries: scored.length, recall: average('recall'), mrr: average('mrr'), ndcg: average('ndcg') };
    }),
  ),
);
const comparisons = halves.flatMap((half): Comparison[] => {
  const compare = (a: Mode, b: Mode, kind: Comparison['kind']) => ({ a, b, kind, half, interval: difference(of(a, half, kind), of(b, half, kind)) });
  const overall = (mode: Mode) => mean(of(mode, half, 'all').map(({ ndcg }) => ndcg));
  return [
    compare('hybrid', overall('keyword') > overall('vector') ? 'keyword' : 'vector', 'all'),
    compare('hybrid', 'keyword', 'paraphrase'),
    compare('hybrid', 'vector', 'paraphrase'),
    compare('hybrid + rerank', 'hybrid', 'all'),
    compare('hybrid + rerank', 'hybrid', 'own words'),
    compare('hybrid + rerank', 'hybrid', 'paraphrase'),
  ];
});

if (json) for (const one of [...rows, ...comparisons]) console.log(JSON.stringify(one));
else {
  console.log(`${documents.length} documents, ${base.chunks} chunks, ${judged.length} queries\n`);
  for (const half of halves) {
    console.log(`${half}\n${'kind'.padEnd(12)}${'mode'.padEnd(18)}recall@10     MRR  nDCG@10`);
    for (const { kind, mode, recall, mrr, ndcg } of rows.filter((row) => row.half === half))
      console.log(`${kind.padEnd(12)}${mode.padEnd(18)}${[recall, mrr, ndcg].map((value) => value.toFixed(3).padStart(8)).join(' ')}`);
    for (const { a, b, kind, interval } of comparisons.filter((one) => one.half === half)) console.log(`${a} − ${b}, ${kind}: ${inWords(interval)}`);
    console.log('');
  }
}

function inWords({ mean: middle, low, high }: Interval): string {
  return `${middle.toFixed(3)} of nDCG@10 (95 %: ${low.toFixed(3)} to ${high.toFixed(3)})`;
}

const broken = halves.includes('fresh') ? brokenClaims(comparisons.filter(({ half }) => half === 'fresh')) : [];
if (broken.length > 0) console.error(`Does not hold on the fresh set: ${broken.join('; ')}.`);
process.exit(broken.length > 0 ? 1 : 0);

/** "Better" is that the whole interval is above 0; "not worse" is that it does not end below 0, which proves no gain. */
function brokenClaims(compared: readonly Comparison[]): string[] {
  const [overall, words, vectors, reranked, ownWords] = compared as [Comparison, Comparison, Comparison, Comparison, Comparison];
  const claims: [claim: string, holds: boolean][] = [
    ['hybrid is better than the better of its halves', overall.interval.low > 0],
    ['hybrid is better than keywords on paraphrases', words.interval.low > 0],
    ['hybrid is better than vectors on paraphrases', vectors.interval.low > 0],
    ['reranking is not worse', reranked.interval.high >= 0],
    ["reranking is better for queries in the text's own words", ownWords.interval.low > 0],
  ];
  return claims.filter(([, holds]) => !holds).map(([claim]) => claim);
}

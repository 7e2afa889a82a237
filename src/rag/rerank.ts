import { termsOf } from '../model/extractive/words.ts';
import type { Hit } from './knowledge.ts';

/**
 * How much each sign of relevance counts; found by coordinate ascent on the tuning half of the judged set (`bench/retrieval`), where the
 * score of retrieval alone is the start.
 */
const WEIGHTS = { found: 1.4, coverage: 1, heading: 0.5, phrase: 0.5, proximity: 0.1, early: 0.1 } as const;
/** BM25's saturation of repeated terms. */
const K1 = 1.2;
/** Of the query, its first; more would cost each hit more than they tell. */
const MOST_TERMS = 128;

interface Reading {
  readonly hit: Hit;
  readonly terms: readonly string[];
  readonly heading: ReadonlySet<string>;
}

/**
 * Orders hits anew by how the query's terms stand in each: how much of their weight a chunk has, how near together, in the query's order, in its
 * headings, and how early; beside the score of retrieval. `score` is what orders them afterwards.
 */
export function rerank(query: string, hits: readonly Hit[]): Hit[] {
  const wanted = [...new Set(termsOf(query))].slice(0, MOST_TERMS);
  if (wanted.length === 0 || hits.length < 2) return [...hits];
  const readings = hits.map(
    (hit): Reading => ({
      hit,
      terms: termsOf(hit.chunk.text),
      heading: new Set(termsOf([...(hit.chunk.headings ?? []), hit.document.source ?? hit.document.id].join(' '))),
    }),
  );
  const weight = inverseFrequency(wanted, readings);
  const total = wanted.reduce((sum, term) => sum + (weight.get(term) ?? 0), 0);
  const top = Math.max(...hits.map(({ score }) => score), 1e-9);
  return readings
    .map((reading) => {
      const signs = { found: Math.max(0, reading.hit.score) / top, ...termSigns(reading, wanted, weight, total) };
      const score = Object.entries(WEIGHTS).reduce((sum, [name, by]) => sum + by * signs[name as keyof typeof signs], 0);
      return { ...reading.hit, score };
    })
    .sort((a, b) => b.score - a.score);
}

/** A term that few of the candidates have says more. */
function inverseFrequency(wanted: readonly string[], readings: readonly Reading[]): Map<string, number> {
  const asked = new Set(wanted);
  const sets = readings.map(({ terms, heading }) => new Set([...terms.filter((term) => asked.has(term)), ...heading]));
  return new Map(
    wanted.map((term) => {
      const having = sets.filter((set) => set.has(term)).length;
      return [term, Math.log(1 + (sets.length - having + 0.5) / (having + 0.5))];
    }),
  );
}

function termSigns({ terms, heading }: Reading, wanted: readonly string[], weight: ReadonlyMap<string, number>, total: number) {
  const places = new Map<string, number[]>(wanted.map((term) => [term, []]));
  for (const [at, term] of terms.entries()) places.get(term)?.push(at);
  let coverage = 0;
  let inHeading = 0;
  for (const term of wanted) {
    const by = (weight.get(term) ?? 0) / total;
    const count = places.get(term)?.length ?? 0;
    coverage += (by * count * (K1 + 1)) / (count + K1) / (K1 + 1);
    if (heading.has(term)) inHeading += by;
  }
  const found = wanted.filter((term) => (places.get(term)?.length ?? 0) > 0);
  const first = Math.min(...found.map((term) => places.get(term)?.[0] ?? terms.length), terms.length);
  return {
    coverage,
    heading: inHeading,
    proximity: found.length < 2 ? 0 : (found.length / wanted.length) * (found.length / shortestWindow(terms, new Set(found))),
    phrase: pairs(terms, wanted, places),
    early: terms.length === 0 ? 0 : 1 - first / terms.length,
  };
}

/** The fewest terms in a row that hold each of the wanted ones. */
function shortestWindow(terms: readonly string[], wanted: ReadonlySet<string>): number {
  const counts = new Map<string, number>();
  let shortest = terms.length;
  let start = 0;
  for (const [stop, term] of terms.entries()) {
    if (!wanted.has(term)) continue;
    counts.set(term, (counts.get(term) ?? 0) + 1);
    while (counts.size === wanted.size) {
      shortest = Math.min(shortest, stop - start + 1);
      const leaving = terms[start++] ?? '';
      const left = counts.get(leaving);
      if (left === 1) counts.delete(leaving);
      else if (left !== undefined) counts.set(leaving, left - 1);
    }
  }
  return Math.max(shortest, 1);
}

/** The share of neighbouring pairs of the query that stand as neighbours in the text. */
function pairs(terms: readonly string[], wanted: readonly string[], places: ReadonlyMap<string, readonly number[]>): number {
  if (wanted.length < 2) return 0;
  let kept = 0;
  for (let at = 1; at < wanted.length; at++) if (places.get(wanted[at - 1] as string)?.some((place) => terms[place + 1] === wanted[at])) kept++;
  return kept / (wanted.length - 1);
}

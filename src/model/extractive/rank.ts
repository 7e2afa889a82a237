import type { Block } from './material.ts';
import { sentencesOf } from './sentences.ts';
import { termsOf } from './words.ts';

/** One sentence of the material with where it stands. */
export interface Sentence {
  readonly text: string;
  readonly terms: readonly string[];
  readonly block: number;
  /** Its number among the sentences of its block. */
  readonly at: number;
}

export interface Scored extends Sentence {
  readonly score: number;
}

/** Okapi BM25 (Robertson and Zaragoza, 2009) over sentences. */
const K1 = 1.2;
const B = 0.6;
/** How much a question's term counts that only the sentence's heading or block has. */
const NEIGHBOUR = 0.3;
/** How much of the question's weight the best sentence must have for there to be an answer. */
const ENOUGH = 0.28;

/** The material's sentences, each once. */
export function readSentences(blocks: readonly Block[]): Sentence[] {
  const sentences: Sentence[] = [];
  const seen = new Set<string>();
  for (const [block, { text }] of blocks.entries()) {
    let at = 0;
    for (const sentence of sentencesOf(text)) {
      if (seen.has(sentence)) continue;
      seen.add(sentence);
      sentences.push({ text: sentence, terms: termsOf(sentence), block, at: at++ });
    }
  }
  return sentences;
}

/** Sentences that bear on the terms, best first, and terms that the material never mentions; empty when nothing bears on them enough. */
export function rank(sentences: readonly Sentence[], blocks: readonly Block[], terms: readonly string[]): { ranked: Scored[]; missing: string[] } {
  const frequency = documentFrequency(sentences);
  const idf = (term: string) => Math.log(1 + (sentences.length - (frequency.get(term) ?? 0) + 0.5) / ((frequency.get(term) ?? 0) + 0.5));
  const wanted = new Map(terms.map((term, place) => [term, { place, weight: idf(term) }]));
  const weigh = (known: Iterable<string>) => {
    let sum = 0;
    for (const term of known) sum += wanted.get(term)?.weight ?? 0;
    return sum;
  };
  const total = weigh(terms);
  const around = surroundings(sentences, blocks, wanted);
  const weightAround = around.map(weigh);
  const averageLength = sentences.reduce((sum, { terms: own }) => sum + own.length, 0) / Math.max(sentences.length, 1);
  const scored: Scored[] = [];
  let best = 0;
  for (const sentence of sentences) {
    let score = 0;
    let own = 0;
    for (const [term, count] of countsOf(sentence.terms)) {
      const weight = wanted.get(term)?.weight ?? 0;
      own += weight;
      score += (weight * count * (K1 + 1)) / (count + K1 * (1 - B + (B * sentence.terms.length) / averageLength));
    }
    if (own === 0) continue;
    const near = NEIGHBOUR * ((weightAround[sentence.block] ?? 0) - own);
    const covered = own + near;
    best = Math.max(best, covered / total);
    scored.push({ ...sentence, score: (score + near) * (0.4 + (0.6 * covered) / total) * shape(sentence) * (1 + phrases(sentence.terms, terms, wanted)) });
  }
  const known = new Set(around.flatMap((some) => [...some]));
  const missing = terms.filter((term) => !known.has(term));
  return { ranked: best < ENOUGH ? [] : scored.sort((a, b) => b.score - a.score), missing };
}

/** The terms that a text is about: those in several of its sentences, weighed by how many. */
export function mainTerms(sentences: readonly Sentence[]): string[] {
  const ranked = [...documentFrequency(sentences)].filter(([term]) => !/^\d+$/.test(term)).sort(([, a], [, b]) => b - a);
  const repeated = ranked.filter(([, count]) => count > 1);
  return (repeated.length >= 3 ? repeated : ranked).slice(0, 12).map(([term]) => term);
}

/** Whole sentences of a readable length read best, and the first of a stretch says most. */
function shape({ text, at }: Sentence): number {
  const words = text.split(' ').length;
  const length = words < 4 ? 0.35 : words < 7 ? 0.75 : words > 45 ? Math.sqrt(45 / words) : 1;
  const whole = /[.!?:”"')]$|[。！？]$/.test(text) ? 1 : 0.8;
  return length * whole * (1 + 0.2 / (1 + at));
}

/** Where each of the question's terms stands in it, and how much it counts. */
type Wanted = ReadonlyMap<string, { readonly place: number; readonly weight: number }>;

/** How much of the question's word order the sentence keeps. */
function phrases(own: readonly string[], terms: readonly string[], wanted: Wanted): number {
  let kept = 0;
  const seen = new Set<string>();
  for (const [at, term] of own.entries()) {
    const place = seen.has(term) ? undefined : wanted.get(term)?.place;
    seen.add(term);
    if (place !== undefined && place + 1 < terms.length && own[at + 1] === terms[place + 1]) kept++;
  }
  return Math.min(0.5, kept * 0.25);
}

function documentFrequency(sentences: readonly Sentence[]): Map<string, number> {
  const frequency = new Map<string, number>();
  for (const { terms } of sentences) for (const term of new Set(terms)) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  return frequency;
}

/** Which of the terms each block has somewhere: its text, heading or source. */
function surroundings(sentences: readonly Sentence[], blocks: readonly Block[], wanted: Wanted): Set<string>[] {
  const around = blocks.map(({ heading, source }) => new Set(termsOf(`${heading ?? ''} ${source ?? ''}`).filter((term) => wanted.has(term))));
  for (const { block, terms: own } of sentences) for (const term of own) if (wanted.has(term)) around[block]?.add(term);
  return around;
}

function countsOf(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

import { pieceEnd } from '../../call/text.ts';
import type { Block } from './material.ts';
import type { Scored, Sentence } from './rank.ts';

/** A passage as it is quoted, with the place it is from where the material names one. */
export interface Quote {
  readonly text: string;
  readonly source: string | undefined;
}

const MOST = 5;
/** A passage below this share of the best one's score is left out. */
const LEAST = 0.35;
const LONGEST = 420;
const POINTS_BACK = /^(?:it|this|these|they|that|those|he|she|such|both|otherwise|then|therefore|so|but|and)\b/i;

/** Up to five passages, each saying something that the others do not; neighbours become one passage. */
export function chooseQuotes(ranked: readonly Scored[], sentences: readonly Sentence[], blocks: readonly Block[]): Quote[] {
  const chosen = diverse(ranked);
  const places = new Map(sentences.map((sentence) => [`${sentence.block}:${sentence.at}`, sentence]));
  const used = new Set<Sentence>();
  const quotes: Quote[] = [];
  const taken = new Set(chosen.map(({ block, at }) => `${block}:${at}`));
  for (const { block, at } of chosen) {
    const passage: Sentence[] = [];
    const take = (place: number, first = false) => {
      const sentence = places.get(`${block}:${place}`);
      if (!sentence || used.has(sentence)) return false;
      used.add(sentence);
      if (first) passage.unshift(sentence);
      else passage.push(sentence);
      return true;
    };
    if (!take(at)) continue;
    if (POINTS_BACK.test(passage[0]?.text ?? '')) take(at - 1, true);
    let next = at + 1;
    while (taken.has(`${block}:${next}`) && take(next)) next++;
    if (lengthOf(passage) < 50) take(next);
    const { source, heading } = blocks[block] ?? {};
    quotes.push({
      text: cut(passage.map(({ text }) => text).join(' ')),
      source: [source, source?.endsWith(` › ${heading}`) ? undefined : heading].filter((part) => part !== undefined).join(' › ') || undefined,
    });
  }
  return quotes;
}

/** Maximal marginal relevance (Carbonell and Goldstein, 1998): each next one is good and unlike those before. */
function diverse(ranked: readonly Scored[]): Scored[] {
  const top = ranked[0]?.score ?? 0;
  const candidates = ranked
    .filter(({ score }) => score >= top * LEAST)
    .slice(0, 60)
    .map((sentence) => ({ sentence, terms: new Set(sentence.terms) }));
  const chosen: typeof candidates = [];
  while (chosen.length < MOST && candidates.length > 0) {
    let best = 0;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (const [index, candidate] of candidates.entries()) {
      const value = candidate.sentence.score * (1 - 0.7 * Math.max(0, ...chosen.map((other) => similarity(other.terms, candidate.terms))));
      if (value > bestValue) [best, bestValue] = [index, value];
    }
    const [next] = candidates.splice(best, 1);
    if (!next || bestValue < top * LEAST) break;
    chosen.push(next);
  }
  return chosen.map(({ sentence }) => sentence);
}

function similarity(first: ReadonlySet<string>, second: ReadonlySet<string>): number {
  let shared = 0;
  for (const term of second) if (first.has(term)) shared++;
  return shared / Math.max(1, first.size + second.size - shared);
}

function lengthOf(passage: readonly Sentence[]): number {
  return passage.reduce((sum, { text }) => sum + text.length, 0);
}

/** A passage as long as one is quoted at most. */
export function cut(text: string): string {
  return text.length <= LONGEST ? text : `${beginning(text, LONGEST)} …`;
}

/** The beginning of a longer text: whole words where it has any. */
export function beginning(text: string, most: number): string {
  const space = text.lastIndexOf(' ', most);
  return text.slice(0, space > 0 ? space : pieceEnd(text, 0, most));
}

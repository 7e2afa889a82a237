import type { EmbeddingPurpose } from '../embedding.ts';
import { isStopWord } from '../extractive/words.ts';
import { stem } from './stem.ts';

/** How a text becomes a vector. */
export interface HashOptions {
  readonly dimensions: number;
  /** What a document's vector has beside its words, so that very short texts do not seem nearer than they are. */
  readonly ballast: number;
  /** How soon a word that comes again counts no more (BM25's k1). */
  readonly saturation: number;
  /** Lengths of the pieces of words. */
  readonly grams: readonly number[];
  /** Weight of all pieces of a word together, beside the word's own 1. */
  readonly gram_weight: number;
  /** Whether endings are taken off words. */
  readonly stems: boolean;
  /** Words of so many letters weigh 1, shorter ones less, by the power of `shortness`: they are mostly those that every text has. */
  readonly full_length: number;
  readonly shortness: number;
}

export const HASH_OPTIONS: HashOptions = {
  dimensions: 1_024,
  ballast: 8,
  saturation: 0.7,
  grams: [4, 5],
  gram_weight: 1,
  stems: true,
  full_length: 8,
  shortness: 0.4,
};

/** From here on letters are syllables or words of their own, written without blanks: Chinese, Japanese, Korean. */
const FIRST_WIDE = 0x2e80;

/**
 * A text as a vector of length 1 by signed feature hashing (Weinberger and others, Feature Hashing for Large Scale Multitask Learning, 2009): its
 * words and pieces of words, each added with a sign at a place that its hash gives; words without content only where there are no others. A
 * document has ballast at the first place, where queries have nothing: a pivoted length (Singhal, Buckley and Mitra, 1996). It knows
 * spellings, not meanings.
 */
export function hashEmbed(text: string, purpose: EmbeddingPurpose = 'document', options: HashOptions = HASH_OPTIONS): Float32Array {
  const { dimensions, ballast, saturation, grams, gram_weight, stems, full_length, shortness } = options;
  const sums = new Float64Array(dimensions);
  const counts = new Map<string, number>();
  const common = new Map<string, number>();
  for (const word of wordsOf(text)) {
    const to = isStopWord(word) ? common : counts;
    const one = stems ? stem(word) : word;
    to.set(one, (to.get(one) ?? 0) + 1);
  }
  for (const [word, count] of counts.size > 0 ? counts : common) {
    const weight = ((count * (1 + saturation)) / (count + saturation)) * weightOf(word, full_length) ** shortness;
    add(sums, hashOf(word, 0, word.length, WORD_SEED), weight);
    if (gram_weight > 0) addGrams(sums, word, grams, weight * gram_weight);
  }
  if (purpose === 'document' && counts.size > 0) sums[0] = ballast;
  return normalised(sums);
}

const WORD_SEED = 0x811c9dc5;
const GRAM_SEED = 0x2545f491;

function addGrams(sums: Float64Array, word: string, grams: readonly number[], weight: number): void {
  const marked = `<${word}>`;
  let number = 0;
  for (const length of grams) number += Math.max(0, marked.length - length + 1);
  if (number === 0) return;
  // Together they have the length of `weight`, however many they are.
  const each = weight / Math.sqrt(number);
  for (const length of grams) for (let at = 0; at + length <= marked.length; at++) add(sums, hashOf(marked, at, at + length, GRAM_SEED), each);
}

function weightOf(word: string, full_length: number): number {
  return word.charCodeAt(0) >= FIRST_WIDE || word.length >= full_length ? 1 : word.length / full_length;
}

function add(sums: Float64Array, hash: number, weight: number): void {
  const place = 1 + ((hash >>> 1) % (sums.length - 1));
  sums[place] = (sums[place] as number) + ((hash & 1) === 0 ? weight : -weight);
}

/** FNV-1a over UTF-16 code units with the last steps of MurmurHash3, 32 bits. */
export function hashOf(text: string, from: number, to: number, seed: number): number {
  let hash = seed;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

function mix(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Words in small letters without accents; of texts without blanks each letter and each two that follow each other. */
export function* wordsOf(text: string): Generator<string> {
  const plain = /^[\0-\x7f]*$/.test(text)
    ? text.toLowerCase()
    : text
        .normalize('NFKD')
        .replaceAll(/\p{M}+/gu, '')
        .toLowerCase();
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (word.charCodeAt(0) < FIRST_WIDE) yield word;
    else {
      const letters = [...word];
      for (let at = 0; at < letters.length; at++) {
        yield letters[at] as string;
        if (at + 1 < letters.length) yield `${letters[at]}${letters[at + 1]}`;
      }
    }
  }
}

/** A text without a word gets the vector of nothing, for a zero vector has no direction. */
function normalised(sums: Float64Array): Float32Array {
  let square = 0;
  for (const value of sums) square += value * value;
  const result = new Float32Array(sums.length);
  if (square === 0) {
    result[0] = 1;
    return result;
  }
  const length = Math.sqrt(square);
  for (let at = 0; at < result.length; at++) result[at] = (sums[at] as number) / length;
  return result;
}

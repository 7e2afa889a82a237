import type { EmbeddingPurpose } from '../embedding.ts';
import { HASH_OPTIONS, type HashOptions, hashEmbed } from '../hash/embed.ts';
import { countStems, saturated } from './stems.ts';
import type { WordTable } from './table.ts';

/** How a text becomes a vector. */
export interface WordsOptions {
  /** How spellings are hashed. */
  readonly spelling: HashOptions;
  /** How much likeness of meaning counts beside that of spelling, whose share is 1. */
  readonly meaning: number;
}

export const WORDS_OPTIONS: WordsOptions = { spelling: { ...HASH_OPTIONS, gram_weight: 0.5 }, meaning: 0.5 };

/**
 * A text as a vector of length 1: what `local/hash` makes of it, and beside that the sum of its words' learned vectors. Texts in other words are
 * near each other by the second part, names and words that the table does not know by the first.
 */
export function wordsEmbed(text: string, table: WordTable, purpose: EmbeddingPurpose = 'document', options: WordsOptions = WORDS_OPTIONS): Float32Array {
  const { spelling, meaning } = options;
  const spelled = hashEmbed(text, purpose, spelling);
  const result = new Float32Array(spelled.length + table.dimensions);
  const sums = new Float64Array(table.dimensions);
  for (const [word, count] of countStems(text)) table.add(word, saturated(count), sums);
  const length = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0));
  if (length === 0) {
    result.set(spelled);
    return result;
  }
  const [bySpelling, byMeaning] = [Math.sqrt(1 / (1 + meaning)), Math.sqrt(meaning / (1 + meaning)) / length];
  for (let at = 0; at < spelled.length; at++) result[at] = (spelled[at] as number) * bySpelling;
  for (let at = 0; at < sums.length; at++) result[spelled.length + at] = (sums[at] as number) * byMeaning;
  return result;
}

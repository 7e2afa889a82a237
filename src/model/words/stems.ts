import { isStopWord } from '../extractive/words.ts';
import { wordsOf } from '../hash/embed.ts';
import { stem } from '../hash/stem.ts';

/** The places between the parts of `maxRetries` and `JSONText`. */
const SEAM = /(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g;

/** How often each word with content stands in a text, without its ending; names count by their parts. */
export function countStems(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of wordsOf(text.replaceAll(SEAM, ' '))) {
    if (isStopWord(word)) continue;
    const one = stem(word);
    counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  return counts;
}

/** How much a word counts that stands so often in a text: the second time adds less, and no number of times more than 1.7. */
export function saturated(count: number): number {
  return (1.7 * count) / (count + 0.7);
}

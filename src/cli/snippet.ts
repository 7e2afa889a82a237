import { styleText } from 'node:util';
import { stem, termsOf } from '../model/extractive/words.ts';

/** Letters of a snippet, and of one of its lines. */
const LENGTH = 300;
const WIDTH = 100;

/** Text that stands out on a terminal; unchanged elsewhere. */
export function bold(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}

/** The stretch of a text that has most of a query's words, in lines, the words in bold on a terminal. */
export function snippet(text: string, query: string): string[] {
  const wanted = new Set(termsOf(query));
  const words = [...text.matchAll(/\S+/g)].map(({ 0: word }) => ({ word, term: termOf(word, wanted) }));
  const first = bestStart(words);
  const lines: string[] = [];
  let line = first === 0 ? '' : '…';
  let width = line.length;
  let length = 0;
  for (const { word, term } of words.slice(first)) {
    if (length + word.length > LENGTH) {
      line += ' …';
      break;
    }
    if (width > 0 && width + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
      width = 0;
    }
    const shown = term === undefined ? word : word.replace(/[\p{L}\p{N}_]+/gu, (part) => (wanted.has(stem(part.toLowerCase())) ? bold(part) : part));
    line += `${line === '' || line === '…' ? '' : ' '}${shown}`;
    width += word.length + 1;
    length += word.length + 1;
  }
  return [...lines, line];
}

interface Word {
  readonly word: string;
  readonly term: string | undefined;
}

function termOf(word: string, wanted: ReadonlySet<string>): string | undefined {
  return termsOf(word).find((term) => wanted.has(term));
}

/** The word from which the snippet has most different words of the query; a few words before the first of them. */
function bestStart(words: readonly Word[]): number {
  let best = { start: 0, count: 0 };
  for (let start = 0; start < words.length; start++) {
    if (words[start]?.term === undefined) continue;
    const seen = new Set<string>();
    for (let at = start, length = 0; at < words.length && length < LENGTH * 0.8; at++) {
      const { word, term } = words[at] as Word;
      length += word.length + 1;
      if (term !== undefined) seen.add(term);
    }
    if (seen.size > best.count) best = { start, count: seen.size };
  }
  return best.start <= 6 ? 0 : best.start - 4;
}

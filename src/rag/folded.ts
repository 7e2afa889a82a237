/** Where a piece begins in the folded and in the whole text, and where the word before it ended there. */
interface Mark {
  readonly folded: number;
  readonly whole: number;
  readonly end: number;
}

/** A text as its words in lower case, with a space before, between and behind them. */
export interface Folded {
  readonly text: string;
  /** Of its pieces, in order: the place of every sign would be many times the text. */
  readonly marks: readonly Mark[];
}

/** UTF-16 code units that are read in one step. */
const PIECE = 16_384;
const LOOKED_BACK = 1_000;
const WORDS = /\]\([^\])\s]*\)|^[ \t]*\d{1,3}[.)](?=\s)|[\p{L}\p{N}]+/gmu;

/** Folds a text, in steps: punctuation and Markdown's marks fall away, and with them the targets of links and the numbers of lists. */
export function* fold(text: string): Generator<undefined, Folded> {
  const parts: string[] = [];
  const marks: Mark[] = [];
  let [length, end] = [0, -1];
  for (let at = 0; at < text.length; ) {
    const next = endOfPiece(text, at);
    marks.push({ folded: length, whole: at, end });
    let part = '';
    for (const { word, index } of wordsOf(text, at, next)) {
      // A word that was cut goes on.
      part += (index === end ? '' : ' ') + word.toLowerCase().slice(0, word.length);
      end = index + word.length;
    }
    length += part.length;
    parts.push(part);
    at = next;
    if (at < text.length) yield;
  }
  return { text: `${parts.join('')} `, marks };
}

/** Where words stand in the whole text that stand from `start` to `stop` in the folded one. */
export function placesOf(
  whole: string,
  { marks }: Folded,
  { start, stop }: { readonly start: number; readonly stop: number },
): { start: number; stop: number } {
  return { start: placeOf(whole, marks, start), stop: placeOf(whole, marks, stop - 1) + 1 };
}

function placeOf(whole: string, marks: readonly Mark[], place: number): number {
  const at = marks.findLastIndex(({ folded }) => folded <= place);
  const mark = marks[at] as Mark;
  let left = place - mark.folded;
  let { end } = mark;
  for (const { word, index } of wordsOf(whole, mark.whole, marks[at + 1]?.whole ?? whole.length)) {
    if (index !== end) left--;
    if (left < word.length) return index + left;
    left -= word.length;
    end = index + word.length;
  }
  return end;
}

function* wordsOf(text: string, from: number, to: number): Generator<{ readonly word: string; readonly index: number }> {
  // With the sign before, which tells whether a line begins here.
  const start = Math.max(0, from - 1);
  WORDS.lastIndex = from - start;
  for (const { 0: word, index } of text.slice(start, to).matchAll(WORDS))
    if (/^[\p{L}\p{N}]/u.test(word) && !/[.)]$/.test(word)) yield { word, index: start + index };
}

/** Behind the first white space after a word where there is any, so that no link and no number of a list is cut. */
function endOfPiece(text: string, from: number): number {
  const most = from + PIECE;
  if (most >= text.length) return text.length;
  for (let at = most; at > most - LOOKED_BACK; at--) if (/^\S\s$/.test(text.slice(at - 2, at))) return at;
  return /[\ud800-\udbff]/.test(text.charAt(most - 1)) ? most - 1 : most;
}

import { isInsidePair, isInsideWord, kindBefore, WORD } from './measure.ts';

/** What is looked at around a position to find where graphemes end; longer ones may be split. */
const BEFORE = 256;
const AFTER = 64;

let segmenter: Intl.Segmenter | undefined;

/** The last good place for a cut in (floor, at]: between words, else between graphemes, else between characters. */
export function cutBefore(text: string, floor: number, at: number): number {
  if (at >= text.length) return at;
  const word = wordStart(text, floor, at);
  for (const wanted of word > floor && word < at ? [word, at] : [at]) {
    const cut = graphemesAround(text, floor, wanted).findLast((end) => end <= wanted);
    if (cut !== undefined && cut > floor) return cut;
  }
  return at;
}

/** The first good place for a beginning in [at, stop): between words, else between graphemes; `stop` when there is none. */
export function cutAfter(text: string, at: number, stop: number): number {
  const word = wordEnd(text, at, stop);
  for (const wanted of word > at && word < stop ? [word, at] : [at]) {
    const cut = graphemesAround(text, Math.max(0, wanted - BEFORE), wanted).find((end) => end >= wanted);
    if (cut !== undefined && cut < stop) return cut;
  }
  return stop;
}

function wordStart(text: string, floor: number, at: number): number {
  if (!isInsideWord(text, at)) return at;
  let start = at;
  while (start > floor && kindBefore(text, start) === WORD) start -= isInsidePair(text, start - 1) ? 2 : 1;
  return start;
}

function wordEnd(text: string, at: number, stop: number): number {
  let end = at;
  while (end < stop && isInsideWord(text, end)) end += isInsidePair(text, end + 1) ? 2 : 1;
  return end;
}

/** Ends of graphemes near a position. */
function graphemesAround(text: string, floor: number, at: number): number[] {
  if (isPlain(text, at - 1) && isPlain(text, at) && text[at] !== '\n') return [at];
  let start = at;
  while (start > floor && at - start < BEFORE && (start === at || !isPlain(text, start))) start--;
  if (isInsidePair(text, start)) start--;
  let stop = Math.min(text.length, at + AFTER);
  if (isInsidePair(text, stop)) stop++;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  const ends: number[] = [];
  for (const { index, segment } of segmenter.segment(text.slice(start, stop))) ends.push(start + index + segment.length);
  return start < at ? ends : [start, ...ends];
}

/** Characters that begin a grapheme wherever they stand: nothing below U+0300 joins what is before it, but a line feed. */
function isPlain(text: string, at: number): boolean {
  return text.charCodeAt(at) < 0x300;
}

import type { Chunker } from './chunker.ts';
import type { Range, Split } from './split.ts';

/** Words whose full stop ends no sentence. */
const ABBREVIATIONS = new Set(
  'dr mr mrs ms prof st jr sr vs etc cf fig figs eq no nos vol pp ch sec art approx resp incl est dept univ inc ltd co corp jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e z.b d.h u.a bzw ca nr abb bd hrsg usw evtl ggf p.ex m.e'.split(
    ' ',
  ),
);
const LONGEST_ABBREVIATION = 8;
const CLOSERS = new Set('"\'”’»)]}*_`');
const OPENERS = new Set('"\'“‘«([{¿¡*_`-–—#|>');
const WIDE = new Set('。！？｡．');
const WIDE_CLOSERS = new Set('”’」』）】"');

/** Sentences: after a full stop, question or exclamation mark that a new beginning follows, and at blank lines, list items, headings and table rows. */
export const sentences: Split = function* (text, start, stop): Generator<Range> {
  let from = start;
  let at = start;
  while (at < stop) {
    const sign = text[at] as string;
    let end = at + 1;
    let ends = false;
    if (sign === '\n') {
      while (end < stop && isBlankSign(text[end] as string)) end++;
      ends = text.slice(at + 1, Math.min(end, at + 4_096)).includes('\n') || startsBlock(text, end);
    } else if (WIDE.has(sign)) {
      while (end < stop && (WIDE.has(text[end] as string) || WIDE_CLOSERS.has(text[end] as string))) end++;
      ends = true;
    } else if (sign === '.' || sign === '!' || sign === '?' || sign === '…') {
      while (end < stop && '.!?…'.includes(text[end] as string)) end++;
      const single = sign === '.' && end === at + 1;
      while (end < stop && CLOSERS.has(text[end] as string)) end++;
      const closed = end;
      while (end < stop && isBlankSign(text[end] as string)) end++;
      ends = end > closed && (end === stop || begins(text, end)) && !(single && isAbbreviation(text, from, at));
    }
    if (ends && end < stop) {
      yield { start: from, stop: end };
      from = end;
    }
    at = end;
  }
  if (from < stop) yield { start: from, stop };
};

/** Whole sentences, as many as fit. */
export const sentence: Chunker = {
  doc: 'whole sentences, as many as fit',
  pieces: (text) => sentences(text, 0, text.length),
};

function isBlankSign(sign: string): boolean {
  return sign === ' ' || sign === '\n' || sign === '\t' || sign === '\r' || sign === '\u00a0' || sign === '\u3000';
}

/** A list item, heading, quotation or table row. */
function startsBlock(text: string, at: number): boolean {
  return /^(?:[-*+•]\s|#{1,6}\s|>|\||\d{1,3}[.)]\s)/.test(text.slice(at, at + 8));
}

/** A sentence begins with anything but a small letter. */
function begins(text: string, at: number): boolean {
  const sign = String.fromCodePoint(text.codePointAt(at) as number);
  if (OPENERS.has(sign)) return true;
  return /[\p{L}\p{N}]/u.test(sign) ? !/\p{Ll}/u.test(sign) : !/[,;:%)\]]/.test(sign);
}

/** Whether the word before a full stop is an abbreviation or an initial. */
function isAbbreviation(text: string, floor: number, at: number): boolean {
  let start = at;
  while (start > floor && at - start <= LONGEST_ABBREVIATION && /[\p{L}.]/u.test(text[start - 1] as string)) start--;
  const word = text.slice(start, at);
  return /^\p{Lu}$/u.test(word) || ABBREVIATIONS.has(word.toLowerCase());
}

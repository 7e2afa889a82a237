import type { Citation } from './assemble.ts';

/** A quoted span of an answer and where it stands; `verified` is false when no given passage has it. */
export type Quotation = { text: string; verified: boolean; citation?: number; document_id?: string; source?: string; start?: number; stop?: number };

/** What follows a quotation that was found nowhere. */
const MARK = ' [not found in the sources]';
/** A shorter quoted span is a name or a term, not a quotation; letters. */
const SHORTEST = 12;
const QUOTED = /“([^“”]+)”|"([^"\n]+)"|«([^«»]+)»|„([^„“”]+)[“”]/gu;

/**
 * Finds every quoted span of an answer in the texts of the documents it may quote, word for word; punctuation, white space and Markdown's marks
 * do not count, and `…` stands for anything. A span that is found nowhere is marked in the text; what repeats the question is no quotation.
 */
export function verifyQuotations(
  answer: string,
  question: string,
  citations: readonly Citation[],
  textOf: (documentId: string) => string | undefined,
): { text: string; quotations: Quotation[] } {
  const documents = [...new Set(citations.map(({ document_id }) => document_id))].map((id) => {
    const whole = textOf(id) ?? '';
    return { id, whole, ...fold(whole) };
  });
  const asked = fold(question).folded;
  const quotations: Quotation[] = [];
  let text = '';
  let at = 0;
  for (const match of answer.matchAll(QUOTED)) {
    const quoted = match.slice(1).find((group) => group !== undefined) ?? '';
    const { folded } = fold(quoted);
    if (folded.length < SHORTEST || asked.includes(folded)) continue;
    const found = locate(quoted, documents, citations);
    quotations.push({ text: quoted, verified: found !== undefined, ...found });
    const stop = match.index + match[0].length;
    text += answer.slice(at, stop) + (found ? '' : MARK);
    at = stop;
  }
  return { text: text + answer.slice(at), quotations };
}

/** A text as its words in lower case, each behind a space, with the place of every character. */
interface Folded {
  readonly folded: string;
  readonly places: readonly number[];
}

function locate(quoted: string, documents: readonly (Folded & { id: string; whole: string })[], citations: readonly Citation[]) {
  const pieces = quoted
    .split(/…|\.\.\.|\[\.\.\.\]/)
    .map((piece) => fold(piece).folded)
    .filter((piece) => piece !== ' ');
  // The signs around the words belong to the place where the text has them too.
  const [before = '', after = ''] = [/^[^\p{L}\p{N}]*/u, /(?<![^\p{L}\p{N}])[^\p{L}\p{N}]*$/u].map((signs) => signs.exec(quoted)?.[0].trim());
  for (const { id, whole, folded, places } of documents) {
    const span = spanOf(pieces, folded);
    if (!span) continue;
    let [start, stop] = [places[span.start + 1] ?? 0, (places[span.stop - 2] ?? 0) + 1];
    const own = citations.filter(({ document_id }) => document_id === id);
    const citation = own.find((one) => start >= one.start && stop <= one.stop) ?? own[0];
    if (whole.slice(0, start).endsWith(before)) start -= before.length;
    if (whole.startsWith(after, stop)) stop += after.length;
    return { document_id: id, ...(citation && { citation: citation.number, source: citation.source }), start, stop };
  }
  return undefined;
}

/** Where all pieces stand in order, from the first to the end of the last. */
function spanOf(pieces: readonly string[], folded: string): { start: number; stop: number } | undefined {
  let start: number | undefined;
  let from = 0;
  for (const piece of pieces) {
    const found = folded.indexOf(piece, from);
    if (found < 0) return undefined;
    start ??= found;
    from = found + piece.length - 1;
  }
  return start === undefined ? undefined : { start, stop: from + 1 };
}

/** Punctuation and Markdown's marks fall away, and with them the targets of links and the numbers of lists. */
function fold(text: string): Folded {
  let folded = ' ';
  const places = [0];
  for (const { 0: word, index } of text.matchAll(/\]\([^\])\s]*\)|^[ \t]*\d{1,3}[.)](?=\s)|[\p{L}\p{N}]+/gmu)) {
    if (!/^[\p{L}\p{N}]/u.test(word) || /[.)]$/.test(word)) continue;
    for (let at = 0; at < word.length; at++) places.push(index + at);
    places.push(index + word.length);
    folded += `${word.toLowerCase().slice(0, word.length)} `;
  }
  return { folded, places };
}

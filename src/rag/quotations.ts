import type { Citation } from './assemble.ts';
import { type Folded, fold, placesOf } from './folded.ts';

/** A quoted span of an answer and where it stands; `verified` is false when no given passage has it. */
export type Quotation = { text: string; verified: boolean; citation?: number; document_id?: string; source?: string; start?: number; stop?: number };

/** What follows a quotation that was found nowhere, and one that was not looked for. */
const MARK = ' [not found in the sources]';
const UNCHECKED = ' [not looked up]';
/** A shorter quoted span is a name or a term, not a quotation; letters. */
const SHORTEST = 12;
/** Quotations of an answer that are looked up, and their UTF-16 code units: more make an answer no surer, and each takes a look through all documents. */
const MOST = 200;
const LONGEST = 2_000;
/** How much of a text is looked through in one step: a text that nearly is the quotation everywhere takes the product of both. */
const WINDOW = 8_192;
const QUOTED = /“([^“”]+)”|"([^"\n]+)"|«([^«»]+)»|„([^„“”]+)[“”]/gu;

interface Source {
  readonly id: string;
  readonly whole: string;
  readonly folded: Folded;
}

/**
 * Finds every quoted span of an answer in the texts of the documents it may quote, word for word, in steps; punctuation, white space and Markdown's
 * marks do not count, and `…` stands for anything. A span that is found nowhere is marked in the text, and so is one that is too long to be looked up
 * or stands behind the most that are; what repeats the question is no quotation.
 */
export function* verifyQuotations(
  answer: string,
  question: string,
  citations: readonly Citation[],
  textOf: (documentId: string) => string | undefined,
): Generator<undefined, { text: string; quotations: Quotation[] }> {
  const sources: Source[] = [];
  const asked = (yield* fold(question)).text;
  const quotations: Quotation[] = [];
  const parts: string[] = [];
  let [at, checked] = [0, 0];
  for (const match of answer.matchAll(QUOTED)) {
    yield;
    const quoted = match.slice(1).find((group) => group !== undefined) ?? '';
    if (quoted.length < SHORTEST - 2) continue;
    const looked = checked < MOST && quoted.length <= LONGEST;
    let found: Omit<Quotation, 'text' | 'verified'> | undefined;
    if (looked) {
      const { text } = yield* fold(quoted);
      if (text.length < SHORTEST || (yield* indexIn(asked, text)) >= 0) continue;
      checked++;
      if (sources.length === 0) yield* readSources(citations, textOf, sources);
      found = yield* locate(quoted, sources, citations);
    }
    quotations.push({ text: quoted, verified: found !== undefined, ...found });
    const stop = match.index + match[0].length;
    parts.push(answer.slice(at, stop), looked ? (found ? '' : MARK) : UNCHECKED);
    at = stop;
  }
  return { text: parts.join('') + answer.slice(at), quotations };
}

function* readSources(citations: readonly Citation[], textOf: (documentId: string) => string | undefined, to: Source[]): Generator<undefined, void> {
  for (const id of new Set(citations.map(({ document_id }) => document_id))) {
    const whole = textOf(id) ?? '';
    to.push({ id, whole, folded: yield* fold(whole) });
  }
}

function* locate(
  quoted: string,
  sources: readonly Source[],
  citations: readonly Citation[],
): Generator<undefined, Omit<Quotation, 'text' | 'verified'> | undefined> {
  const pieces: string[] = [];
  for (const part of quoted.split(/…|\.\.\.|\[\.\.\.\]/)) {
    const { text } = yield* fold(part);
    if (text !== ' ') pieces.push(text);
  }
  // The signs around the words belong to the place where the text has them too.
  const [before = '', after = ''] = [/^[^\p{L}\p{N}]*/u, /(?<![^\p{L}\p{N}])[^\p{L}\p{N}]*$/u].map((signs) => signs.exec(quoted)?.[0].trim());
  for (const { id, whole, folded } of sources) {
    const span = yield* spanOf(pieces, folded.text);
    if (!span) continue;
    let { start, stop } = placesOf(whole, folded, span);
    const own = citations.filter(({ document_id }) => document_id === id);
    const citation = own.find((one) => start >= one.start && stop <= one.stop) ?? own[0];
    if (whole.slice(0, start).endsWith(before)) start -= before.length;
    if (whole.startsWith(after, stop)) stop += after.length;
    return { document_id: id, ...(citation && { citation: citation.number, source: citation.source }), start, stop };
  }
  return undefined;
}

/** Where all pieces stand in order, from the first to the end of the last, without the spaces around them. */
function* spanOf(pieces: readonly string[], text: string): Generator<undefined, { start: number; stop: number } | undefined> {
  let start: number | undefined;
  let from = 0;
  for (const piece of pieces) {
    const found = yield* indexIn(text, piece, from);
    if (found < 0) return undefined;
    start ??= found + 1;
    from = found + piece.length - 1;
  }
  return start === undefined ? undefined : { start, stop: from };
}

/** As `indexOf`. */
function* indexIn(text: string, part: string, from = 0): Generator<undefined, number> {
  for (let at = from; at < text.length; at += WINDOW) {
    const found = text.slice(at, at + WINDOW + part.length - 1).indexOf(part);
    if (found >= 0) return at + found;
    yield;
  }
  return -1;
}

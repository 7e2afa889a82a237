import { kindAt, SPACE } from './measure.ts';

/** A part of a text, [start, stop). */
export interface Range {
  readonly start: number;
  readonly stop: number;
}

/** Splits a part of a text into parts without gaps, in one pass. */
export type Split = (text: string, start: number, stop: number) => Iterable<Range>;

/** Parts that blank lines end; the blank lines belong to the part before them. */
export function* paragraphs(text: string, start: number, stop: number): Generator<Range> {
  let from = start;
  let blank = false;
  for (const line of lines(text, start, stop)) {
    const empty = isBlank(text, line.start, line.stop);
    if (blank && !empty && line.start > from) {
      yield { start: from, stop: line.start };
      from = line.start;
    }
    blank = empty;
  }
  if (from < stop) yield { start: from, stop };
}

/** Lines with their line feeds. */
export function* lines(text: string, start: number, stop: number): Generator<Range> {
  for (let from = start; from < stop; ) {
    const end = text.indexOf('\n', from);
    const next = end < 0 || end >= stop ? stop : end + 1;
    yield { start: from, stop: next };
    from = next;
  }
}

/** Whether a part holds nothing but blanks. */
export function isBlank(text: string, start: number, stop: number): boolean {
  for (let at = start; at < stop; at++) if (kindAt(text, at) !== SPACE) return false;
  return true;
}

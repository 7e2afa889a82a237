import { isAscii, isUtf8 } from 'node:buffer';

/** Up to this length a text is read byte by byte, which beats the decoder's call. */
const SHORT = 24;
/** From this length on it pays to look for plain ASCII, whose text is one copy of the bytes. */
const LONG = 4_096;

/** What makes an engine keep two bytes for each character. */
export const BEYOND_LATIN1 = /[^\0-\xff]/;

/** The text of UTF-8 bytes; undefined where they are none. */
export function textOf(bytes: Buffer, start: number, end: number): string | undefined {
  if (end - start <= SHORT) {
    let text = '';
    let i = start;
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte >= 128) break;
      text += String.fromCharCode(byte);
    }
    if (i === end) return text;
  }
  const part = bytes.subarray(start, end);
  if (end - start >= LONG && isAscii(part)) return bytes.latin1Slice(start, end);
  return isUtf8(part) ? bytes.utf8Slice(start, end) : undefined;
}

/** False where half of a surrogate pair stands in it: then it is no text. */
export function isText(text: string): boolean {
  if (text.length > SHORT) return text.isWellFormed();
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0xd800) return text.isWellFormed();
  return true;
}

/** Where a piece of a text that begins at `from` ends: after at most `most` units, not within a surrogate pair. */
export function pieceEnd(text: string, from: number, most: number): number {
  const end = from + most;
  if (end >= text.length) return text.length;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last < 0xdc00 ? end - 1 : end;
}

/** The bytes of a text or of bytes, in pieces of about `most`: a long text as a whole would hold the event loop. */
export function* bytesOf(content: string | Uint8Array, most: number): Generator<Uint8Array> {
  for (let from = 0, to = 0; from < content.length; from = to) {
    to = typeof content === 'string' ? pieceEnd(content, from, most) : from + most;
    yield typeof content === 'string' ? Buffer.from(content.slice(from, to)) : content.subarray(from, to);
  }
}

/** From here on the order of UTF-16 units is not that of UTF-8 bytes. */
const SURROGATES_AND_ABOVE = /[\ud800-\uffff]/;
/** So many texts are put in order at once, or merged between two steps; fewer where they are long together. */
const RUN = 1_024;
const RUN_LENGTH = 65_536;

/** Sorts texts by their UTF-8 bytes, which is the order of code points, in place. */
export function inByteOrder(texts: string[]): string[] {
  return texts.some((text) => SURROGATES_AND_ABOVE.test(text)) ? texts.sort(compareBytes) : texts.sort();
}

/** As `inByteOrder`, of any number of texts in steps: sorts runs, then merges them. */
export function* orderInSteps(texts: readonly string[]): Generator<undefined, string[]> {
  let runs: string[][] = [];
  for (let from = 0, to = 0; from < texts.length; from = to) {
    let length = 0;
    while (to < texts.length && to - from < RUN && length < RUN_LENGTH) length += (texts[to++] as string).length;
    runs.push(inByteOrder(texts.slice(from, to)));
    yield;
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [left = [], right] = runs.slice(i, i + 2);
      merged.push(right ? yield* merge(left, right) : left);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(left: readonly string[], right: readonly string[]): Generator<undefined, string[]> {
  const out: string[] = [];
  let spent = 0;
  for (let i = 0, j = 0; i < left.length || j < right.length; ) {
    const [a, b] = [left[i], right[j]];
    if (b === undefined || (a !== undefined && compareBytes(a, b) <= 0)) {
      out.push(a as string);
      i++;
    } else {
      out.push(b);
      j++;
    }
    spent += RUN_LENGTH / RUN + Math.min(a?.length ?? 0, b?.length ?? 0);
    if (spent < RUN_LENGTH) continue;
    spent = 0;
    yield;
  }
  return out;
}

/** The order of UTF-8 bytes of two texts; UTF-16 puts code points above U+FFFF before U+E000. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left !== right) return left >= 0xd800 && right >= 0xd800 ? fixed(left) - fixed(right) : left - right;
  }
  return a.length - b.length;
}

const fixed = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000);

import { isAscii, isUtf8 } from 'node:buffer';

/** Up to this length a text is read byte by byte, which beats the decoder's call. */
const SHORT = 24;
/** From this length on it pays to look for plain ASCII, whose text is one copy of the bytes. */
const LONG = 4_096;

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

/** Where a piece of a text that begins at `from` ends: after at most `most` units, not within a surrogate pair. */
export function pieceEnd(text: string, from: number, most: number): number {
  const end = from + most;
  if (end >= text.length) return text.length;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last < 0xdc00 ? end - 1 : end;
}

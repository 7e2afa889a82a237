import { constants, inflateSync } from 'node:zlib';
import { tooLarge } from '../document.ts';

/** Filters one after the other that are looked through. */
const MOST_FILTERS = 3;

/** Throws LIMIT_EXCEEDED when one of a PDF's packed streams unpacks to more than so many bytes; the reader itself has no such limit. */
export function checkStreams(bytes: Uint8Array, name: string, most: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = buffer.indexOf('stream', 0, 'latin1'); at >= 0; at = buffer.indexOf('stream', at + 6, 'latin1')) {
    let start = at + 6;
    if (buffer[start] === 13) start++;
    if (buffer[start] === 10) start++;
    if (start > at + 6) checkStream(buffer.subarray(start), name, most, MOST_FILTERS);
  }
}

function checkStream(data: Buffer, name: string, most: number, filters: number): void {
  const [first = 0, second = 0] = data;
  if (filters === 0 || (first & 15) !== 8 || ((first << 8) | second) % 31 !== 0) return;
  try {
    checkStream(inflateSync(data, { maxOutputLength: most, finishFlush: constants.Z_SYNC_FLUSH }), name, most, filters - 1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(name, `one of its parts unpacks to more than ${most} bytes`);
    if ((error as Error).name === 'ScriptError') throw error;
    // A damaged stream: the reader takes what it can of it.
  }
}

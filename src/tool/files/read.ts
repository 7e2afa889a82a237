import { closeSync, readSync } from 'node:fs';
import { ScriptError } from '../../errors.ts';
import { type Caller, type Opened, openForReading } from './access.ts';

/** What a tool reads of one file at most, bytes. */
export const MOST_FILE_BYTES = 16 * 2 ** 20;

/** The bytes of a file. Throws LIMIT_EXCEEDED beyond `most`. */
export function readBytes(context: Caller, path: string, most = MOST_FILE_BYTES): Buffer {
  const file = openForReading(context, path, 'file');
  try {
    if (file.stats.size > most)
      throw new ScriptError(
        'LIMIT_EXCEEDED',
        `${context.method}: ${path} has ${file.stats.size} bytes, more than the ${most} that are read at most; give offset and length`,
      );
    return readRange(file, 0, most);
  } finally {
    closeSync(file.fd);
  }
}

/** Part of an open file: up to `length` bytes from `offset`. */
export function readRange({ fd, stats }: Opened, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, stats.size - offset)));
  let filled = 0;
  while (filled < buffer.length) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

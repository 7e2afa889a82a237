import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { ScriptError } from '../errors.ts';

/**
 * The text of a file of at most so many bytes. Throws what the system says of one that cannot be opened, BAD_ARGUMENT for what is no file and
 * LIMIT_EXCEEDED for one that is too long, before anything is read.
 */
export function readTextFile(path: string, mostBytes: number): string {
  // Without O_NONBLOCK the opening of a pipe would wait for a writer.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new ScriptError('BAD_ARGUMENT', stats.isDirectory() ? 'this is a folder' : 'this is a device or pipe');
    if (stats.size > mostBytes) throw new ScriptError('LIMIT_EXCEEDED', `it is longer than ${mostBytes / 2 ** 20} MB`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

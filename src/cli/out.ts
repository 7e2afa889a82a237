import { createWriteStream, renameSync, rmSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ScriptError } from '../errors.ts';

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'a file is in its place',
  EISDIR: 'it is a folder',
  ENOENT: 'there is no such folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'what it lies in is no folder',
};

/** Writes the file of `--out`, which is there whole or not at all. Throws TOOL_FAILED where it cannot be written. */
export async function writeOut(path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await pipeline(pieces, createWriteStream(temporary, { flags: 'wx' }));
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof ScriptError) throw error;
    throw unwritable(path, error);
  }
}

/** That a path cannot be written, in words. */
export function unwritable(path: string, error: unknown): ScriptError {
  const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
  return new ScriptError('TOOL_FAILED', `${path} cannot be written: ${WORDS[code] ?? code}`, { cause: error });
}

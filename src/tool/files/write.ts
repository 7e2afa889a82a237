import { closeSync, constants, fsyncSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Context } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';
import { openForWriting } from './access.ts';
import { readBytes } from './read.ts';

/** How a file is written: replaced, appended to, or only made where there is none. */
export type WriteMode = 'replace' | 'append' | 'create';

/** Writes a file that is there whole or not at all; a full disk leaves the old one as it was. */
export function writeFile(context: Context, path: string, bytes: Uint8Array, mode: WriteMode): void {
  const folder = openForWriting(context, path);
  const target = folder.at(folder.name);
  const temporary = folder.at(`.${folder.name.slice(0, 100)}.${process.pid}-${Math.floor(Math.random() * 2 ** 32).toString(36)}.tmp`);
  try {
    const there = kindOf(target);
    if (there !== 'none' && there !== 'file')
      throw new ScriptError('TOOL_FAILED', `${context.method}: ${path} is ${there === 'link' ? 'a symbolic link' : 'no file'}; nothing was written`);
    if (there === 'file' && mode === 'create') throw new ScriptError('CONFLICT', `${context.method}: ${path} exists already`);
    const old = mode === 'append' && there === 'file' ? readBytes(context, path) : Buffer.alloc(0);
    writeNew(temporary, [old, bytes]);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw writeFailure(context, path, error);
  } finally {
    folder.close();
  }
}

function writeNew(path: string, pieces: readonly Uint8Array[]): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0), 0o644);
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function kindOf(path: string): 'none' | 'file' | 'link' | 'other' {
  try {
    const stats = lstatSync(path);
    return stats.isFile() ? 'file' : stats.isSymbolicLink() ? 'link' : 'other';
  } catch {
    return 'none';
  }
}

function writeFailure(context: Context, path: string, error: unknown): unknown {
  if (error instanceof ScriptError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'the disk is full'
      : code === 'EACCES'
        ? 'permission denied'
        : code === 'ENAMETOOLONG'
          ? 'the name is too long'
          : code;
  return new ScriptError('TOOL_FAILED', `${context.method}: ${path} cannot be written (${why}); what was there is unchanged`, { cause: error });
}

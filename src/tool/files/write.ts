import { closeSync, constants, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ScriptError } from '../../errors.ts';
import { type Caller, openForWriting } from './access.ts';
import { readBytes } from './read.ts';

/** How a file is written: replaced, appended to, or only made where there is none. */
export type WriteMode = 'replace' | 'append' | 'create';

/** Writes a file that is there whole or not at all; a full disk leaves the old one as it was. Without `durable` a power loss may leave it empty. */
export function writeFile(context: Caller, path: string, bytes: Uint8Array, mode: WriteMode, durable = true): void {
  const folder = openForWriting(context, path);
  const target = folder.at(folder.name);
  const temporary = folder.at(`.${folder.name.slice(0, 100)}.${process.pid}-${Math.floor(Math.random() * 2 ** 32).toString(36)}.tmp`);
  try {
    const there = kindOf(target);
    if (there !== 'none' && there !== 'file')
      throw new ScriptError('TOOL_FAILED', `${context.method}: ${path} is ${there === 'link' ? 'a symbolic link' : 'no file'}; nothing was written`);
    if (there === 'file' && mode === 'create') throw new ScriptError('CONFLICT', `${context.method}: ${path} exists already`);
    const old = mode === 'append' && there === 'file' ? readBytes(context, path) : Buffer.alloc(0);
    writeNew(temporary, [old, bytes], durable);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw writeFailure(context, path, error);
  } finally {
    folder.close();
  }
}

/** Makes a folder and those above it, as far as they are not there. Throws as `writeFile` does, and TOOL_FAILED where a file or link is in the way. */
export function makeFolder(context: Caller, path: string): void {
  const above = dirname(path);
  if (above !== '.' && above !== path && !isFolder(context, above)) makeFolder(context, above);
  const folder = openForWriting(context, path);
  try {
    mkdirSync(folder.at(folder.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw writeFailure(context, path, error);
    if (!lstatSync(folder.at(folder.name)).isDirectory()) throw new ScriptError('TOOL_FAILED', `${context.method}: ${path} is no folder; nothing was written`);
  } finally {
    folder.close();
  }
}

/** Whether a folder to write in is there already; the allowed folder itself is. */
function isFolder(context: Caller, path: string): boolean {
  try {
    openForWriting(context, `${path}/x`).close();
    return true;
  } catch (error) {
    if (error instanceof ScriptError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

function writeNew(path: string, pieces: readonly Uint8Array[], durable: boolean): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0), 0o644);
  try {
    for (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    if (durable) fsyncSync(fd);
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

function writeFailure(context: Caller, path: string, error: unknown): unknown {
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

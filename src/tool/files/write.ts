import { closeSync, constants, fsync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { breathe } from '../../call/breath.ts';
import type { Context } from '../../call/context.ts';
import { bytesOf } from '../../call/text.ts';
import { ScriptError } from '../../errors.ts';
import { type Caller, openForWriting, type WritableFolder } from './access.ts';
import { readBytes } from './read.ts';

/** How a file is written: replaced, appended to, or only made where there is none. */
export type WriteMode = 'replace' | 'append' | 'create';

/** Writes a file that is there whole or not at all; a full disk leaves the old one as it was. Without `durable` a power loss may leave it empty. */
export function writeFile(context: Caller, path: string, bytes: Uint8Array, mode: WriteMode, durable = true): void {
  try {
    const steps = writing(context, path, openForWriting(context, path), bytes, mode);
    for (const step of steps) if (typeof step === 'number' && durable) fsyncSync(step);
  } catch (error) {
    throw writeFailure(context, path, error);
  }
}

/** As `writeFile`, durable, over several turns of the event loop where it is much; gives how many bytes were given. A call that is cancelled leaves the old file. */
export async function writeFileSoon(context: Context, path: string, content: string | Uint8Array, mode: WriteMode): Promise<number> {
  try {
    const folder = openForWriting(context, path);
    await inOrder(folder.place, async () => {
      for (const step of writing(context, path, folder, content, mode)) {
        await (typeof step === 'number' ? onDisk(step) : breathe(context.run.cpu));
        context.signal.throwIfAborted();
      }
    });
    return typeof content === 'string' ? Buffer.byteLength(content) : content.length;
  } catch (error) {
    throw writeFailure(context, path, error);
  }
}

/** The last one who writes each file. */
const writers = new Map<string, Promise<void>>();

/** Lets those who write the same file do so one after the other: who appends sees what the one before left. */
async function inOrder(place: string, write: () => Promise<void>): Promise<void> {
  const written = (writers.get(place) ?? Promise.resolve()).catch(() => undefined).then(write);
  writers.set(place, written);
  try {
    await written;
  } finally {
    if (writers.get(place) === written) writers.delete(place);
  }
}

/** Bytes that are written at once. */
const PIECE = 2 ** 18;

/** Writes a file of a folder, which it closes, in steps: 'written' after each piece, and before the file takes its place the number of what is to be on disk first. */
function* writing(context: Caller, path: string, folder: WritableFolder, content: string | Uint8Array, mode: WriteMode): Generator<number | 'written', void> {
  const target = folder.at(folder.name);
  const temporary = folder.at(`.${folder.name.slice(0, 100)}.${process.pid}-${Math.floor(Math.random() * 2 ** 32).toString(36)}.tmp`);
  let fd: number | undefined;
  try {
    const there = kindOf(target);
    if (there !== 'none' && there !== 'file')
      throw new ScriptError('TOOL_FAILED', `${context.method}: ${path} is ${there === 'link' ? 'a symbolic link' : 'no file'}; nothing was written`);
    if (there === 'file' && mode === 'create') throw alreadyThere(context, path);
    const old = mode === 'append' && there === 'file' ? readBytes(context, path) : Buffer.alloc(0);
    fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0), 0o644);
    for (const part of [old, content]) {
      for (const piece of bytesOf(part, PIECE)) {
        for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
        yield 'written';
      }
    }
    yield fd;
    if (mode === 'create') linkNew(context, path, temporary, target);
    else renameSync(temporary, target);
  } finally {
    if (fd !== undefined) closeSync(fd);
    // Where it has taken its place, there is none.
    rmSync(temporary, { force: true });
    folder.close();
  }
}

/** Gives the file its name unless somebody else has taken that meanwhile. */
function linkNew(context: Caller, path: string, temporary: string, target: string): void {
  try {
    linkSync(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(context, path);
    // A file system without links.
    if ((code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') || kindOf(target) !== 'none') throw error;
    renameSync(temporary, target);
  }
}

function alreadyThere(context: Caller, path: string): ScriptError {
  return new ScriptError('CONFLICT', `${context.method}: ${path} exists already`);
}

function onDisk(fd: number): Promise<void> {
  return new Promise((done, failed) => fsync(fd, (error) => (error ? failed(error) : done())));
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

function kindOf(path: string): 'none' | 'file' | 'link' | 'other' {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return 'none';
  return stats.isFile() ? 'file' : stats.isSymbolicLink() ? 'link' : 'other';
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

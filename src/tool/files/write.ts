import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fsync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, sep } from 'node:path';
import { breathe } from '../../call/breath.ts';
import type { Context } from '../../call/context.ts';
import { bytesOf } from '../../call/text.ts';
import { ScriptError } from '../../errors.ts';
import { type Caller, checkPath, openForWriting, type WritableFolder } from './access.ts';

/** How a file is written: replaced, appended to, or only made where there is none. */
export type WriteMode = 'replace' | 'append' | 'create';

/** How often an append begins anew because the file was changed meanwhile, by another process say. */
const MOST_APPENDS = 8;

/** Writes a file that is there whole or not at all; a full disk leaves the old one as it was. Without `durable` a power loss may leave it empty. */
export function writeFile(context: Caller, path: string, bytes: Uint8Array, mode: 'replace' | 'create', durable = true): void {
  try {
    const steps = writing(context, path, openForWriting(context, path), bytes, mode);
    for (const step of steps) if (typeof step === 'number' && durable) fsyncSync(step);
  } catch (error) {
    throw writeFailure(context, path, error);
  }
}

/**
 * As `writeFile`, durable, over several turns of the event loop where it is much; gives how many bytes were given. A call that is cancelled leaves the
 * old file. Throws CONFLICT where others change a file again and again while it is appended to.
 */
export async function writeFileSoon(context: Context, path: string, content: string | Uint8Array, mode: WriteMode): Promise<number> {
  const attempt = async (folder: WritableFolder): Promise<boolean> => {
    const steps = writing(context, path, folder, content, mode);
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) return step.value;
      try {
        await (typeof step.value === 'number' ? onDisk(step.value) : breathe(context.run.cpu));
        context.signal.throwIfAborted();
      } catch (error) {
        steps.throw(error);
      }
    }
  };
  try {
    const folder = openForWriting(context, path);
    await inOrder(folder.place, async () => {
      let done = await attempt(folder);
      for (let tries = 1; !done && tries < MOST_APPENDS; tries++) done = await attempt(openForWriting(context, path));
      if (!done) throw new ScriptError('CONFLICT', `${context.method}: ${path} is changed by others all the time; nothing was appended`);
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
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;

/**
 * Writes a file of a folder, which it closes, in steps: 'written' after each piece, and before the file takes its place the number of what is to be on
 * disk first. Gives false, with nothing done, where the file that it appends to was changed meanwhile.
 */
function* writing(
  context: Caller,
  path: string,
  folder: WritableFolder,
  content: string | Uint8Array,
  mode: WriteMode,
): Generator<number | 'written', boolean> {
  const target = folder.at(folder.name);
  const temporary = folder.at(`.llmspell-${process.pid}-${Math.floor(Math.random() * 2 ** 32).toString(36)}.tmp`);
  const open: number[] = [];
  try {
    const old = statsOf(target);
    if (old && !old.isFile())
      throw new ScriptError(
        'TOOL_FAILED',
        `${context.method}: ${path} is ${old.isSymbolicLink() ? 'a symbolic link' : old.isDirectory() ? 'a folder' : 'no file'}; nothing was written`,
      );
    if (old && mode === 'create') throw alreadyThere(context, path);
    const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NOFOLLOW, 0o644);
    open.push(fd);
    if (old) fchmodSync(fd, Number(old.mode) & 0o777);
    if (old && mode === 'append') {
      const from = openSync(target, constants.O_RDONLY | NOFOLLOW);
      open.push(from);
      yield* put(fd, piecesOf(from));
    }
    yield* put(fd, bytesOf(content, PIECE));
    yield fd;
    if (mode === 'append' && !isSame(old, statsOf(target))) return false;
    if (old || mode === 'replace') renameSync(temporary, target);
    else if (!linkNew(temporary, target)) {
      if (mode === 'append') return false;
      throw alreadyThere(context, path);
    }
    return true;
  } finally {
    for (const fd of open) closeSync(fd);
    // Where it has taken its place, there is none.
    rmSync(temporary, { force: true });
    folder.close();
  }
}

/** Writes pieces to an open file. */
function* put(fd: number, pieces: Iterable<Uint8Array>): Generator<'written', void> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    yield 'written';
  }
}

/** What an open file holds; each piece is good until the next. */
function* piecesOf(fd: number): Generator<Uint8Array> {
  const piece = Buffer.allocUnsafe(PIECE);
  for (let read = readSync(fd, piece); read > 0; read = readSync(fd, piece)) yield piece.subarray(0, read);
}

/** Gives the file its name; false where somebody else has taken that meanwhile. */
function linkNew(temporary: string, target: string): boolean {
  try {
    linkSync(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || statsOf(target)) return false;
    // A file system without links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    renameSync(temporary, target);
  }
  return true;
}

function alreadyThere(context: Caller, path: string): ScriptError {
  return new ScriptError('CONFLICT', `${context.method}: ${path} exists already`);
}

function onDisk(fd: number): Promise<void> {
  return new Promise((done, failed) => fsync(fd, (error) => (error ? failed(error) : done())));
}

/** Names in the path of a folder that is made, at most. */
const MOST_NAMES = 100;

/** Makes the folder that a path lies in and those above it, as far as they are not there. Throws as `makeFolder` does, and LIMIT_EXCEEDED for too many. */
export function makeFolderOf(context: Caller, path: string): void {
  checkPath(context, path);
  const folder = dirname(path);
  if (folder === '.' || isFolder(context, folder, path)) return;
  if (folder.split(sep).length > MOST_NAMES) throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: path: more than ${MOST_NAMES} folders`);
  makeFolder(context, folder, path);
}

/** Makes a folder and those above it, as far as they are not there. Throws as `writeFile` does, and TOOL_FAILED where a file or link is in the way; messages name `shown`. */
export function makeFolder(context: Caller, path: string, shown = path): void {
  const above = dirname(path);
  if (above !== '.' && above !== path && !isFolder(context, above, shown)) makeFolder(context, above, shown);
  const folder = openForWriting(context, path, shown);
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
function isFolder(context: Caller, path: string, shown: string): boolean {
  try {
    openForWriting(context, `${path}/x`, shown).close();
    return true;
  } catch (error) {
    if (error instanceof ScriptError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

function statsOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** Whether a file is the one that was seen before, with what it held then. */
function isSame(before: BigIntStats | undefined, now: BigIntStats | undefined): boolean {
  return before?.dev === now?.dev && before?.ino === now?.ino && before?.size === now?.size && before?.mtimeNs === now?.mtimeNs;
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

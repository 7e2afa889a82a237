import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ScriptError } from '../../errors.ts';
import { type Caller, existing, openForReading, openForWriting } from './access.ts';

/** A database file for another process to open: where it is, and which file it must turn out to be. */
export interface DatabaseFile {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/** Files that SQLite keeps beside a database, and opens by their names. */
const BESIDE = ['-journal', '-wal', '-shm'];

/** The database file at a path; one to write is made where there is none. Throws as `openForReading` and `openForWriting` do. */
export function databaseFile(context: Caller, path: string, write: boolean): DatabaseFile {
  return write ? toWrite(context, path) : toRead(context, path);
}

function toRead(context: Caller, path: string): DatabaseFile {
  const { fd } = openForReading(context, path, 'file');
  try {
    return identify(context, path, fd, existing(context, path));
  } finally {
    closeSync(fd);
  }
}

function toWrite(context: Caller, path: string): DatabaseFile {
  const folder = openForWriting(context, path);
  let fd: number | undefined;
  try {
    fd = openSync(folder.at(folder.name), constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0), 0o644);
    if (!fstatSync(fd).isFile()) throw new ScriptError('TOOL_FAILED', `${context.method}: ${path} is no file`);
    return identify(context, path, fd, join(realpathSync(dirname(folder.at(folder.name))), folder.name));
  } catch (error) {
    if (error instanceof ScriptError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ELOOP' ? 'it is a symbolic link' : code === 'EISDIR' ? 'it is a folder' : code === 'ENXIO' ? 'it is a device or pipe' : code;
    throw new ScriptError('TOOL_FAILED', `${context.method}: ${path} cannot be written (${why})`, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
    folder.close();
  }
}

function identify(context: Caller, path: string, fd: number, named: string): DatabaseFile {
  const real = existsSync('/proc/self/fd') ? readlinkSync(`/proc/self/fd/${fd}`) : named;
  const { dev: device, ino: inode } = fstatSync(fd, { bigint: true });
  for (const ending of BESIDE)
    if (lstatSync(real + ending, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new ScriptError('TOOL_FAILED', `${context.method}: ${path}${ending} is a symbolic link`);
  return { path: real, device, inode };
}

import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { allowedBy } from '../../call/capability.ts';
import type { Grants } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';

/** Linux names the file behind a descriptor, so what was opened can be checked, and folders be walked without their path. */
const DESCRIPTORS = process.platform === 'linux' && existsSync('/proc/self/fd');

/** Longer paths, in UTF-16 code units, are refused: no system opens them, and following one takes time by its square. */
const MOST_PATH = 4_096;

/** Who asks for files: a call's context, or in a thread what it is made of there. */
export interface Caller {
  readonly method: string;
  readonly run: { readonly grants: Pick<Grants, 'read' | 'write'> };
}

/** A file or folder that is open and lies inside an allowed folder, whatever its path became meanwhile. */
export interface Opened {
  readonly fd: number;
  readonly stats: Stats;
  /** As the script gave it. */
  readonly path: string;
}

/** Whether the run may read this path; a relative one is looked for in the allowed folders. */
export function mayRead(grants: Pick<Grants, 'read'>, path: string): boolean {
  return path.length <= MOST_PATH && !path.includes('\0') && locate(grants.read, path) !== undefined;
}

/** Opens a file or folder for reading. Throws NOT_FOUND, NOT_ALLOWED outside the allowed folders, TOOL_FAILED for what is neither. The caller closes it. */
export function openForReading(context: Caller, path: string, kind: 'file' | 'folder'): Opened {
  const real = existing(context, path);
  // Without O_NONBLOCK the opening of a pipe would wait for a writer.
  const fd = openReal(context, path, real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  const stats = fstatSync(fd);
  if (kind === 'file' ? stats.isFile() : stats.isDirectory()) return { fd, stats, path };
  closeSync(fd);
  throw new ScriptError(
    'TOOL_FAILED',
    `${context.method}: ${path}: expected a ${kind}, found ${stats.isDirectory() ? 'a folder' : stats.isFile() ? 'a file' : 'a device or pipe'}`,
  );
}

/** The real path of something that exists and may be read. */
export function existing(context: Caller, path: string): string {
  checkPath(context, path);
  const { read } = context.run.grants;
  if (read.length === 0) throw new ScriptError('NOT_ALLOWED', `${context.method}: this run may not read files (${allowedBy('read', 'DIR')})`);
  const found = locate(read, path);
  if (found !== undefined) return found;
  const outside = isAbsolute(path) || path.split(/[\\/]/).includes('..') || read.some((root) => present(resolve(root, path)));
  if (outside) throw new ScriptError('NOT_ALLOWED', `${context.method}: ${path} is outside the folders that this run may read (${allowedBy('read', 'DIR')})`);
  throw new ScriptError('NOT_FOUND', `${context.method}: ${path}: there is no such file or folder`);
}

/** Where a file to write goes: its folder is open and checked; `at(name)` is a path inside it that no swapped folder can redirect. */
export interface WritableFolder {
  readonly name: string;
  /** The real path of what is written, to tell one file from another. */
  readonly place: string;
  at(name: string): string;
  close(): void;
}

/** Opens the folder that a path to write lies in, which must exist; messages name `shown`. Throws NOT_ALLOWED outside the allowed folders, NOT_FOUND without the folder. */
export function openForWriting(context: Caller, path: string, shown = path): WritableFolder {
  checkPath(context, path);
  const { write } = context.run.grants;
  const [first] = write;
  if (first === undefined) throw new ScriptError('NOT_ALLOWED', `${context.method}: this run may not write files (${allowedBy('write', 'DIR')})`);
  const target = isAbsolute(path) ? path : join(first, path);
  const name = basename(target);
  const isInside = (real: string) => write.some((root) => inside(realOf(root) ?? root, real));
  const refusal = () => {
    // The allowed folder itself lies in one that is not.
    const real = realOf(target);
    if (real !== undefined && isInside(real) && statSync(real, { throwIfNoEntry: false })?.isDirectory())
      return new ScriptError('TOOL_FAILED', `${context.method}: ${shown} is a folder; nothing was written`);
    return new ScriptError('NOT_ALLOWED', `${context.method}: ${shown} is outside the folders that this run may write (${allowedBy('write', 'DIR')})`);
  };
  if (name === '' || name === '.' || name === '..') throw refusal();
  const folder = realOf(dirname(target));
  if (folder === undefined) {
    if (!isInside(dirname(resolve(target)))) throw refusal();
    throw new ScriptError('NOT_FOUND', `${context.method}: the folder of ${shown} does not exist`);
  }
  if (!isInside(folder)) throw refusal();
  const place = join(folder, name);
  if (!DESCRIPTORS) return { name, place, at: (file) => join(folder, file), close: () => undefined };
  const fd = openFolder(context, shown, folder);
  if (!isInside(readlinkSync(`/proc/self/fd/${fd}`))) {
    closeSync(fd);
    throw refusal();
  }
  return { name, place, at: (file) => `/proc/self/fd/${fd}/${file}`, close: () => closeSync(fd) };
}

function openFolder(context: Caller, path: string, folder: string): number {
  try {
    return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOTDIR' ? 'is no folder' : code === 'ELOOP' ? 'changed meanwhile' : `cannot be opened (${code})`;
    throw new ScriptError('TOOL_FAILED', `${context.method}: what ${path} should lie in ${why}`, { cause: error });
  }
}

/** True when a path is the folder or lies in it. */
export function inside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

function openReal(context: Caller, path: string, real: string, flags: number): number {
  const refusal = () => new ScriptError('NOT_ALLOWED', `${context.method}: ${path} changed while it was opened`);
  let fd: number;
  try {
    fd = openSync(real, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw refusal();
    if (code === 'ENOENT') throw new ScriptError('NOT_FOUND', `${context.method}: ${path}: there is no such file or folder`);
    throw new ScriptError('TOOL_FAILED', `${context.method}: ${path} cannot be opened (${code === 'EACCES' ? 'permission denied' : code})`, { cause: error });
  }
  const opened = DESCRIPTORS ? readlinkSync(`/proc/self/fd/${fd}`) : sameFile(fd, real) ? realOf(real) : undefined;
  if (opened !== undefined && context.run.grants.read.some((root) => inside(realOf(root) ?? root, opened))) return fd;
  closeSync(fd);
  throw refusal();
}

function sameFile(fd: number, path: string): boolean {
  const [opened, named] = [fstatSync(fd), lstatSync(path)];
  return opened.dev === named.dev && opened.ino === named.ino;
}

/** The real path below one of the folders; a relative path is tried in each. */
function locate(roots: readonly string[], path: string): string | undefined {
  for (const root of roots) {
    const realRoot = realOf(root);
    const real = realRoot && realOf(resolve(realRoot, path));
    if (real && roots.some((other) => inside(realOf(other) ?? other, real))) return real;
  }
  return undefined;
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function present(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Throws BAD_ARGUMENT for what can be no path, or is too long to be followed. */
export function checkPath(context: Caller, path: string): void {
  if (path.length > MOST_PATH)
    throw new ScriptError(
      'BAD_ARGUMENT',
      `${context.method}: path: expected at most ${MOST_PATH} characters, got ${path.length}: ${JSON.stringify(path.slice(0, 80))} and so on`,
    );
  if (path === '' || path.includes('\0'))
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: path: expected the path of a file, got ${JSON.stringify(path.slice(0, 80))}`);
}

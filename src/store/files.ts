import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { createHash } from '../call/digest.ts';
import { type BackupLine, readLine } from './backup-format.ts';
import { storeFailure } from './failure.ts';

const ENDING = '.backup';
/** How the name of a file ends that is not yet whole. */
const UNFINISHED = '.tmp';
/** One that was not written to for this long belongs to nobody any more, ms. */
export const LEFT_AFTER_MS = 3_600_000;
/** What is read or written at once, bytes. */
const PIECE = 2 ** 20;
/** What most first lines fit into, bytes. */
const LINE = 4_096;

/** Where the backup of an id lies. */
export function backupPath(folder: string, id: string): string {
  return join(folder, id + ENDING);
}

/** The ids of the backups of a folder. */
export function backupIds(folder: string): string[] {
  return namesIn(folder)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Removes a file; says whether there was one. Throws STORE_FAILED when it cannot be removed. */
export function removeFile(path: string): boolean {
  try {
    if (lstatSync(path).isDirectory()) return false;
    unlinkSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw storeFailure(error);
  }
}

/** Removes files of a folder that were left half written by processes that ended meanwhile. */
export function removeLeft(folder: string, now: number): void {
  for (const name of namesIn(folder)) {
    if (!name.endsWith(UNFINISHED)) continue;
    const path = join(folder, name);
    try {
      const stats = statSync(path);
      if (stats.isFile() && now - stats.mtimeMs > LEFT_AFTER_MS) unlinkSync(path);
    } catch {
      // Another process has removed it, or nobody may.
    }
  }
}

/** An open backup, its first line, and where the values begin. */
export interface OpenBackup extends Disposable {
  readonly file: number;
  readonly line: BackupLine;
  readonly start: number;
  readonly size: number;
}

/** Opens a backup; `damaged` where it begins with no line of one or is not as long as that says, `newer` where a newer llmspell made it, undefined when there is no such file. Throws STORE_FAILED. */
export function openBackup(path: string): OpenBackup | 'damaged' | 'newer' | undefined {
  const file = openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) {
      closeSync(file);
      return undefined;
    }
    const { size } = stats;
    for (let length = LINE; ; length *= 4) {
      const bytes = Buffer.alloc(Math.min(length, size));
      const got = readSync(file, bytes, 0, bytes.length, 0);
      const found = readLine(bytes.subarray(0, got));
      if (typeof found === 'object' && found.line.size_bytes === size - found.end)
        return { file, line: found.line, start: found.end, size, [Symbol.dispose]: () => closeSync(file) };
      if (!found && length < size && !bytes.includes(10)) continue;
      closeSync(file);
      return found === 'newer' ? found : 'damaged';
    }
  } catch (error) {
    closeSync(file);
    throw storeFailure(error);
  }
}

/** Whether the checksum of an open backup holds. Throws STORE_FAILED when it cannot be read. */
export function checksumHolds({ file, line, start }: OpenBackup): boolean {
  const hash = createHash('sha256');
  const piece = Buffer.allocUnsafe(PIECE);
  try {
    for (let position = start, got: number; ; position += got) {
      got = readSync(file, piece, 0, PIECE, position);
      if (got === 0) return hash.digest('hex') === line.sha256;
      hash.update(piece.subarray(0, got));
    }
  } catch (error) {
    throw storeFailure(error);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    // Without O_NONBLOCK the opening of a pipe would wait for a writer.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw storeFailure(error);
  }
}

/** Writes a file that is there whole or not at all, even when the process or the power ends. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  stageWhole(path, (file) => writeAll(file, bytes, 0));
  placeWhole(path);
}

/** Writes a file for `placeWhole` and waits for the disk; when that fails nothing stays. */
export function stageWhole(path: string, fill: (file: number) => void): void {
  const file = openSync(unfinished(path), 'w', 0o600);
  try {
    fill(file);
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    dropStaged(path);
    throw error;
  }
  closeSync(file);
}

/** Gives a file that this process has staged its name. */
export function placeWhole(path: string): void {
  renameSync(unfinished(path), path);
}

/** Removes a file that this process has staged, or begun to. */
export function dropStaged(path: string): void {
  rmSync(unfinished(path), { force: true });
}

function unfinished(path: string): string {
  return `${path}.${process.pid}${UNFINISHED}`;
}

/** Writes pieces behind one another from a position on; gives how many bytes they are and their SHA-256. */
export function writePieces(file: number, position: number, pieces: Iterable<Uint8Array>): { size: number; sha256: string } {
  const hash = createHash('sha256');
  let size = 0;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  const flush = () => {
    const bytes = Buffer.concat(held);
    hash.update(bytes);
    writeAll(file, bytes, position + size);
    size += bytes.length;
    held = [];
    heldBytes = 0;
  };
  for (const piece of pieces) {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes >= PIECE) flush();
  }
  flush();
  return { size, sha256: hash.digest('hex') };
}

/** All of the bytes at a position. */
export function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at);
}

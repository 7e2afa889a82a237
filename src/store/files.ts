import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readdirSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from '../call/digest.ts';
import { type BackupLine, readLine } from './backup-format.ts';
import { storeFailure } from './failure.ts';

const ENDING = '.backup';
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
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(ENDING))
      .map((name) => name.slice(0, -ENDING.length));
  } catch {
    return [];
  }
}

/** Whether it was there. */
export function removeFile(path: string): boolean {
  const there = existsSync(path);
  rmSync(path, { force: true });
  return there;
}

/** An open backup, its first line, and where the values begin. */
export interface OpenBackup extends Disposable {
  readonly file: number;
  readonly line: BackupLine;
  readonly start: number;
  readonly size: number;
}

/** Opens a backup; `damaged` where it begins with no line of one, undefined when there is none. Throws STORE_FAILED. */
export function openBackup(path: string): OpenBackup | 'damaged' | undefined {
  const file = openIfThere(path);
  if (file === undefined) return undefined;
  try {
    const { size } = fstatSync(file);
    for (let length = LINE; ; length *= 4) {
      const bytes = Buffer.alloc(Math.min(length, size));
      const got = readSync(file, bytes, 0, bytes.length, 0);
      const found = readLine(bytes.subarray(0, got));
      if (found) return { file, line: found.line, start: found.end, size, [Symbol.dispose]: () => closeSync(file) };
      if (length < size && !bytes.includes(10)) continue;
      closeSync(file);
      return 'damaged';
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
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw storeFailure(error);
  }
}

/** Writes a file that is there whole or not at all, even when the process or the power ends. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  fillWhole(path, (file) => writeAll(file, bytes, 0));
}

/** As `writeWhole`, of what `fill` writes into the open file. */
export function fillWhole(path: string, fill: (file: number) => void): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    fill(file);
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(temporary, path);
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

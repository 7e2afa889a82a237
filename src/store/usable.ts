import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newerFormat, SQLITE_NOTADB, storeFailure } from './failure.ts';
import type { Format } from './open.ts';

/** The head of a database: what it begins with, and where `PRAGMA user_version` stands (SQLite's file format, section 1.3). */
const MAGIC = 'SQLite format 3\0';
const VERSION_AT = 60;

/** Throws STORE_FAILED when it is there and no folder, or can never be: it lies below what is none. */
export function checkFolder(folder: string): void {
  const found = statOf(folder);
  if (found?.isDirectory() === false) throw storeFailure({ code: 'ENOTDIR' });
  if (!found && dirname(folder) !== folder) checkFolder(dirname(folder));
}

/** Throws STORE_FAILED when a database of the folder cannot be read, is none or was written by a newer llmspell. Reads heads only, without SQLite. */
export function checkDatabases(folder: string, formats: Readonly<Record<string, Format>>): void {
  for (const [name, { steps }] of Object.entries(formats)) {
    const path = join(folder, name);
    if (!statOf(path)?.size) continue;
    const head = headOf(path);
    if (head.toString('latin1', 0, MAGIC.length) !== MAGIC) throw storeFailure({ errcode: SQLITE_NOTADB }, path);
    const found = head.readUInt32BE(VERSION_AT);
    if (found > steps.length) throw newerFormat(found, steps.length);
  }
}

function statOf(path: string) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw storeFailure(error);
  }
}

function headOf(path: string): Buffer {
  try {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(VERSION_AT + 4);
      readSync(file, head, 0, head.length, 0);
      return head;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw storeFailure(error);
  }
}

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newerFormat, SQLITE_NOTADB, storeFailure } from './failure.ts';
import type { Format } from './open.ts';

/** The head of a database: what it begins with, and where `PRAGMA user_version` stands (SQLite's file format, section 1.3). */
const MAGIC = 'SQLite format 3\0';
const PAGE_SIZE_AT = 16;
const VERSION_AT = 60;
/** The root of the schema behind it, a page of a table (section 1.6): its kind, how many cells it has and where their content begins. */
const ROOT_AT = 100;
const CELLS_AT = 103;
const CONTENT_AT = 105;
const HEAD_BYTES = 108;
/** Kinds of pages of tables, with the bytes of their headers. */
const ROOT_HEADERS: Readonly<Record<number, number>> = { 5: 12, 13: 8 };
const SQLITE_CORRUPT = 11;

/** Throws STORE_FAILED when it is there and no folder, or can never be: it lies below what is none. */
export function checkFolder(folder: string): void {
  const found = statOf(folder);
  if (found?.isDirectory() === false) throw storeFailure({ code: 'ENOTDIR' });
  if (!found && dirname(folder) !== folder) checkFolder(dirname(folder));
}

/** Throws STORE_FAILED when a database of the folder cannot be read, is none, begins damaged or was written by a newer llmspell. Reads heads only, without SQLite. */
export function checkDatabases(folder: string, formats: Readonly<Record<string, Format>>): void {
  for (const [name, { steps }] of Object.entries(formats)) {
    const path = join(folder, name);
    if (!statOf(path)?.size) continue;
    const head = headOf(path);
    if (head.toString('latin1', 0, MAGIC.length) !== MAGIC) throw storeFailure({ errcode: SQLITE_NOTADB }, path);
    const found = head.readUInt32BE(VERSION_AT);
    if (found > steps.length) throw newerFormat(found, steps.length);
    // What a process that was killed had still to write may make it whole.
    if (!hasRoot(head) && !statOf(`${path}-wal`)?.size) throw storeFailure({ errcode: SQLITE_CORRUPT }, path);
  }
}

/** Whether the head goes on with what can be the root of a schema. */
function hasRoot(head: Buffer): boolean {
  const header = ROOT_HEADERS[head[ROOT_AT] ?? 0];
  const content = head.readUInt16BE(CONTENT_AT) || 65_536;
  const size = head.readUInt16BE(PAGE_SIZE_AT);
  return header !== undefined && ROOT_AT + header + 2 * head.readUInt16BE(CELLS_AT) <= content && content <= (size === 1 ? 65_536 : size);
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
      const head = Buffer.alloc(HEAD_BYTES);
      readSync(file, head, 0, head.length, 0);
      return head;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw storeFailure(error);
  }
}

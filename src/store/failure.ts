import { closeSync, openSync } from 'node:fs';
import { ScriptError } from '../errors.ts';

/** SQLite's primary result codes that have a sentence of their own. */
const SENTENCES: Readonly<Record<number, string>> = {
  5: 'another process is writing to the data folder and does not let go',
  6: 'another process is writing to the data folder and does not let go',
  8: 'the data folder cannot be written (read-only)',
  10: 'the disk reports an input/output error; nothing of this call was saved',
  11: 'a database in the data folder is damaged; restore the folder from a copy, or choose another one with --data',
  13: 'the disk is full; nothing of this call was saved',
  14: 'the data folder cannot be opened; check that it exists and may be written (data.dir, --data)',
  26: 'a database in the data folder is not one of llmspell; choose another folder with --data',
};

const TOO_MANY_OPEN = 'the process, or the machine, has too many open files (ulimit -n)';
/** What opening a database takes at most: itself, its log and its shared memory. */
const FILES_OF_DATABASE = 3;

export const SQLITE_BUSY = 5;
export const SQLITE_CANTOPEN = 14;
export const SQLITE_FULL = 13;
export const SQLITE_NOTADB = 26;

/** Whether a table is missing: somebody else has taken the database out of use. */
export function isNoSuchTable(error: unknown): boolean {
  return resultCode(error) === 1 && /no such table/.test((error as Error).message);
}

/** The primary result code of an error of `node:sqlite`, 0 for any other error. */
export function resultCode(error: unknown): number {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 255 : 0;
}

/** What is said of a database whose format has a higher version than this llmspell knows. */
export function newerFormat(found: number, known: number): ScriptError {
  return new ScriptError(
    'STORE_FAILED',
    `the data folder was written by a newer llmspell (format ${found}; this one knows ${known}): update llmspell, or choose another folder with --data`,
  );
}

/** A failure of the store as one sentence without a path of the host; one of a database names its file. */
export function storeFailure(error: unknown, file?: string): ScriptError {
  if (error instanceof ScriptError) return error;
  const system = (error as { code?: unknown } | null)?.code;
  const sentence =
    (resultCode(error) === SQLITE_CANTOPEN && tooManyOpen() ? TOO_MANY_OPEN : SENTENCES[resultCode(error)]) ??
    systemSentence(system) ??
    `the data folder cannot be used${typeof system === 'string' ? `, ${system}` : ''} (data.dir, --data)`;
  return new ScriptError('STORE_FAILED', file === undefined ? sentence : sentence.replace(/^a database/, `the database ${inDataFolder(file)}`), {
    cause: error,
  });
}

function inDataFolder(file: string): string {
  return (/(?:tenants[\\/][0-9a-f]{32}[\\/])?[^\\/]*$/.exec(file)?.[0] ?? '').replaceAll('\\', '/');
}

/** Whether no database can be opened for want of files, which SQLite does not tell from other reasons. */
function tooManyOpen(): boolean {
  const files: number[] = [];
  try {
    while (files.length < FILES_OF_DATABASE) files.push(openSync(process.execPath, 'r'));
    return false;
  } catch (error) {
    return systemSentence((error as NodeJS.ErrnoException).code) === TOO_MANY_OPEN;
  } finally {
    for (const file of files) closeSync(file);
  }
}

function systemSentence(code: unknown): string | undefined {
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'the data folder may not be read or written (permission denied)';
  if (code === 'EMFILE' || code === 'ENFILE') return TOO_MANY_OPEN;
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full; nothing of this call was saved';
  if (code === 'EFBIG') return 'a file of the data folder would become larger than the system allows; nothing of this call was saved';
  if (code === 'EIO') return 'the disk reports an input/output error; nothing of this call was saved';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'the data folder is not a folder (data.dir, --data)';
  return undefined;
}

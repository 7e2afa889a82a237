import type { DatabaseSync } from 'node:sqlite';
import type { Soon } from '../call/soon.ts';
import type { ScriptError } from '../errors.ts';
import { resultCode, SQLITE_BUSY, storeFailure } from './failure.ts';

const RETRY_MS = [5, 10, 20, 40, 80, 160, 320, 640, 1_280];

/** Does a write now, or again and again without blocking while another process writes. Throws what `failure` makes of an error: STORE_FAILED with one sentence. */
export function writing<T>(work: () => T, failure: (error: unknown) => ScriptError = storeFailure): Soon<T> {
  try {
    return work();
  } catch (error) {
    if (resultCode(error) === SQLITE_BUSY) return later(work, failure);
    throw failure(error);
  }
}

/** All of the work or nothing of it, as one transaction of the database. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

async function later<T>(work: () => T, failure: (error: unknown) => ScriptError): Promise<T> {
  let last: unknown;
  for (const ms of RETRY_MS) {
    await new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random())));
    try {
      return work();
    } catch (error) {
      last = error;
      if (resultCode(error) !== SQLITE_BUSY) break;
    }
  }
  throw failure(last);
}

import type { DatabaseSync } from 'node:sqlite';
import type { Soon } from '../call/soon.ts';
import type { ScriptError } from '../errors.ts';
import { resultCode, SQLITE_BUSY, storeFailure } from './failure.ts';

const RETRY_MS = [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560];
/** How often a write looks whether the lock is free while another connection of this process may hold it, ms. */
const LOOK_MS = 50;

/** The end of a write of this process that may hold the lock; undefined while there is none. */
type Others = () => Promise<unknown> | undefined;

/** Does a write now, or again and again without blocking while another process, or another connection of this one, writes. Throws what `failure` makes of an error: STORE_FAILED with one sentence. */
export function writing<T>(work: () => T, failure: (error: unknown) => ScriptError = storeFailure, others: Others = () => undefined): Soon<T> {
  try {
    return work();
  } catch (error) {
    if (resultCode(error) === SQLITE_BUSY) return later(work, failure, others);
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

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function later<T>(work: () => T, failure: (error: unknown) => ScriptError, others: Others): Promise<T> {
  let last: unknown;
  for (let attempt = 0; attempt < RETRY_MS.length; ) {
    const other = others();
    // It may still be waiting for its turn itself.
    if (other) await Promise.race([other, sleep(LOOK_MS)]);
    else await sleep((RETRY_MS[attempt++] as number) * (0.5 + Math.random()));
    try {
      return work();
    } catch (error) {
      last = error;
      if (resultCode(error) !== SQLITE_BUSY) break;
    }
  }
  throw failure(last);
}

import { mkdirSync, rmSync } from 'node:fs';
import { encode } from '../call/codec.ts';
import type { Soon } from '../call/soon.ts';
import { BackupBody } from './backup-body.ts';
import { bodyStart, lineOf, widthOf } from './backup-format.ts';
import type { Database } from './database.ts';
import { storeFailure } from './failure.ts';
import { backupPath, checksumHolds, fillWhole, openBackup, writeAll, writePieces } from './files.ts';
import { allEntries, allMeta, applyWrite, countEntries, emptyState, putMeta } from './sqlite-state.ts';
import type { BackupNote } from './store.ts';

/** Copies all values to a file, inside of a transaction. Throws STORE_FAILED; then there is no file. */
export function writeBackup(db: Database, folder: string, note: BackupNote): void {
  const entries = countEntries(db, note.created_at);
  const width = widthOf(note);
  function* pieces(): Generator<Uint8Array> {
    yield bodyStart(allMeta(db), entries);
    for (const entry of allEntries(db, note.created_at)) yield encode(entry);
  }
  try {
    mkdirSync(folder, { recursive: true });
    fillWhole(backupPath(folder, note.id), (file) => {
      const { size, sha256 } = writePieces(file, width, pieces());
      writeAll(file, lineOf(note, size, entries, sha256, width), 0);
    });
  } catch (error) {
    throw storeFailure(error);
  }
}

/** Whether a backup's checksum holds; undefined when there is none. */
export function checkBackup(folder: string, id: string): boolean | undefined {
  const opened = openBackup(backupPath(folder, id));
  if (typeof opened !== 'object') return opened && false;
  using backup = opened;
  return checksumHolds(backup);
}

/** Replaces all values by those of a backup in one transaction, which first makes a backup of what was there; gives what `checkBackup` would, and changes nothing unless that is true. */
export function restoreBackup(db: Database, folder: string, id: string, before: BackupNote, noted?: () => void): Soon<boolean | undefined> {
  const opened = openBackup(backupPath(folder, id));
  if (typeof opened !== 'object') return opened && false;
  const close = () => opened[Symbol.dispose]();
  const undo = (error: unknown): never => {
    close();
    rmSync(backupPath(folder, before.id), { force: true });
    throw error;
  };
  try {
    if (!checksumHolds(opened)) {
      close();
      return false;
    }
    const replaced = db.write(() =>
      db.transaction(() => {
        noted?.();
        writeBackup(db, folder, before);
        replaceAll(db, new BackupBody(opened.file, opened.start));
      }),
    );
    return settled(replaced, close, undo);
  } catch (error) {
    return undo(error);
  }
}

function settled(work: Soon<void>, close: () => void, undo: (error: unknown) => never): Soon<true> {
  const done = (): true => {
    close();
    return true;
  };
  return work instanceof Promise ? work.then(done, undo) : done();
}

function replaceAll(db: Database, body: BackupBody): void {
  emptyState(db);
  for (const [name, value] of Object.entries(body.meta)) putMeta(db, name, value);
  for (const [scope, key, value, expiresAt] of body.entries()) applyWrite(db, { scope, key, put: { value, expiresAt: expiresAt ?? undefined } });
}

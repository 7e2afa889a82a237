import { mkdirSync, rmSync } from 'node:fs';
import { doneInTurns } from '../call/breath.ts';
import { encode } from '../call/codec.ts';
import { cancelled } from '../call/run.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { BackupBody, OtherForm } from './backup-body.ts';
import { bodyStart, headOf, lineOf, widthOf } from './backup-format.ts';
import { type Database, PAGE_BYTES } from './database.ts';
import { storeFailure } from './failure.ts';
import {
  backupIds,
  backupPath,
  checksumHolds,
  dropStaged,
  type OpenBackup,
  openBackup,
  placeWhole,
  removeFile,
  removeLeft,
  stageWhole,
  writeAll,
  writePieces,
} from './files.ts';
import { allEntries, allMeta, applyWrite, countEntries, emptyState, putMeta } from './sqlite-state.ts';
import type { StateWork } from './state-task.ts';
import type { BackupFault, BackupHead, BackupNote, Backups, Charge } from './store.ts';

/** A database up to this size, or a backup, is read and written at once, bytes, */
const SMALL = 2 ** 18;
/** if it has not more values than this. */
const FEW = 300;

/** The database that backups are of, and who does what is large. */
export interface Backed {
  readonly db: Database;
  /** Has a thread do it. */
  beside<T>(work: StateWork, charge: Charge | undefined): Promise<T>;
  /** Has a thread do it that writes to the database. */
  writeBeside<T>(work: StateWork, charge: Charge | undefined): Promise<T>;
  /** Told before everything changes. */
  noteAll(): void;
  readonly nobody: Charge;
}

/** Backups as files of a folder. */
export function sqliteBackups(folder: string, { db, beside, writeBeside, noteAll, nobody }: Backed): Backups {
  const isSmall = () => db.size <= SMALL && db.one('SELECT 1 FROM state LIMIT 1 OFFSET :few', { few: FEW }) === undefined;
  /** A backup that is not there any more went with its tenant where that was removed. */
  const found = async <T>(work: Promise<T | undefined>): Promise<T | undefined> => {
    const result = await work;
    if (result === undefined && db.lookRemoved()) throw db.removal();
    return result;
  };
  return {
    make(note, charge) {
      removeLeft(folder, Date.now());
      const staged = isSmall()
        ? db.read(() => stageBackup(db, folder, note))
        : droppedWhereFailed(folder, note, beside<void>({ kind: 'backup', note }, charge));
      // The thread does not give it its name: one that is cancelled might do so late.
      return whenReady(staged, () => {
        const signal = charge?.signal;
        if (signal?.aborted || db.removed) {
          dropStaged(backupPath(folder, note.id));
          throw signal?.aborted ? cancelled(signal) : db.removal();
        }
        placeBackup(folder, note);
      });
    },
    check: (id, charge) => (isSmallBackup(folder, id) ? checkBackup(folder, id) : found(beside({ kind: 'check', id }, charge))),
    restore(id, before, charge) {
      removeLeft(folder, Date.now());
      if (isSmall() && isSmallBackup(folder, id)) return restoreBackup(db, folder, id, before, noteAll);
      return found(droppedWhereFailed(folder, before, writeBeside({ kind: 'restore', id, before }, charge)));
    },
    heads: (charge = nobody) => doneInTurns(charge.run.cpu, headsInSteps(folder)),
    remove: (id) => removeFile(backupPath(folder, id)),
  };
}

/** Copies all values to a file that has not yet its name, inside of a transaction. Throws STORE_FAILED; then there is no file. */
export function stageBackup(db: Database, folder: string, note: BackupNote): void {
  const entries = countEntries(db, note.created_at);
  const width = widthOf(note);
  function* pieces(): Generator<Uint8Array> {
    yield bodyStart(allMeta(db), entries);
    for (const entry of allEntries(db, note.created_at)) yield encode(entry);
  }
  try {
    makeBackupFolder(folder);
    stageWhole(backupPath(folder, note.id), (file) => {
      const { size, sha256 } = writePieces(file, width, pieces());
      writeAll(file, lineOf(note, size, entries, sha256, width), 0);
    });
  } catch (error) {
    throw storeFailure(error);
  }
}

/** True when a backup can be restored; undefined when there is none. */
export function checkBackup(folder: string, id: string): true | BackupFault | undefined {
  const opened = openBackup(backupPath(folder, id));
  if (typeof opened !== 'object') return faultOfLine(opened);
  using backup = opened;
  return faultOf(backup) ?? true;
}

/** Replaces all values by those of a backup in one transaction, which first makes a backup of what was there; gives what `checkBackup` would, and changes nothing unless that is true. */
export function restoreBackup(db: Database, folder: string, id: string, before: BackupNote, noted?: () => void): Soon<true | BackupFault | undefined> {
  const opened = openBackup(backupPath(folder, id));
  if (typeof opened !== 'object') return faultOfLine(opened);
  const close = () => opened[Symbol.dispose]();
  const undo = (error: unknown): never => {
    close();
    dropStaged(backupPath(folder, before.id));
    rmSync(backupPath(folder, before.id), { force: true });
    throw error;
  };
  try {
    const fault = faultOf(opened);
    if (fault) {
      close();
      return fault;
    }
    const replaced = db.write(() =>
      db.transaction(() => {
        noted?.();
        stageBackup(db, folder, before);
        replaceAll(db, opened);
        // Last, so that a restore that is cancelled before leaves no backup either.
        placeBackup(folder, before);
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

/** None above it is made: the folder of a tenant that was removed meanwhile stays gone. */
function makeBackupFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function placeBackup(folder: string, { id }: BackupNote): void {
  try {
    placeWhole(backupPath(folder, id));
  } catch (error) {
    throw storeFailure(error);
  }
}

/** Removes what a thread that has failed or was ended leaves half written. */
function droppedWhereFailed<T>(folder: string, { id }: BackupNote, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    dropStaged(backupPath(folder, id));
    throw error;
  });
}

function faultOfLine(opened: 'damaged' | 'newer' | undefined): BackupFault | undefined {
  return opened === 'damaged' ? 'checksum' : opened;
}

function faultOf(backup: OpenBackup): BackupFault | undefined {
  if (!checksumHolds(backup)) return 'checksum';
  try {
    for (const _ of new BackupBody(backup).entries());
    return undefined;
  } catch (error) {
    if (error instanceof OtherForm) return 'form';
    throw storeFailure(error);
  }
}

function isSmallBackup(folder: string, id: string): boolean {
  const opened = openBackup(backupPath(folder, id));
  if (typeof opened !== 'object') return true;
  using backup = opened;
  return backup.size <= SMALL && backup.line.entries <= FEW;
}

/** What is told of each backup, in steps; those that are damaged or cannot be read are left out. */
function* headsInSteps(folder: string): Generator<undefined, BackupHead[]> {
  const heads: BackupHead[] = [];
  for (const id of backupIds(folder)) {
    const head = headOfFile(backupPath(folder, id));
    if (head) heads.push({ ...head, id });
    yield;
  }
  return heads;
}

function headOfFile(path: string): BackupHead | undefined {
  try {
    const opened = openBackup(path);
    if (typeof opened !== 'object') return undefined;
    using backup = opened;
    return headOf(backup.line);
  } catch {
    return undefined;
  }
}

function replaceAll(db: Database, backup: OpenBackup): void {
  emptyState(db);
  for (const [name, value] of Object.entries(new BackupBody(backup).meta)) putMeta(db, name, value);
  // Large values last: each that is there already may have to be read for each one that is put.
  for (const large of [false, true]) {
    for (const [scope, key, value, expiresAt] of new BackupBody(backup).entries()) {
      if (value.length > PAGE_BYTES === large) applyWrite(db, { scope, key, put: { value, expiresAt: expiresAt ?? undefined } });
    }
  }
}

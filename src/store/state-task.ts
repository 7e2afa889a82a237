// What a thread does for large work of State, by a connection of its own.
import { join } from 'node:path';
import { decode } from '../call/codec.ts';
import type { Soon } from '../call/soon.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { type PackedCommit, unpackCommit } from './packed-commit.ts';
import { checkBackup, restoreBackup, stageBackup } from './sqlite-backups.ts';
import { total } from './sqlite-sessions.ts';
import { clearScope, commitAll } from './sqlite-state.ts';
import type { BackupNote } from './store.ts';

export type StateWork =
  | { readonly kind: 'commit'; readonly packed: Uint8Array; readonly now: number }
  | { readonly kind: 'clear'; readonly scope: string; readonly now: number }
  | { readonly kind: 'empty log' }
  | { readonly kind: 'backup'; readonly note: BackupNote }
  | { readonly kind: 'check'; readonly id: string }
  | { readonly kind: 'restore'; readonly id: string; readonly before: BackupNote };

/** What the thread is told. */
export interface StateTask {
  /** The tenant's. */
  readonly folder: string;
  readonly options: DatabaseOptions;
  readonly work: StateWork;
}

/** Does the work, all of it or nothing. */
export async function run({ folder, options, work }: StateTask): Promise<unknown> {
  const backups = join(folder, 'backups');
  if (work.kind === 'check') return checkBackup(backups, work.id);
  const db = new Database(join(folder, 'state.db'), options);
  try {
    if (options.max_bytes !== undefined) db.limitTo(options.max_bytes - total(db, 'file_bytes'));
    const result = await done(db, backups, work);
    db.emptyLog();
    return result;
  } finally {
    db.close();
  }
}

function done(db: Database, backups: string, work: Exclude<StateWork, { readonly kind: 'check' }>): Soon<unknown> {
  switch (work.kind) {
    case 'commit': {
      const { writes, ...rest } = unpackCommit(decode(work.packed) as PackedCommit);
      return db.write(() => db.transaction(() => commitAll(db, writes, work.now, rest)), work.now);
    }
    case 'clear':
      return db.write(() => db.transaction(() => clearScope(db, work.scope, work.now)), work.now);
    case 'backup':
      return db.read(() => stageBackup(db, backups, work.note));
    case 'restore':
      return restoreBackup(db, backups, work.id, work.before);
    case 'empty log':
      return undefined;
  }
}

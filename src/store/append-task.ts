// What a thread does for large turns: adds them by a connection of its own.
import { join } from 'node:path';
import { Database, type DatabaseOptions } from './database.ts';
import type { Quotas, Refused } from './sessions.ts';
import { sqliteSessions, total } from './sqlite-sessions.ts';

/** What the thread is told. */
export interface AppendTask {
  /** The tenant's. */
  readonly folder: string;
  readonly options: DatabaseOptions;
  readonly id: string;
  readonly turns: readonly Uint8Array[];
  readonly quotas: Quotas;
  readonly now: number;
}

/** Adds turns to an active session, all or none. Throws and refuses as `append` of a store does. */
export async function run({ folder, options, id, turns, quotas, now }: AppendTask): Promise<number | Refused> {
  const db = new Database(join(folder, 'state.db'), options);
  try {
    if (options.max_bytes !== undefined) db.limitTo(options.max_bytes - total(db, 'file_bytes'));
    return await sqliteSessions(db).append(id, turns, quotas, now);
  } finally {
    db.close();
  }
}

// What a thread does for large values: one operation of a tenant's store by a connection of its own.
import type { DatabaseOptions } from './database.ts';
import { SqliteStore } from './sqlite.ts';
import type { MetaWrite, StoredEntry, StoreWrite } from './store.ts';

/** What the thread is told: where the store is, and what to do. */
export interface LargeTask {
  readonly folder: string;
  readonly options: DatabaseOptions;
  readonly now: number;
  readonly get?: { readonly scope: string; readonly key: string };
  readonly commit?: { readonly writes: readonly StoreWrite[]; readonly meta: readonly MetaWrite[] };
}

/** Gives the entry, or whether the preconditions of the writes held. Throws as the store does. */
export async function run({ folder, options, now, get, commit }: LargeTask): Promise<StoredEntry | undefined | boolean> {
  const { durability, ...limits } = options;
  const store = new SqliteStore(folder, durability, limits, 'here');
  try {
    if (get) return await store.get(get.scope, get.key, now);
    return commit !== undefined && (await store.commit(commit.writes, now, commit.meta));
  } finally {
    store.close();
  }
}

import { compareBytes } from '../call/text.ts';
import type { BackupEntry } from './backup-format.ts';
import type { Database, Reader } from './database.ts';
import type { Steps } from './in-turns.ts';
import { Listing } from './listing.ts';
import {
  type Charge,
  type CommitOptions,
  type ListCheck,
  type ListOptions,
  newRevision,
  type StoredEntry,
  type StoreUsage,
  type StoreWrite,
  sameKeys,
} from './store.ts';

const LIVE = '(expires_at IS NULL OR expires_at > :now)';
/** Behind every text that begins with the prefix: no text has the byte FF. */
const WITH_PREFIX = "key < CAST(CAST(:prefix AS BLOB) || x'FF' AS TEXT)";

const STATEMENTS = {
  get: `SELECT value, revision, expires_at FROM state WHERE scope = :scope AND key = :key AND ${LIVE}`,
  revision: `SELECT revision FROM state WHERE scope = :scope AND key = :key AND ${LIVE}`,
  put: 'INSERT INTO state VALUES (:scope, :key, :value, :revision, :expires) ON CONFLICT DO UPDATE SET value = excluded.value, revision = excluded.revision, expires_at = excluded.expires_at',
  remove: 'DELETE FROM state WHERE scope = :scope AND key = :key',
  keysFrom: `SELECT key, ${LIVE} AS live FROM state WHERE scope = :scope AND key >= :from AND ${WITH_PREFIX} ORDER BY key`,
  keysAfter: `SELECT key, ${LIVE} AS live FROM state WHERE scope = :scope AND key > :from AND ${WITH_PREFIX} ORDER BY key`,
  scopesAfter: `SELECT scope, ${LIVE} AS live FROM state WHERE scope > :scope ORDER BY scope, key`,
  sizes: `SELECT scope, length(CAST(scope AS BLOB)) + length(CAST(key AS BLOB)) + length(value) AS bytes, ${LIVE} AS live FROM state ORDER BY scope, key`,
  sizesOf: 'SELECT length(value) AS bytes FROM state WHERE scope = :scope',
  clear: 'DELETE FROM state WHERE scope = :scope',
  count: `SELECT count(*) AS count FROM state WHERE scope = :scope AND ${LIVE}`,
  countAll: `SELECT count(*) AS count FROM state WHERE ${LIVE}`,
  firstExpiry: 'SELECT min(expires_at) AS first FROM state WHERE expires_at IS NOT NULL',
  expired: 'SELECT scope, key, length(value) AS bytes FROM state WHERE expires_at <= :now',
  all: `SELECT scope, key, value, expires_at FROM state WHERE ${LIVE} ORDER BY scope, key`,
  meta: 'SELECT value FROM meta WHERE name = :name',
  allMeta: 'SELECT name, value FROM meta',
  putMeta: 'INSERT INTO meta VALUES (:name, :value) ON CONFLICT DO UPDATE SET value = excluded.value',
} as const;

/** What has expired goes with later commits, so many keys and about so many bytes each time beside as much as is written: more than may come. */
const MOST_EXPIRED = 100;
const MOST_EXPIRED_BYTES = 2 ** 18;

interface Row {
  readonly scope: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
  readonly expires_at: number | null;
}

interface SizeRow {
  readonly scope: string;
  readonly key: string;
  readonly bytes: number;
}

/** `live` is 0 for what has expired and is still there: it is read too, so that no step passes over many. */
interface ListRow {
  readonly scope: string;
  readonly key: string;
  readonly live: number;
}

interface MetaRow {
  readonly name: string;
  readonly value: string;
}

/** Told of each key that is changed. */
export type Noted = (scope: string, key: string) => void;

export function getEntry(db: Database, scope: string, key: string, now: number): StoredEntry | undefined {
  const row = db.one<Row>(STATEMENTS.get, { scope, key, now });
  return row && { value: row.value, revision: row.revision, expiresAt: row.expires_at ?? undefined };
}

export function getMeta(db: Database, name: string): string | undefined {
  return db.one<MetaRow>(STATEMENTS.meta, { name })?.value;
}

export function putMeta(db: Database, name: string, value: string): void {
  db.run(STATEMENTS.putMeta, { name, value });
}

export function allMeta(db: Database): Record<string, string> {
  return Object.fromEntries(db.all<MetaRow>(STATEMENTS.allMeta).map(({ name, value }) => [name, value]));
}

/** Keys in byte order, in steps. */
export function* keysInSteps(db: Reader, scope: string, options: ListOptions, now: number, charge?: Charge): Steps<string[]> {
  const { prefix = '', after } = options;
  using keys = new Listing(options, charge);
  const behind = after !== undefined && compareBytes(after, prefix) >= 0;
  const rows = db.each<ListRow>(behind ? STATEMENTS.keysAfter : STATEMENTS.keysFrom, { scope, prefix, from: behind ? after : prefix, now });
  for (const { key, live } of rows) {
    if (keys.full) break;
    if (live) keys.add(key);
    yield;
  }
  return keys.texts;
}

/** The scopes that hold anything, in steps. */
export function* scopesInSteps(db: Reader, now: number, charge?: Charge): Steps<string[]> {
  using scopes = new Listing({}, charge);
  const { texts } = scopes;
  for (let found = -1; found < texts.length; ) {
    found = texts.length;
    for (const { scope, live } of db.each<ListRow>(STATEMENTS.scopesAfter, { scope: texts.at(-1) ?? '', now })) {
      yield;
      if (!live) continue;
      scopes.add(scope);
      break;
    }
  }
  return texts;
}

/** What is stored, in steps. */
export function* usageInSteps(db: Reader, now: number): Steps<StoreUsage> {
  let [entries, scopes, bytes] = [0, 0, 0];
  let last = '';
  for (const row of db.each<ListRow & SizeRow>(STATEMENTS.sizes, { now })) {
    yield;
    if (!row.live) continue;
    entries++;
    bytes += row.bytes;
    if (row.scope !== last) scopes++;
    last = row.scope;
  }
  return { entries, scopes, bytes };
}

/** Whether a scope has more entries, or takes more bytes. */
export function isLargeScope(db: Database, scope: string, most: { readonly entries: number; readonly bytes: number }): boolean {
  let [entries, bytes] = [0, 0];
  for (const row of db.each<SizeRow>(STATEMENTS.sizesOf, { scope })) {
    entries++;
    bytes += row.bytes;
    if (entries > most.entries || bytes > most.bytes) return true;
  }
  return false;
}

export function countEntries(db: Database, now: number): number {
  return db.one<{ count: number }>(STATEMENTS.countAll, { now })?.count ?? 0;
}

/** Every entry, read one by one. */
export function* allEntries(db: Database, now: number): Generator<BackupEntry> {
  for (const { scope, key, value, expires_at } of db.each<Row>(STATEMENTS.all, { now })) yield [scope, key, value, expires_at];
}

/** Makes one change, inside of `write`. */
export function applyWrite(db: Database, { scope, key, put, remove }: StoreWrite): void {
  if (put) db.run(STATEMENTS.put, { scope, key, value: put.value, revision: newRevision(), expires: put.expiresAt ?? null });
  else if (remove) db.run(STATEMENTS.remove, { scope, key });
}

/** A commit takes longer than it may. */
export class TakesLong extends Error {}

/** Makes all changes or, when something is not as expected, none and gives false; inside of a transaction. Throws TakesLong when it is not done at a time. */
export function commitAll(
  db: Database,
  writes: readonly StoreWrite[],
  now: number,
  { meta = [], lists = [] }: Pick<CommitOptions, 'meta' | 'lists'>,
  { noted, until = Number.POSITIVE_INFINITY }: { readonly noted?: Noted; readonly until?: number } = {},
): boolean {
  const goOn = () => {
    if (performance.now() > until) throw new TakesLong();
  };
  for (const [at, { scope, key, expect }] of writes.entries()) {
    if (at > 0) goOn();
    if (expect !== undefined && expect !== (db.one<Row>(STATEMENTS.revision, { scope, key, now })?.revision ?? 0)) return false;
  }
  for (const { name, expect } of meta) if (expect !== undefined && expect !== (getMeta(db, name) ?? '')) return false;
  if (!lists.every((list) => listHolds(db, list, now, goOn))) return false;
  removeExpired(db, now, noted, writes);
  for (const [at, write] of writes.entries()) {
    if (at > 0) goOn();
    applyWrite(db, write);
    noted?.(write.scope, write.key);
  }
  for (const { name, value } of meta) putMeta(db, name, value);
  return true;
}

function listHolds(db: Database, { scope, options, keys }: ListCheck, now: number, goOn: () => void): boolean {
  const steps = keysInSteps(db, scope, { ...options, limit: options.limit ?? keys.length + 1 }, now);
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return sameKeys(value, keys);
      goOn();
    }
  } finally {
    // A statement that is left in the middle would keep its moment.
    steps.return([]);
  }
}

/** When the first of all values expires or has expired; undefined when none does. */
export function firstExpiry(db: Database): number | undefined {
  return db.one<{ first: number | null }>(STATEMENTS.firstExpiry)?.first ?? undefined;
}

/** Removes some of what has expired, inside of a transaction, before something is written that so takes its place; false when there was none. */
export function removeExpired(db: Database, now: number, noted: Noted | undefined, written: readonly StoreWrite[] = []): boolean {
  const gone: SizeRow[] = [];
  let room = written.reduce((sum, { put }) => sum + (put?.value.length ?? 0), MOST_EXPIRED_BYTES);
  for (const row of db.each<SizeRow>(STATEMENTS.expired, { now })) {
    gone.push(row);
    room -= row.bytes;
    if (gone.length >= MOST_EXPIRED + written.length || room <= 0) break;
  }
  for (const { scope, key } of gone) {
    db.run(STATEMENTS.remove, { scope, key });
    noted?.(scope, key);
  }
  return gone.length > 0;
}

/** Removes a scope, inside of a transaction, and says how many entries it had. */
export function clearScope(db: Database, scope: string, now: number): number {
  const count = db.one<{ count: number }>(STATEMENTS.count, { scope, now })?.count ?? 0;
  db.run(STATEMENTS.clear, { scope });
  return count;
}

/** Removes everything, inside of a transaction. */
export function emptyState(db: Database): void {
  db.run('DELETE FROM state');
  db.run('DELETE FROM meta');
}

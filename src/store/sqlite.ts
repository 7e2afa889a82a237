import { join } from 'node:path';
import { encodeSoon } from '../call/codec.ts';
import { uncharged } from '../call/cpu.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import type { AppendTask } from './append-task.ts';
import type { ArtifactRecords } from './artifacts.ts';
import { type BlobFiles, blobFolder } from './blobs.ts';
import { Changes, type Moment } from './changes.ts';
import { Database, type DatabaseOptions, type Reader } from './database.ts';
import { storeFailure } from './failure.ts';
import { makeFolder } from './folders.ts';
import { doneFor, type Steps } from './in-turns.ts';
import { packingCommit } from './packed-commit.ts';
import type { Refused, SessionRecords } from './sessions.ts';
import { sqliteArtifacts } from './sqlite-artifacts.ts';
import { sqliteBackups } from './sqlite-backups.ts';
import { sqliteSessions } from './sqlite-sessions.ts';
import {
  applyWrite,
  clearScope,
  commitAll,
  firstExpiry,
  getEntry,
  getMeta,
  isLargeScope,
  keysInSteps,
  removeExpired,
  scopesInSteps,
  TakesLong,
  usageInSteps,
} from './sqlite-state.ts';
import type { StateTask, StateWork } from './state-task.ts';
import type { Backups, Charge, CommitOptions, ListCheck, ListOptions, MetaWrite, Store, StoredEntry, StoreUsage, StoreWrite } from './store.ts';

/** Turns, and values of one commit, that take more together are written by a thread, bytes. */
const LARGE = 2 ** 20;
/** So are commits of more changes and checks, and the clearing of so many values. */
const MANY = 300;
/** After so many saves it is looked again when the first value expires, which other processes save too. */
const SAVES_PER_LOOK = 256;
/** What takes longer is begun again in turns or in a thread, ms. */
const AT_ONCE_MS = 3;
const LARGE_MS = 60_000;
const BACKUP_MS = 600_000;
const APPEND = new URL('./append-task.ts', import.meta.url);
const STATE = new URL('./state-task.ts', import.meta.url);

/** A tenant's data in `state.db` and the files of its folder. */
export class SqliteStore implements Store {
  readonly backups: Backups;
  readonly sessions: SessionRecords;
  readonly artifacts: ArtifactRecords;
  readonly blobs: BlobFiles;
  readonly #db: Database;
  readonly #folder: string;
  readonly #options: DatabaseOptions;
  readonly #changes = new Changes();
  /** Nobody's run is charged where none is named. */
  readonly #nobody: Charge;
  /** When the first value expires, as far as is known: before that a save need not look for any that has. */
  #firstExpiry = Number.NEGATIVE_INFINITY;
  #saves = 0;

  /** Opens or makes the database. Throws STORE_FAILED with one sentence when that is impossible. */
  constructor(folder: string, durability: 'normal' | 'full', limits: Omit<DatabaseOptions, 'durability'> = {}) {
    this.#folder = folder;
    const databaseOptions = { durability, ...limits };
    this.#options = databaseOptions;
    this.#nobody = { run: uncharged(folder) };
    this.blobs = blobFolder(join(folder, 'blobs'));
    try {
      makeFolder(folder);
    } catch (error) {
      throw storeFailure(error);
    }
    const db = new Database(join(folder, 'state.db'), databaseOptions, {
      noted: this.#note,
      emptyLog: () => this.#beside<void>({ kind: 'empty log' }, LARGE_MS),
    });
    this.#db = db;
    this.backups = sqliteBackups(join(folder, 'backups'), {
      db,
      beside: (work, charge) => this.#beside(work, BACKUP_MS, charge),
      writeBeside: (work, charge) => this.#writeBeside(work, BACKUP_MS, charge),
      noteAll: () => this.#changes.noteAll(),
      nobody: this.#nobody,
    });
    const sessions = sqliteSessions(db);
    this.sessions = {
      ...sessions,
      append(id, turns, quotas, now) {
        if (turns.reduce((sum, { length }) => sum + length, 0) <= LARGE) return sessions.append(id, turns, quotas, now);
        const task: AppendTask = { folder, options: databaseOptions, id, turns, quotas, now };
        const options = { deadlineMs: LARGE_MS, run: uncharged(folder) };
        return db.writeBeside(async () => {
          try {
            return await (await import('../worker/pool.ts')).inWorker<number | Refused>(APPEND, task, options);
          } catch (error) {
            throw db.lookRemoved() ? db.removal(error) : error;
          }
        });
      },
    };
    this.artifacts = sqliteArtifacts(db, this.blobs, limits.max_bytes);
  }

  /** Whether something of it is under way, so that it must stay open. */
  get isBusy(): boolean {
    return this.#db.isBusy;
  }

  get isRemoved(): boolean {
    return this.#db.removed;
  }

  get(scope: string, key: string, now: number): StoredEntry | undefined {
    return getEntry(this.#db, scope, key, now);
  }

  list(scope: string, options: ListOptions, now: number, charge?: Charge): Soon<string[]> {
    return this.#inTurns(charge, (reader) => keysInSteps(reader, scope, options, now, charge));
  }

  scopes(now: number, charge?: Charge): Soon<string[]> {
    return this.#inTurns(charge, (reader) => scopesInSteps(reader, now, charge));
  }

  usage(now: number, charge?: Charge): Soon<StoreUsage> {
    return this.#inTurns(charge, (reader) => usageInSteps(reader, now));
  }

  meta(name: string): string | undefined {
    return getMeta(this.#db, name);
  }

  commit(writes: readonly StoreWrite[], now: number, { meta = [], lists = [], charge }: CommitOptions = {}): Soon<boolean> {
    const [first] = writes;
    if (first && writes.length === 1 && meta.length + lists.length === 0 && first.expect === undefined) {
      return this.#db.write(() => (this.#anyExpired(now) ? this.#db.transaction(() => this.#save(first, now)) : this.#save(first)), now);
    }
    this.#firstExpiry = Number.NEGATIVE_INFINITY;
    if (isLarge(writes, lists)) return this.#commitBeside(writes, now, meta, lists, charge);
    const held = this.#db.write(() => {
      const until = performance.now() + AT_ONCE_MS;
      try {
        return this.#db.transaction(() => commitAll(this.#db, writes, now, { meta, lists }, { noted: this.#note, until }));
      } catch (error) {
        if (error instanceof TakesLong) return error;
        throw error;
      }
    }, now);
    return whenReady(held, (all) => (all instanceof TakesLong ? this.#commitBeside(writes, now, meta, lists, charge) : all));
  }

  clear(scope: string, now: number, charge?: Charge): Soon<number> {
    if (isLargeScope(this.#db, scope, { entries: MANY, bytes: LARGE })) return this.#writeBeside({ kind: 'clear', scope, now }, LARGE_MS, charge);
    return this.#db.write(() => {
      this.#changes.noteAll();
      return this.#db.transaction(() => clearScope(this.#db, scope, now));
    }, now);
  }

  moment(): Moment {
    return this.#changes.moment(this.#db.version);
  }

  changedSince(moment: Moment): readonly string[] | undefined {
    return this.#changes.since(moment, this.#db.version);
  }

  abandon(): Soon<void> {
    return this.#db.write(() => {
      this.#db.transaction(() => {
        for (const table of ['state', 'sessions', 'artifacts', 'turns', 'session_values']) this.#db.run(`ALTER TABLE ${table} RENAME TO removed_${table}`);
      });
      this.#db.removed = true;
    });
  }

  close(): void {
    this.#db.close();
  }

  readonly #note = (scope: string, key: string): void => this.#changes.note(scope, key);

  /** Makes one change; with a time first some of what has expired by then goes. */
  #save(write: StoreWrite, now?: number): true {
    if (now !== undefined) removeExpired(this.#db, now, this.#note, [write]);
    applyWrite(this.#db, write);
    this.#note(write.scope, write.key);
    this.#firstExpiry = Math.min(this.#firstExpiry, write.put?.expiresAt ?? Number.POSITIVE_INFINITY);
    return true;
  }

  #anyExpired(now: number): boolean {
    if (now < this.#firstExpiry && ++this.#saves % SAVES_PER_LOOK !== 0) return false;
    this.#firstExpiry = firstExpiry(this.#db) ?? Number.POSITIVE_INFINITY;
    return this.#firstExpiry <= now;
  }

  /** Reads at once what does not take long, else in turns; all of one moment. */
  #inTurns<T>(charge: Charge = this.#nobody, read: (reader: Reader) => Steps<T>): Soon<T> {
    const until = performance.now() + AT_ONCE_MS;
    const steps = read(this.#db);
    try {
      do {
        const { done, value } = steps.next();
        if (done) return value;
      } while (performance.now() < until);
    } finally {
      // A statement that is left in the middle would keep its moment.
      steps.return(undefined as T);
    }
    return this.#db.readInTurns(charge, read);
  }

  #commitBeside(writes: readonly StoreWrite[], now: number, meta: readonly MetaWrite[], lists: readonly ListCheck[], charge = this.#nobody): Promise<boolean> {
    // Packed when its turn has come: of many that wait none takes twice its memory.
    return this.#db.writeBeside(async () => {
      const packed = await encodeSoon(charge.run.cpu, await doneFor(charge, packingCommit({ writes, meta, lists })));
      return this.#beside<boolean>({ kind: 'commit', packed, now }, LARGE_MS, charge, [packed.buffer as ArrayBuffer]);
    });
  }

  /** Has a thread do it that writes. */
  #writeBeside<T>(work: StateWork, deadlineMs: number, charge: Charge | undefined, transfer?: readonly ArrayBuffer[]): Promise<T> {
    return this.#db.writeBeside(() => this.#beside<T>(work, deadlineMs, charge, transfer));
  }

  #beside<T>(work: StateWork, deadlineMs: number, { run, signal }: Charge = this.#nobody, transfer: readonly ArrayBuffer[] = []): Promise<T> {
    return this.#db.busyWith(async () => {
      const { inWorker } = await import('../worker/pool.ts');
      const task: StateTask = { folder: this.#folder, options: this.#options, work };
      // The folder may belong to a tenant of the same name that has begun anew.
      if (this.#db.removed) throw this.#db.removal();
      try {
        return await inWorker<T>(STATE, task, { deadlineMs, run, signal, transfer });
      } catch (error) {
        if (this.#db.lookRemoved()) throw this.#db.removal(error);
        const { code, message } = asScriptError(error);
        throw signal?.aborted || !message.startsWith('the work ') ? error : new ScriptError(code, `${message}, so nothing of it was done`, { cause: error });
      }
    });
  }
}

/** Whether a commit is sure to take long. */
function isLarge(writes: readonly StoreWrite[], lists: readonly ListCheck[]): boolean {
  let [count, bytes] = [0, 0];
  for (const { put, remove, expectBytes = 0 } of writes) {
    // What is only looked at takes a fraction of a write.
    count += put || remove ? 1 : 1 / 8;
    bytes += (put?.value.length ?? 0) + expectBytes / 2;
    if (bytes > LARGE || count > MANY) return true;
  }
  return lists.reduce((sum, { keys }) => sum + keys.length / 8, count) > MANY;
}

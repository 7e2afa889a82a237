import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Soon, whenReady } from '../call/soon.ts';
import { ScriptError } from '../errors.ts';
import { transaction, writing } from './busy.ts';
import { isNoSuchTable, resultCode, SQLITE_FULL, storeFailure } from './failure.ts';
import { doneFor, type Steps } from './in-turns.ts';
import { Log } from './log.ts';
import { BUSY_MS, openDatabase, openReader } from './open.ts';
import { Readers } from './readers.ts';
import { STATE_FORMAT } from './schema.ts';
import { type Noted, removeExpired } from './sqlite-state.ts';
import type { Charge } from './store.ts';

export const PAGE_BYTES = 4_096;
/** A disk with less room than this is taken to be full, bytes. */
const ROOM = 16 * 2 ** 20;
/**
 * Pages that the connection of a thread keeps in memory, kB. To find the place of a key SQLite reads the whole of the values that it compares with:
 * with its usual 2 MB a few large values would be read again from the file for each small one that is written.
 */
const THREAD_CACHE_KB = 32_768;

export type Parameters = Readonly<Record<string, string | number | Uint8Array | null>>;

export interface DatabaseOptions {
  /** `normal` survives a killed process, `full` a power loss too. */
  readonly durability: 'normal' | 'full';
  /** What the database may take, bytes; beyond that LIMIT_EXCEEDED. */
  readonly max_bytes?: number | undefined;
  /** Pages of 4 kB that the database may have; beyond that the disk counts as full. */
  readonly most_pages?: number | undefined;
}

/** What the event loop's own connection has done for it. */
export interface DatabaseCare {
  /** Told of values that were removed for want of room. */
  readonly noted: Noted;
  /** Has a thread move the log into the database; without it the connection does so by itself. */
  readonly emptyLog: () => Promise<void>;
}

/** What reads. */
export interface Reader {
  /** Rows that are read one by one. */
  each<T>(sql: string, values?: Parameters): Iterable<T>;
}

/** An open `state.db`: statements prepared once, and writes that wait for other processes without blocking. */
export class Database implements Reader {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #options: DatabaseOptions;
  readonly #statements = new Map<string, StatementSync>();
  /** Set when the tenant whose database this is was removed, by this process or another one. */
  removed = false;
  /** The end of the last write that another connection of this process makes or waits to make. */
  #beside: Promise<void> | undefined;
  #waiting = 0;
  /** How much is under way that takes several turns of the event loop. */
  #working = 0;
  #closing = false;
  readonly #readers = new Readers();
  readonly #log: Log | undefined;
  readonly #noted: Noted | undefined;

  /** Opens, makes or upgrades it. Throws STORE_FAILED with one sentence when that is impossible. */
  constructor(path: string, options: DatabaseOptions, care?: DatabaseCare) {
    this.#path = path;
    this.#options = options;
    this.#noted = care?.noted;
    if (care)
      this.#log = new Log(`${path}-wal`, {
        setAutomatic: this.#setAutomatic,
        empty: care.emptyLog,
        inLine: (work) => this.#inLine(work),
        readers: this.#readers,
      });
    try {
      this.#db = openDatabase(path, options.durability, STATE_FORMAT);
      if (!care) this.#db.exec(`PRAGMA cache_size = -${THREAD_CACHE_KB}`);
      if (options.most_pages !== undefined) this.#db.exec(`PRAGMA max_page_count = ${options.most_pages}`);
      this.limitTo(options.max_bytes);
    } catch (error) {
      throw storeFailure(error, path);
    }
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  /** Whether something is under way that takes several turns: a read, a write that waits, work of a thread. */
  get isBusy(): boolean {
    return this.#working + this.#waiting > 0 || this.#beside !== undefined;
  }

  /** Counts work as under way until it ends. */
  async busyWith<T>(work: () => Promise<T>): Promise<T> {
    this.#working++;
    try {
      return await work();
    } finally {
      this.#working--;
    }
  }

  /** What it takes, bytes. */
  get size(): number {
    return (this.one<{ page_count: number }>('PRAGMA page_count')?.page_count ?? 0) * PAGE_BYTES;
  }

  /** Bounds the size of the database, bytes. */
  limitTo(bytes: number | undefined): void {
    if (bytes !== undefined) this.#db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytes / PAGE_BYTES))}`);
  }

  one<T>(sql: string, values: Parameters = {}): T | undefined {
    try {
      return this.#statement(sql).get(values) as T | undefined;
    } catch (error) {
      throw this.failure(error);
    }
  }

  all<T>(sql: string, values: Parameters = {}): T[] {
    try {
      return this.#statement(sql).all(values) as T[];
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Rows that are read one by one. */
  *each<T>(sql: string, values: Parameters = {}): Generator<T> {
    try {
      yield* this.#statement(sql).iterate(values) as Iterable<T>;
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Differs from that of an earlier moment when another connection has changed the database in between. */
  get version(): number {
    return this.one<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  /** Runs one change, inside of `write`. Gives how many rows it concerned. */
  run(sql: string, values: Parameters = {}): number {
    return Number(this.#statement(sql).run(values).changes);
  }

  /** Several reads of one moment. */
  read<T>(work: () => T): T {
    this.#db.exec('BEGIN');
    try {
      return work();
    } finally {
      this.#db.exec('COMMIT');
    }
  }

  /** Reads of one moment in steps, over several turns of the event loop, by a connection of its own; writes go on meanwhile. Throws CANCELLED as soon as the call is cancelled. */
  readInTurns<T>(charge: Charge, read: (reader: Reader) => Steps<T>): Promise<T> {
    return this.busyWith(async () => {
      try {
        return await this.#readers.read(charge.signal, async () => {
          using reader = openReader(this.#path);
          return await doneFor(charge, read(reader));
        });
      } catch (error) {
        throw this.failure(error);
      } finally {
        this.#log?.changed();
      }
    });
  }

  /** Changes all or nothing, inside of `write`. */
  transaction<T>(work: () => T): T {
    return transaction(this.#db, work);
  }

  /** As `transaction`, and waits until the disk has it and everything before it. */
  durable<T>(work: () => T): T {
    if (this.#options.durability === 'full') return this.transaction(work);
    this.#db.exec('PRAGMA synchronous = full');
    try {
      return this.transaction(work);
    } finally {
      this.#db.exec('PRAGMA synchronous = normal');
    }
  }

  /** Does it now, or again and again without blocking while another process writes. Where there is no room, what has expired by then goes first. */
  write<T>(work: () => T, now = Date.now()): Soon<T> {
    const shorter = this.#log?.tend();
    const soon = shorter ? shorter.then(() => this.#written(work, now)) : this.#written(work, now);
    return soon instanceof Promise ? this.#waited(soon) : soon;
  }

  /** Has another connection of this process write, one at a time; who wants to write here meanwhile and finds the database locked waits for that, and does not hold the event loop. */
  writeBeside<T>(work: () => Promise<T>): Promise<T> {
    return this.busyWith(async () => {
      const shorter = this.#log?.tend();
      if (shorter) await shorter;
      try {
        return await this.#inLine(work);
      } finally {
        this.#log?.changed();
      }
    });
  }

  /** Moves the log into the database, all of it where nobody reads it; what cannot be moved stays there and is whole. */
  emptyLog(): void {
    try {
      // The bulk of it does not lock others out.
      for (const mode of ['PASSIVE', 'TRUNCATE']) this.#db.exec(`PRAGMA wal_checkpoint(${mode})`);
    } catch {
      return;
    }
  }

  async #inLine<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#beside;
    const result = before ? before.then(work) : work();
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    this.#beside = ended;
    this.#waitLocked(1);
    try {
      return await result;
    } finally {
      if (this.#beside === ended) {
        this.#beside = undefined;
        this.#waitLocked(BUSY_MS);
      }
    }
  }

  #written<T>(work: () => T, now: number): Soon<T> {
    const again = (error: unknown) => this.#withRoom(error, work, now);
    try {
      const soon = this.#attempt(work);
      return soon instanceof Promise ? soon.catch(again) : soon;
    } catch (error) {
      return again(error);
    }
  }

  #attempt<T>(work: () => T): Soon<T> {
    return writing(
      work,
      (error) => this.failure(error),
      () => this.#beside,
    );
  }

  /** Tries again with what has expired removed, as much of it as it takes. Throws the error where that is nothing, or where it is another one. */
  #withRoom<T>(error: unknown, work: () => T, now: number): Soon<T> {
    if (!isFull(error)) throw error;
    const remove = () => this.#attempt(() => this.transaction(() => removeExpired(this, now, this.#noted)));
    const goOn = async (): Promise<T> => {
      let removed = true;
      for (let pieces = 1; removed; pieces *= 2) {
        try {
          return await this.#attempt(work);
        } catch (again) {
          if (!isFull(again)) throw again;
        }
        for (let piece = 0; removed && piece < pieces; piece++) {
          await new Promise((done) => setImmediate(done));
          removed = await remove();
        }
      }
      throw error;
    };
    return whenReady(remove(), (removed) => {
      if (!removed) throw error;
      return goOn();
    });
  }

  readonly #setAutomatic = (pages: number): void => {
    if (this.#db.isOpen) this.#db.exec(`PRAGMA wal_autocheckpoint = ${pages}`);
  };

  #waitLocked(ms: number): void {
    if (this.#db.isOpen) this.#db.exec(`PRAGMA busy_timeout = ${ms}`);
  }

  /** Closes it, or lets the last waiting write do so. */
  close(): void {
    this.#closing = true;
    if (this.#waiting === 0 && this.#db.isOpen) this.#db.close();
  }

  async #waited<T>(soon: Promise<T>): Promise<T> {
    this.#waiting++;
    try {
      return await soon;
    } finally {
      this.#waiting--;
      if (this.#closing) this.close();
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.#db.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  /** What is said of an error: where the tenant was removed that is the reason, whatever failed of it. An error that is a sentence already stays. */
  failure(error: unknown): ScriptError {
    const { max_bytes } = this.#options;
    if (error instanceof ScriptError) return error;
    if (isNoSuchTable(error)) this.removed = true;
    if (this.lookRemoved()) return this.removal(error);
    if (max_bytes !== undefined && resultCode(error) === SQLITE_FULL && this.#diskHasRoom()) return tenantFull(max_bytes, error);
    return storeFailure(error, this.#path);
  }

  removal(cause?: unknown): ScriptError {
    return new ScriptError('STORE_FAILED', 'the tenant was removed; the next call begins anew', { cause });
  }

  /** Whether the tenant was removed; asks the database where that is not known. */
  lookRemoved(): boolean {
    if (this.removed || !this.isOpen) return this.removed;
    try {
      this.#db.prepare('SELECT 1 FROM state LIMIT 0');
    } catch (error) {
      this.removed = isNoSuchTable(error);
    }
    return this.removed;
  }

  #diskHasRoom(): boolean {
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      return bavail * bsize > ROOM;
    } catch {
      return true;
    }
  }
}

/** Whether there was no room for a write. */
function isFull(error: unknown): boolean {
  return error instanceof ScriptError && resultCode(error.cause) === SQLITE_FULL;
}

/** The refusal of what would make a tenant larger than it may be. */
export function tenantFull(maxBytes: number, cause?: unknown): ScriptError {
  return new ScriptError('LIMIT_EXCEEDED', `the tenant would take more than tenants.max_bytes = ${maxBytes}; nothing of this call was saved`, { cause });
}

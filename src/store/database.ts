import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { doneInTurns } from '../call/breath.ts';
import type { Cpu } from '../call/cpu.ts';
import type { Soon } from '../call/soon.ts';
import { ScriptError } from '../errors.ts';
import { transaction, writing } from './busy.ts';
import { isNoSuchTable, resultCode, SQLITE_FULL, storeFailure } from './failure.ts';
import { BUSY_MS, openDatabase, openReader } from './open.ts';
import { STATE_FORMAT } from './schema.ts';

const PAGE_BYTES = 4_096;
/** A disk with less room than this is taken to be full, bytes. */
const ROOM = 16 * 2 ** 20;

export type Parameters = Readonly<Record<string, string | number | Uint8Array | null>>;

export interface DatabaseOptions {
  /** `normal` survives a killed process, `full` a power loss too. */
  readonly durability: 'normal' | 'full';
  /** What the database may take, bytes; beyond that LIMIT_EXCEEDED. */
  readonly max_bytes?: number | undefined;
  /** Pages of 4 kB that the database may have; beyond that the disk counts as full. */
  readonly most_pages?: number | undefined;
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
  /** Set when another process has removed the tenant whose database this is. */
  removed = false;
  /** The end of the last write that another connection of this process makes or waits to make. */
  #beside: Promise<void> | undefined;
  #waiting = 0;
  #closing = false;

  /** Opens, makes or upgrades it. Throws STORE_FAILED with one sentence when that is impossible. */
  constructor(path: string, options: DatabaseOptions) {
    this.#path = path;
    this.#options = options;
    try {
      this.#db = openDatabase(path, options.durability, STATE_FORMAT);
      if (options.most_pages !== undefined) this.#db.exec(`PRAGMA max_page_count = ${options.most_pages}`);
      this.limitTo(options.max_bytes);
    } catch (error) {
      throw storeFailure(error, path);
    }
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
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
      throw this.#failure(error);
    }
  }

  all<T>(sql: string, values: Parameters = {}): T[] {
    try {
      return this.#statement(sql).all(values) as T[];
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Rows that are read one by one. */
  *each<T>(sql: string, values: Parameters = {}): Generator<T> {
    try {
      yield* this.#statement(sql).iterate(values) as Iterable<T>;
    } catch (error) {
      throw this.#failure(error);
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

  /** Reads of one moment in steps, over several turns of the event loop, by a connection of its own; writes go on meanwhile. */
  async readInTurns<T>(cpu: Cpu, read: (reader: Reader) => Generator<undefined, T>): Promise<T> {
    try {
      using reader = openReader(this.#path);
      return await doneInTurns(cpu, read(reader));
    } catch (error) {
      throw this.#failure(error);
    }
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

  /** Does it now, or again and again without blocking while another process writes. */
  write<T>(work: () => T): Soon<T> {
    const soon = writing(
      work,
      (error) => this.#failure(error),
      () => this.#beside,
    );
    return soon instanceof Promise ? this.#waited(soon) : soon;
  }

  /** Has another connection of this process write, one at a time; who wants to write here meanwhile and finds the database locked waits for that, and does not hold the event loop. */
  async writeBeside<T>(work: () => Promise<T>): Promise<T> {
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

  #failure(error: unknown): ScriptError {
    const { max_bytes } = this.#options;
    if (isNoSuchTable(error)) {
      this.removed = true;
      return new ScriptError('STORE_FAILED', 'the tenant was removed by another process; the next call begins anew', { cause: error });
    }
    if (max_bytes !== undefined && resultCode(error) === SQLITE_FULL && this.#diskHasRoom()) return tenantFull(max_bytes, error);
    return storeFailure(error, this.#path);
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

/** The refusal of what would make a tenant larger than it may be. */
export function tenantFull(maxBytes: number, cause?: unknown): ScriptError {
  return new ScriptError('LIMIT_EXCEEDED', `the tenant would take more than tenants.max_bytes = ${maxBytes}; nothing of this call was saved`, { cause });
}

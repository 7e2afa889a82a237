import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Soon } from '../../call/soon.ts';
import { ScriptError } from '../../errors.ts';
import { transaction, writing } from '../../store/busy.ts';
import { storeFailure } from '../../store/failure.ts';
import { makeFolder } from '../../store/folders.ts';
import { openDatabase } from '../../store/open.ts';
import { type BaseRow, KNOWLEDGE_FORMAT } from './schema.ts';
import { searchable } from './words.ts';

/** Called between the steps of a write by tests that kill the process or break the protocol there. */
export type Failpoint = (name: string, db: DatabaseSync) => void;

/** Statements that are kept prepared; filters have endlessly many forms. */
const MOST_STATEMENTS = 256;

/** A tenant's `knowledge.db`, or the same in memory where there is no folder. */
export class KnowledgeDatabase {
  readonly db: DatabaseSync;
  /** Of the database, undefined in memory. */
  readonly path: string | undefined;
  /** Where index files lie, undefined in memory. */
  readonly indexFolder: string | undefined;
  /** The tenant's, undefined in memory. */
  readonly folder: string | undefined;
  readonly durability: 'normal' | 'full';
  readonly failpoint: Failpoint | undefined;
  #beside: Promise<unknown> | undefined;
  readonly #statements = new Map<string, StatementSync>();

  /** Throws STORE_FAILED with one sentence when it cannot be opened or made. */
  constructor(folder: string | undefined, durability: 'normal' | 'full', failpoint?: Failpoint) {
    this.failpoint = failpoint;
    this.folder = folder;
    this.durability = durability;
    this.path = folder && join(folder, 'knowledge.db');
    this.indexFolder = folder && join(folder, 'vectors');
    try {
      if (this.indexFolder) makeFolder(this.indexFolder);
      this.db = openDatabase(this.path ?? ':memory:', durability, KNOWLEDGE_FORMAT);
      this.db.function('searchable', { deterministic: true }, (text) => (typeof text === 'string' ? searchable(text) : text));
      this.db.exec('PRAGMA cache_size = -16384');
    } catch (error) {
      throw storeFailure(error, this.path);
    }
  }

  base(name: string): BaseRow | undefined {
    return this.one<BaseRow>('SELECT * FROM bases WHERE name = ?', name);
  }

  one<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#reading(() => this.#statement(sql).get(...values) as T | undefined);
  }

  all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#reading(() => this.#statement(sql).all(...values) as T[]);
  }

  /** For use inside a write only. */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  /** One transaction, now or later; all of it or nothing. */
  write<T>(work: () => T): Soon<T> {
    if (this.#beside) return this.#beside.then(() => this.write(work));
    this.#checkOpen();
    return writing(() => transaction(this.db, work));
  }

  /** A write that somebody else makes, with a connection of its own; writes of this one wait for it. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    while (this.#beside) await this.#beside;
    const writing = work();
    const settled = writing.then(
      () => undefined,
      () => undefined,
    );
    this.#beside = settled;
    settled.then(() => {
      if (this.#beside === settled) this.#beside = undefined;
    });
    return writing;
  }

  close(): void {
    this.#statements.clear();
    if (this.db.isOpen) this.db.close();
  }

  #reading<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.db.isTransaction ? error : storeFailure(error, this.path);
    }
  }

  #checkOpen(): void {
    if (!this.db.isOpen) throw new ScriptError('STORE_FAILED', 'the knowledge of a tenant was closed while it was used; the next call opens it again');
  }

  #statement(sql: string): StatementSync {
    this.#checkOpen();
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.db.prepare(sql);
    const oldest = this.#statements.keys().next().value;
    if (this.#statements.size >= MOST_STATEMENTS && oldest !== undefined) this.#statements.delete(oldest);
    this.#statements.set(sql, made);
    return made;
  }
}

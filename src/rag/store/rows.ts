import { Matrix } from '../../vector/flat.ts';
import { floatsOf } from '../../vector/rows.ts';
import { Top } from '../../vector/top.ts';
import { type Found, scoreOf } from '../../vector/vector.ts';
import type { KnowledgeSettings } from '../knowledge.ts';
import type { KnowledgeDatabase } from './database.ts';
import type { BaseRow, LogRow } from './schema.ts';

/** Rows that are read before the event loop gets a turn, about 2 ms. */
const BATCH = 512;

/** A stored vector. */
export interface VectorRow {
  readonly id: number;
  readonly vector: Uint8Array;
}

/** The vectors of a base in memory, all or those behind an index; it catches up from the log, whoever wrote it. */
export class Rows {
  readonly #database: KnowledgeDatabase;
  #matrix: Matrix | undefined;
  #after = 0;
  #seq = 0;
  #working: Promise<unknown> = Promise.resolve();

  constructor(database: KnowledgeDatabase) {
    this.#database = database;
  }

  get sizeBytes(): number {
    return this.#matrix?.sizeBytes ?? 0;
  }

  drop(): void {
    this.#matrix = undefined;
  }

  /** The vectors whose number is beyond `after`, as of the base's row or later. */
  async matrix(base: BaseRow, settings: KnowledgeSettings, after: number): Promise<Matrix> {
    const work = this.#working.then(() => this.#current(base, settings, after));
    this.#working = work.catch(() => undefined);
    return work;
  }

  async #current(base: BaseRow, settings: KnowledgeSettings, after: number): Promise<Matrix> {
    const fits =
      this.#matrix?.dimensions === settings.dimensions && this.#matrix.metric === settings.metric && this.#after === after && this.#seq >= base.trimmed;
    const matrix = fits && this.#matrix ? this.#matrix : await this.#load(base, settings, after);
    if (this.#seq < base.seq) this.#catchUp(base.id, matrix);
    return matrix;
  }

  /** What is in memory, caught up with the base's row at once; undefined when that takes reading all anew. */
  caughtUp(base: BaseRow): Matrix | undefined {
    if (!this.#matrix || this.#seq < base.trimmed) return undefined;
    if (this.#seq < base.seq) this.#catchUp(base.id, this.#matrix);
    return this.#matrix;
  }

  async #load(base: BaseRow, settings: KnowledgeSettings, after: number): Promise<Matrix> {
    const matrix = new Matrix(settings.dimensions, settings.metric);
    for await (const rows of batches(this.#database, base.id, after)) for (const row of rows) matrix.add(row.id, row.vector);
    this.#matrix = matrix;
    this.#after = after;
    this.#seq = base.seq;
    return matrix;
  }

  #catchUp(n: number, matrix: Matrix): void {
    for (const entry of this.#database.all<LogRow>('SELECT * FROM log WHERE base = ? AND seq > ? ORDER BY seq', n, this.#seq)) {
      matrix.remove(entry.removed, entry.removed + entry.removed_count - 1);
      const from = Math.max(entry.added, matrix.lastKey + 1);
      for (const row of this.#database.all<VectorRow>(
        `SELECT id, vector FROM vectors_${n} WHERE id BETWEEN ? AND ? AND id > ? ORDER BY id`,
        from,
        entry.added + entry.added_count - 1,
        this.#after,
      ))
        matrix.add(row.id, row.vector);
      this.#seq = entry.seq;
    }
  }
}

/** Exact search over vectors that are not kept in memory. */
export async function streamSearch(database: KnowledgeDatabase, n: number, settings: KnowledgeSettings, query: Float32Array, limit: number): Promise<Found[]> {
  const top = new Top(limit);
  const matrix = new Matrix(settings.dimensions, settings.metric);
  for await (const rows of batches(database, n, 0)) {
    matrix.clear();
    for (const row of rows) matrix.add(row.id, row.vector);
    for (const { key, score } of await matrix.search(query, limit)) top.add(key, score);
  }
  return top.found();
}

/** Exact search among some vectors that are not kept in memory; unknown ones are left out. */
export async function gatherSearch(
  database: KnowledgeDatabase,
  n: number,
  settings: KnowledgeSettings,
  query: Float32Array,
  limit: number,
  ids: readonly number[],
): Promise<Found[]> {
  const top = new Top(limit);
  const sorted = [...ids].sort((a, b) => a - b);
  for (let from = 0; from < sorted.length; from += BATCH) {
    if (from > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const row of vectorsOf(database, n, sorted.slice(from, from + BATCH))) top.add(row.id, scoreOf(settings.metric, query, floatsOf(row.vector)));
  }
  return top.found();
}

/** The vectors of some chunks; unknown ones are left out. */
export function vectorsOf(database: KnowledgeDatabase, n: number, ids: readonly number[]): VectorRow[] {
  return database.all(`SELECT id, vector FROM vectors_${n} WHERE id IN (SELECT value FROM json_each(?))`, JSON.stringify(ids));
}

async function* batches(database: KnowledgeDatabase, n: number, after: number): AsyncGenerator<VectorRow[]> {
  for (let from = after; ; ) {
    const rows = database.all<VectorRow>(`SELECT id, vector FROM vectors_${n} WHERE id > ? ORDER BY id LIMIT ${BATCH}`, from);
    if (rows.length > 0) yield rows;
    if (rows.length < BATCH) return;
    from = rows.at(-1)?.id ?? from;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

import { doneInTurns } from '../../call/breath.ts';
import { uncharged } from '../../call/cpu.ts';
import { type Soon, whenReady } from '../../call/soon.ts';
import { ScriptError } from '../../errors.ts';
import { LOCAL_MODELS } from '../../model/local.ts';
import { inWorker } from '../../worker/pool.ts';
import type {
  BuildProgress,
  Chunk,
  DocumentInfo,
  Filter,
  Hit,
  KnowledgeBase,
  KnowledgeSettings,
  KnowledgeStats,
  PreparedDocument,
  Search,
} from '../knowledge.ts';
import type { KnowledgeDatabase } from './database.ts';
import { checkVectors, removeDocuments, storable, storeDocument } from './documents.ts';
import { compileFilter } from './filter.ts';
import { fuse } from './fuse.ts';
import { GraphIndex, type GraphOptions, graphSettings } from './graph.ts';
import { chunkOf, hitsOf, infoOf } from './present.ts';
import { type PutTask, packDocument } from './put-task.ts';
import type { RemoveTask } from './remove-task.ts';
import { Rows } from './rows.ts';
import { type BaseRow, baseTables, type ChunkRow, type DocumentRow } from './schema.ts';
import { type Ground, keywordChunks, nearestChunks, scoresOf } from './search.ts';
import { verifyBase } from './verify.ts';

/** Of each ranking that hybrid search fuses. */
const FUSED = 50;
const MOST_HITS = 1_000;
/** Texts with more UTF-16 code units are stored by a thread, so that the event loop goes on. */
const LARGE = 262_144;
const LARGE_MS = 300_000;
const PUT = new URL('./put-task.ts', import.meta.url);
const REMOVE = new URL('./remove-task.ts', import.meta.url);
/** Documents with more text together, in bytes, are removed by a thread too: taking words out of the index is slower than putting them in. */
const LARGE_REMOVED = 32_768;
/** Bytes of text that one transaction in a thread removes, unless one document has more. */
const MOST_REMOVED = 2 ** 24;
/** Documents that one transaction removes. */
const REMOVED_AT_ONCE = 100;

export interface BaseOptions extends GraphOptions {
  readonly memoryLimit: number;
  /** Told whenever vectors in memory were used, so that the oldest can be dropped. */
  readonly used: (rows: Rows) => void;
}

/** A knowledge base in a tenant's database. */
export class StoredBase implements KnowledgeBase {
  readonly name: string;
  readonly index: GraphIndex;
  readonly #database: KnowledgeDatabase;
  readonly #options: BaseOptions;
  readonly #all: Rows;
  readonly #behind: Rows;
  readonly #active = new Set<Promise<unknown>>();
  #parsed: { readonly text: string; readonly settings: KnowledgeSettings } | undefined;

  constructor(database: KnowledgeDatabase, name: string, options: BaseOptions) {
    this.name = name;
    this.index = new GraphIndex(database, name, options);
    this.#database = database;
    this.#options = options;
    this.#all = new Rows(database);
    this.#behind = new Rows(database);
  }

  get settings(): KnowledgeSettings | undefined {
    const row = this.#database.base(this.name);
    return row && this.#settingsOf(row);
  }

  configure(settings: KnowledgeSettings): Soon<void> {
    const text = JSON.stringify({ ...graphSettings(settings), embedder: settings.embedder, backend: settings.backend, chunking: settings.chunking });
    if (this.#database.base(this.name)?.settings === text) return undefined;
    return this.#database.write(() => {
      const row = this.#database.base(this.name);
      if (!row) {
        this.#database.run('INSERT INTO bases (name, settings) VALUES (?, ?)', this.name, text);
        this.#database.db.exec(baseTables((this.#database.base(this.name) as BaseRow).id));
      } else {
        if (row.documents > 0) checkVectors(this.name, this.#settingsOf(row), settings);
        this.#database.run('UPDATE bases SET settings = ? WHERE id = ?', text, row.id);
      }
    });
  }

  put(document: PreparedDocument, now: number): Soon<'added' | 'replaced' | 'skipped'> {
    const { row, settings } = this.#known();
    const stored = this.#store(document, settings, now);
    if (stored instanceof Promise) this.#track(stored);
    return whenReady(stored, (what) => {
      this.#database.failpoint?.('committed', this.#database.db);
      if (this.index.wanted(row, settings)) this.index.consider(this.#known().row, settings);
      return what;
    });
  }

  #store(document: PreparedDocument, settings: KnowledgeSettings, now: number): Soon<'added' | 'replaced' | 'skipped'> {
    const { folder, durability } = this.#database;
    const fits = document.chunks.every(({ vector }) => vector.length === settings.dimensions);
    const old = this.get(document.id);
    const large = document.text.length > LARGE || (old?.size ?? 0) > LARGE_REMOVED;
    if (folder !== undefined && fits && large && old?.hash !== document.hash) {
      const run = uncharged(folder);
      return this.#database.beside(async () => {
        const packed = await doneInTurns(run.cpu, packDocument(document, settings.dimensions));
        const task: PutTask = { folder, durability, base: this.name, document: packed, settings, now };
        return inWorker(PUT, task, { deadlineMs: LARGE_MS, transfer: packed.vectors.map(({ buffer }) => buffer), run });
      });
    }
    const prepared = storable(document, settings);
    return this.#database.write(() => {
      const { row, settings: current } = this.#known();
      checkVectors(this.name, current, settings);
      return storeDocument(this.#database, row, prepared, now);
    });
  }

  get(id: string): DocumentInfo | undefined {
    const row = this.#document(id);
    return row && infoOf(row);
  }

  text(id: string): string | undefined {
    const row = this.#document(id);
    return row && this.#database.one<{ text: string }>(`SELECT text FROM texts_${this.#known().row.id} WHERE document = ?`, row.id)?.text;
  }

  list({ after = '', limit = -1, filter = {} }: { after?: string | undefined; limit?: number | undefined; filter?: Filter | undefined }): DocumentInfo[] {
    const base = this.#database.base(this.name);
    const condition = compileFilter(filter, base?.id ?? 0, 'each');
    if (!base) return [];
    return this.#database
      .all<DocumentRow>(`SELECT * FROM documents_${base.id} d WHERE name > ? AND ${condition.sql} ORDER BY name LIMIT ?`, after, ...condition.values, limit)
      .map(infoOf);
  }

  remove(which: { ids: readonly string[] } | { filter: Filter }): Soon<number> {
    const base = this.#database.base(this.name);
    const condition = 'filter' in which ? compileFilter(which.filter, base?.id ?? 0, 'set') : undefined;
    if (!base) return 0;
    const names =
      'ids' in which
        ? [...new Set(which.ids)]
        : this.#database
            .all<{ name: string }>(`SELECT name FROM documents_${base.id} d WHERE ${condition?.sql}`, ...(condition?.values ?? []))
            .map((row) => row.name);
    const batches = this.#batchesOf(base, names);
    const [first, ...others] = batches;
    if (!first) return 0;
    const removed = this.#remove(first);
    return others.length === 0 && !(removed instanceof Promise) ? removed : this.#track(this.#removeMany(removed, others));
  }

  search(search: Search): Promise<Hit[]> {
    return this.#track(this.#search(search));
  }

  async #search(search: Search): Promise<Hit[]> {
    check(search);
    const base = this.#database.base(this.name);
    if (search.filter) compileFilter(search.filter, 0, 'set');
    if (!base || base.chunks === 0) return [];
    const ground = this.#ground(base);
    const depth = search.mode === 'hybrid' ? Math.max(FUSED, search.limit) : search.limit;
    const vector = search.mode === 'keyword' ? undefined : (search.vector as Float32Array);
    const near = vector ? await nearestChunks(ground, vector, depth, search.filter) : [];
    const worded = search.mode === 'vector' ? [] : keywordChunks(ground, search.text, depth, search.filter);
    const known = new Set(near.map(({ key }) => key));
    const unscored = vector ? worded.map(({ key }) => key).filter((key) => !known.has(key)) : [];
    const others = vector && unscored.length > 0 ? scoresOf(ground, vector, unscored) : [];
    // Texts that have nothing in common have no likeness at all by a local model.
    const zero = LOCAL_MODELS.includes(ground.settings.embedder) && ground.settings.metric !== 'l2' ? 0 : undefined;
    const ranked = fuse({ vector: near, keyword: worded, others, zero }).slice(0, search.limit);
    const scores = new Map([...near, ...others].map(({ key, score }) => [key, score]));
    return hitsOf(this.#database, base.id, { ranked, mode: search.mode, scores, metric: ground.settings.metric });
  }

  chunks(id: string, from: number, to: number): Chunk[] {
    const row = this.#document(id);
    if (!row || row.count === 0) return [];
    const last = Math.min(to, row.count - 1);
    return this.#database
      .all<ChunkRow>(`SELECT * FROM chunks_${this.#known().row.id} WHERE id BETWEEN ? AND ? ORDER BY id`, row.first + Math.max(0, from), row.first + last)
      .map((chunk) => chunkOf(chunk, row.first));
  }

  stats(): KnowledgeStats {
    const row = this.#database.base(this.name);
    const settings = row && this.#settingsOf(row);
    const indexed = row !== undefined && settings !== undefined && this.index.wanted(row, settings);
    const graph = indexed ? this.index.known(row, settings) : undefined;
    return {
      document_count: row?.documents ?? 0,
      chunk_count: row?.chunks ?? 0,
      vector_count: row?.chunks ?? 0,
      storage_size_bytes: (row?.bytes ?? 0) + (graph?.size ?? 0),
      index: indexed
        ? { kind: 'hnsw', state: this.index.stateOf(graph), entries: graph?.entries ?? 0, recall: graph?.recall }
        : { kind: 'flat', state: 'ready', entries: row?.chunks ?? 0 },
    };
  }

  async rebuild(onProgress?: BuildProgress, signal?: AbortSignal): Promise<void> {
    const row = this.#database.base(this.name);
    if (!row) return;
    const settings = this.#settingsOf(row);
    this.#all.drop();
    this.#behind.drop();
    if (this.index.wanted(row, settings)) await this.index.build(row, settings, true, onProgress, signal);
    else onProgress?.(row.chunks, row.chunks);
  }

  async verify(): Promise<string[]> {
    const row = this.#database.base(this.name);
    if (!row) return [];
    const settings = this.#settingsOf(row);
    const open = this.index.current ?? (await this.index.usable(row, settings)) ?? this.index.current;
    await this.#behind.matrix(row, settings, open?.snapshot.last ?? 0).catch(() => undefined);
    this.#options.used(this.#behind);
    // All of one moment: another process may be writing.
    return this.#database.write(() => {
      const now = this.#known().row;
      return verifyBase(this.#database, now, settings, open, this.#behind.caughtUp(now));
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#active);
    await this.index.close();
    this.#all.drop();
    this.#behind.drop();
  }

  /** The database stays open until this is done. */
  #track<T>(work: Promise<T>): Promise<T> {
    this.#active.add(work);
    work.then(
      () => this.#active.delete(work),
      () => this.#active.delete(work),
    );
    return work;
  }

  #ground(base: BaseRow): Ground {
    this.#options.used(this.#all);
    this.#options.used(this.#behind);
    const { exactLimit, memoryLimit } = this.#options;
    return {
      database: this.#database,
      base,
      settings: this.#settingsOf(base),
      index: this.index,
      all: this.#all,
      behind: this.#behind,
      exactLimit,
      memoryLimit,
    };
  }

  #known(): { readonly row: BaseRow; readonly settings: KnowledgeSettings } {
    const row = this.#database.base(this.name);
    if (!row) throw new ScriptError('INTERNAL', `the knowledge base ${JSON.stringify(this.name)} has no settings yet`);
    return { row, settings: this.#settingsOf(row) };
  }

  #settingsOf(row: BaseRow): KnowledgeSettings {
    if (this.#parsed?.text !== row.settings) this.#parsed = { text: row.settings, settings: JSON.parse(row.settings) as KnowledgeSettings };
    return this.#parsed.settings;
  }

  #document(id: string): DocumentRow | undefined {
    const base = this.#database.base(this.name);
    return base && this.#database.one<DocumentRow>(`SELECT * FROM documents_${base.id} WHERE name = ?`, id);
  }

  /** What one transaction each removes. Names that nothing is stored under are kept: a write that is waited for may store it. */
  #batchesOf({ id }: BaseRow, names: readonly string[]): Batch[] {
    const most = this.#database.folder === undefined ? LARGE_REMOVED : MOST_REMOVED;
    const batches: Batch[] = [];
    for (const name of names) {
      const size = this.#database.one<{ size: number }>(`SELECT size FROM documents_${id} WHERE name = ?`, name)?.size ?? 0;
      const last = batches.at(-1);
      if (last && last.names.length < REMOVED_AT_ONCE && last.size + size <= most) {
        last.names.push(name);
        last.size += size;
      } else batches.push({ names: [name], size });
    }
    return batches;
  }

  #remove({ names, size }: Batch): Soon<number> {
    const { folder, durability } = this.#database;
    if (folder === undefined || size <= LARGE_REMOVED) return this.#database.write(() => removeDocuments(this.#database, this.name, names));
    const task: RemoveTask = { folder, durability, base: this.name, names };
    return this.#database.beside(() => inWorker<number>(REMOVE, task, { deadlineMs: LARGE_MS, run: uncharged(folder) }));
  }

  async #removeMany(first: Soon<number>, others: readonly Batch[]): Promise<number> {
    let count = await first;
    for (const batch of others) {
      await new Promise((resolve) => setImmediate(resolve));
      count += await this.#remove(batch);
    }
    return count;
  }
}

interface Batch {
  readonly names: string[];
  /** Of their texts, bytes. */
  size: number;
}

function check({ mode, text, vector, limit }: Search): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_HITS)
    throw new ScriptError('BAD_ARGUMENT', `top_k: expected a whole number from 1 to ${MOST_HITS}, got ${limit}`);
  if (mode !== 'vector' && text.trim() === '') throw new ScriptError('BAD_ARGUMENT', 'query: expected some words, got an empty text');
  if (mode !== 'keyword' && !vector) throw new ScriptError('INTERNAL', `a search of mode ${mode} needs the vector of its query`);
}

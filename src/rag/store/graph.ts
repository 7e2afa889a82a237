import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { randomUUID } from '../../call/digest.ts';
import { ScriptError } from '../../errors.ts';
import { Graph, type GraphSettings, type Usearch } from '../../vector/hnsw.ts';
import type { BuildProgress, KnowledgeSettings } from '../knowledge.ts';
import { type BuildResult, buildGraph, checkFile } from './build.ts';
import type { KnowledgeDatabase } from './database.ts';
import { trimLog } from './documents.ts';
import type { BaseRow } from './schema.ts';

/** A file that no base names is removed when it is older, ms: another process may still be writing it, or opening it. */
const ORPHAN_MS = 600_000;
const FORMAT = 1;

/** What a base's row says about its index file. The file is used only where all of it fits. */
export interface Snapshot extends BuildResult {
  readonly format: number;
  readonly file: string;
  readonly embedder: string;
  readonly graph: GraphSettings;
}

/** An index that was checked and is in use. */
export interface OpenGraph {
  readonly snapshot: Snapshot;
  readonly graph: Graph;
}

export interface GraphOptions {
  /** Gives the optional package, undefined where it is missing. */
  readonly library: () => Promise<Usearch | undefined>;
  /** Up to so many vectors are searched exactly. */
  readonly exactLimit: number;
}

/** The graph index of one base: a cache that is never trusted. It lies in a file that is checked before use, and is made anew in a thread while exact search answers. */
export class GraphIndex {
  readonly #database: KnowledgeDatabase;
  readonly #name: string;
  readonly #options: GraphOptions;
  readonly #closed = new AbortController();
  readonly #refused = new Set<string>();
  #open: OpenGraph | undefined;
  #opening: Promise<void> | undefined;
  #building: { readonly done: Promise<void>; readonly abort: AbortController } | undefined;
  #consideredAt = -1;
  /** Why the last build failed, so that it is not tried at every search. */
  #failed = false;

  constructor(database: KnowledgeDatabase, name: string, options: GraphOptions) {
    this.#database = database;
    this.#name = name;
    this.#options = options;
  }

  /** The state of what `known` gave; `stored` is one that the first search will open. */
  stateOf(known: Snapshot | undefined): 'ready' | 'building' | 'stored' | 'absent' {
    if (this.#building) return 'building';
    if (this.#open) return 'ready';
    return known ? 'stored' : 'absent';
  }

  /** What is known of the index that is in use, or that lies in its file and may be. */
  known(base: BaseRow, settings: KnowledgeSettings): Snapshot | undefined {
    return this.#open?.snapshot ?? this.#stored(base, settings);
  }

  /** What the base's row names, where it may be used. */
  #stored(base: BaseRow, settings: KnowledgeSettings): Snapshot | undefined {
    const snapshot = readSnapshot(base.snapshot);
    return snapshot && fits(snapshot, settings) && !this.#refused.has(snapshot.file) ? snapshot : undefined;
  }

  get current(): OpenGraph | undefined {
    return this.#open;
  }

  /** The index that answers now, opened first if there is one; undefined where exact search has to. Starts a build where one is due. */
  async usable(base: BaseRow, settings: KnowledgeSettings): Promise<OpenGraph | undefined> {
    if (!this.wanted(base, settings)) return undefined;
    const snapshot = this.#stored(base, settings);
    if (snapshot && this.#open?.snapshot.file !== snapshot.file) {
      this.#opening ??= this.#openFile(snapshot).finally(() => (this.#opening = undefined));
      await this.#opening;
    }
    if (this.#open && !fits(this.#open.snapshot, settings)) this.#open = undefined;
    this.consider(base, settings);
    return this.#open?.snapshot.fetch === undefined ? undefined : this.#open;
  }

  wanted(base: BaseRow, settings: KnowledgeSettings): boolean {
    return settings.backend === 'hnsw' && this.#database.path !== undefined && base.chunks > this.#options.exactLimit;
  }

  /** Starts a build in the background where there is no index or too much has changed since. */
  consider(base: BaseRow, settings: KnowledgeSettings): void {
    if (this.#building || this.#opening || this.#failed || this.#closed.signal.aborted || !this.wanted(base, settings)) return;
    const snapshot = this.#stored(base, settings);
    if (snapshot && !this.#due(base, snapshot)) return;
    this.build(base, settings).catch(() => (this.#failed = !this.#closed.signal.aborted));
  }

  /** Makes the index and puts it to use. Throws NOT_FOUND without the optional package, CANCELLED by the signal. */
  async build(base: BaseRow, settings: KnowledgeSettings, anew = false, onProgress?: BuildProgress, signal?: AbortSignal): Promise<void> {
    await this.#opening;
    while (this.#building) {
      this.#building.abort.abort();
      await this.#building.done.catch(() => undefined);
    }
    const abort = new AbortController();
    const signals = [abort.signal, this.#closed.signal, ...(signal ? [signal] : [])];
    const done = this.#build(base, settings, anew, onProgress, AbortSignal.any(signals)).finally(() => (this.#building = undefined));
    this.#building = { done, abort };
    await done;
    this.#failed = false;
  }

  /** Waits for a build that is going on. */
  async settled(): Promise<void> {
    await this.#opening;
    await this.#building?.done.catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#opening?.catch(() => undefined);
    await this.#building?.done.catch(() => undefined);
    this.#open = undefined;
  }

  async #build(base: BaseRow, settings: KnowledgeSettings, anew: boolean, onProgress: BuildProgress | undefined, signal: AbortSignal): Promise<void> {
    const { path: database, indexFolder: folder } = this.#database;
    if (!(await this.#options.library()))
      throw new ScriptError(
        'NOT_FOUND',
        'the package usearch is not installed, so there is no index to make: exact search answers; npm install usearch brings it',
      );
    if (database === undefined || folder === undefined) return;
    const file = `${base.id}-${randomUUID()}.graph`;
    const open = this.#open;
    const extend =
      !anew && open && open.snapshot.entries < 1.2 * base.chunks ? { path: join(folder, open.snapshot.file), last: open.snapshot.last } : undefined;
    const task = { kind: 'build', database, base: base.id, path: join(folder, file), settings: graphSettings(settings), extend } as const;
    const result = await buildGraph(task, onProgress, signal);
    this.#database.failpoint?.('built', this.#database.db);
    const snapshot: Snapshot = { format: FORMAT, file, embedder: settings.embedder, graph: task.settings, ...result };
    const published = await this.#database.write(() => this.#publish(snapshot, base.snapshot));
    this.#database.failpoint?.('published', this.#database.db);
    if (!published) return rmSync(task.path, { force: true });
    await this.#openFile(snapshot);
    this.#collect(folder);
  }

  /** Points the row at a new file, unless another process was first. */
  #publish(snapshot: Snapshot, before: string | null): boolean {
    const row = this.#database.base(this.#name);
    if (!row || row.snapshot !== before || !fits(snapshot, JSON.parse(row.settings))) return false;
    this.#database.run('UPDATE bases SET snapshot = ?, index_bytes = ? WHERE id = ?', JSON.stringify(snapshot), snapshot.size, row.id);
    trimLog(this.#database, row.id, snapshot.seq);
    return true;
  }

  /** Checks a file in a thread and maps it. A file that differs in anything is refused for good. */
  async #openFile(snapshot: Snapshot): Promise<void> {
    const library = await this.#options.library();
    const folder = this.#database.indexFolder;
    if (!library || folder === undefined) return;
    const path = join(folder, snapshot.file);
    const graph = new Graph(library, snapshot.graph);
    try {
      if (!(await checkFile({ kind: 'check', path, size: snapshot.size, sha256: snapshot.sha256 }, this.#closed.signal))) throw new Error('differs');
      graph.view(path);
      if (graph.count !== snapshot.entries || graph.dimensions !== snapshot.graph.dimensions) throw new Error('differs');
      this.#open = { snapshot, graph };
    } catch {
      this.#refused.add(snapshot.file);
    }
  }

  #due(base: BaseRow, snapshot: Snapshot): boolean {
    if (base.seq - this.#consideredAt < 32) return false;
    this.#consideredAt = base.seq;
    // An index that does not find enough is tried again when there is much more to learn from.
    if (snapshot.fetch === undefined) return base.chunks > 2 * snapshot.entries;
    const { added, removed } = this.#database.one<{ added: number; removed: number }>(
      'SELECT coalesce(sum(added_count), 0) AS added, coalesce(sum(removed_count), 0) AS removed FROM log WHERE base = ? AND seq > ?',
      base.id,
      snapshot.seq,
    ) ?? { added: 0, removed: 0 };
    return added > Math.max(this.#options.exactLimit / 4, 0.1 * base.chunks) || removed > 0.25 * snapshot.entries || snapshot.entries > 1.5 * base.chunks;
  }

  /** Removes files that no base names, some time after they were made. */
  #collect(folder: string): void {
    const named = new Set(this.#database.all<{ snapshot: string | null }>('SELECT snapshot FROM bases').map((row) => readSnapshot(row.snapshot)?.file));
    for (const file of existsSync(folder) ? readdirSync(folder) : []) {
      if (!file.endsWith('.graph') || named.has(file) || file === this.#open?.snapshot.file) continue;
      try {
        if (Date.now() - statSync(join(folder, file)).mtimeMs > ORPHAN_MS) rmSync(join(folder, file));
      } catch {
        // Somebody else removed it, or has it open on a system that keeps open files: the next build tries again.
      }
    }
  }
}

/** The part of a base's settings that shapes its index. */
export function graphSettings({ dimensions, metric, m, ef_construction, ef_search }: KnowledgeSettings): GraphSettings {
  return { dimensions, metric, m, ef_construction, ef_search };
}

/** What a row says, undefined where it says nothing that can be read. */
export function readSnapshot(text: string | null): Snapshot | undefined {
  if (text === null) return undefined;
  try {
    const snapshot = JSON.parse(text) as Snapshot;
    return snapshot.format === FORMAT && /^[0-9]+-[0-9a-f-]{36}\.graph$/.test(snapshot.file) ? snapshot : undefined;
  } catch {
    return undefined;
  }
}

function fits(snapshot: Snapshot, settings: KnowledgeSettings): boolean {
  const wanted = graphSettings(settings);
  return snapshot.embedder === settings.embedder && (Object.keys(wanted) as (keyof GraphSettings)[]).every((key) => snapshot.graph[key] === wanted[key]);
}

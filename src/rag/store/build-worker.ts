// Runs in a worker thread: reads the vectors of a base, makes or extends the graph, measures it and writes it under a new name; or checks a file.
import type { Hash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { createHash } from '../../call/digest.ts';
import { Matrix } from '../../vector/flat.ts';
import { Graph, loadUsearch } from '../../vector/hnsw.ts';
import { floatsOf } from '../../vector/rows.ts';
import { Top } from '../../vector/top.ts';
import type { BuildResult, BuildTask, CheckTask, WorkerAnswer } from './build.ts';

const BATCH = 500;
/** Vectors that are kept back until the end and searched for, to measure the recall. */
const SAMPLES = 64;
const NEIGHBOURS = 10;
const FETCHES = [64, 96, 128, 256, 512, 1_024];
const LEAST_RECALL = 0.99;
/** What ends the search for a number of candidates: a little more than the least, for few vectors are measured. */
const WANTED_RECALL = 0.995;

const answer = (message: WorkerAnswer) => parentPort?.postMessage(message);
const task = workerData as BuildTask | CheckTask;
try {
  answer({ result: task.kind === 'check' ? check(task) : await build(task) });
} catch (error) {
  answer({ error: error instanceof Error ? error.message : String(error) });
}

async function build(task: BuildTask): Promise<BuildResult> {
  const library = await loadUsearch();
  if (!library) throw new Error('the package usearch is not installed');
  const db = new DatabaseSync(task.database, { readOnly: true, timeout: 5_000 });
  db.exec('BEGIN');
  const { seq } = db.prepare('SELECT seq FROM bases WHERE id = ?').get(task.base) as { seq: number };
  const ids = (db.prepare(`SELECT id FROM vectors_${task.base} ORDER BY id`).all() as { id: number }[]).map((row) => row.id);
  // Rows that vanish from here on are in the log behind `seq`.
  db.exec('COMMIT');
  const graph = new Graph(library, task.settings);
  if (task.extend) graph.load(task.extend.path);
  const after = task.extend?.last ?? 0;
  const fresh = ids.filter((id) => id > after);
  const samples = new Map<number, Float32Array>(sampled(fresh).map((id) => [id, new Float32Array()]));
  const best = new Map([...samples.keys()].map((id) => [id, new Top(NEIGHBOURS)]));
  const one = db.prepare(`SELECT vector FROM vectors_${task.base} WHERE id = ?`);
  for (const id of samples.keys()) {
    const row = one.get(id) as { vector: Uint8Array } | undefined;
    if (row) samples.set(id, floatsOf(row.vector));
    else samples.delete(id);
  }
  const matrix = new Matrix(task.settings.dimensions, task.settings.metric);
  const read = db.prepare(`SELECT id, vector FROM vectors_${task.base} WHERE id > ? AND id <= ? ORDER BY id LIMIT ${BATCH}`);
  const last = ids.at(-1) ?? 0;
  let done = 0;
  for (let from = 0; ; ) {
    const rows = read.all(from, last) as { id: number; vector: Uint8Array }[];
    if (rows.length === 0) break;
    from = rows.at(-1)?.id ?? last;
    const others = rows.filter((row) => !samples.has(row.id));
    matrix.clear();
    for (const row of others) matrix.add(row.id, row.vector);
    for (const [id, query] of samples) for (const found of await matrix.search(query, NEIGHBOURS)) best.get(id)?.add(found.key, found.score);
    addTo(
      graph,
      others.filter((row) => row.id > after),
      task.settings.dimensions,
    );
    done += rows.length;
    answer({ done, total: ids.length });
  }
  db.close();
  const { recall, fetch } = measure(graph, samples, best);
  addTo(
    graph,
    [...samples].map(([id, vector]) => ({ id, vector: new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength) })),
    task.settings.dimensions,
  );
  const entries = graph.count;
  graph.save(task.path);
  return { seq, last, entries, recall, fetch, ...sealed(task.path) };
}

function addTo(graph: Graph, rows: readonly { id: number; vector: Uint8Array }[], dimensions: number): void {
  if (rows.length === 0) return;
  const vectors = new Float32Array(rows.length * dimensions);
  rows.forEach((row, at) => vectors.set(floatsOf(row.vector), at * dimensions));
  graph.add(
    rows.map((row) => row.id),
    vectors,
    Math.max(1, availableParallelism() >> 1),
  );
}

/** Some of the new vectors, evenly. */
function sampled(ids: readonly number[]): number[] {
  const count = Math.min(SAMPLES, ids.length >> 3);
  return Array.from({ length: count }, (_, at) => ids[Math.floor(((at + 0.5) * ids.length) / count)] as number);
}

/** How many candidates must be fetched for the wanted recall, and what it is then; no number where even the most do not suffice. */
function measure(graph: Graph, samples: ReadonlyMap<number, Float32Array>, best: ReadonlyMap<number, Top>): { recall: number; fetch: number | undefined } {
  let recall = 1;
  for (const fetch of FETCHES) {
    let [found, all] = [0, 0];
    for (const [id, query] of samples) {
      const candidates = new Set(graph.search(query, fetch).map(({ key }) => key));
      const wanted = best.get(id)?.found() ?? [];
      all += wanted.length;
      found += wanted.filter(({ key }) => candidates.has(key)).length;
    }
    recall = all === 0 ? 1 : found / all;
    if (recall >= WANTED_RECALL) return { recall, fetch };
  }
  return { recall, fetch: recall >= LEAST_RECALL ? FETCHES.at(-1) : undefined };
}

/** Makes sure that the file is on the disk, and names its size and hash. */
function sealed(path: string): { size: number; sha256: string } {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return { size: statSync(path).size, sha256: hashOf(path) };
}

function check(task: CheckTask): boolean {
  return statSync(task.path).size === task.size && hashOf(task.path) === task.sha256;
}

function hashOf(path: string): string {
  const hash: Hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 20);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) hash.update(buffer.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

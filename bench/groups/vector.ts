import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KnowledgeSettings, PreparedDocument } from '../../src/rag/knowledge.ts';
import type { StoredBase } from '../../src/rag/store/base.ts';
import { type OpenKnowledge, openKnowledge } from '../../src/rag/store/knowledge.ts';
import { median, type Row, row } from '../row.ts';
import { makeVectors, type Shape } from '../vectors.ts';

/** What every store is measured with; peers use the same. */
export const DIMENSIONS = 384;
export const NEIGHBOURS = 10;
export const QUERIES = 100;
/** A hundredth of the documents has each value of `group`. */
export const GROUPS = 100;
const PER_DOCUMENT = 10;

/** Vectors to store and vectors to search for, which are of the same kind. */
export interface VectorSet {
  readonly count: number;
  readonly vectors: Float32Array;
  vector(at: number): Float32Array;
  query(at: number): Float32Array;
  /** The places of the nearest vectors, by plain comparison of all. */
  nearest(query: number, only?: (at: number) => boolean): number[];
}

/** So many made vectors and the queries for them. */
export function vectorSet(count: number, shape: Shape): VectorSet {
  const vectors = makeVectors(count + QUERIES, DIMENSIONS, shape);
  const vector = (at: number) => vectors.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS);
  const query = (at: number) => vector(count + at);
  return {
    count,
    vectors,
    vector,
    query,
    nearest(asked, only) {
      const wanted = query(asked);
      const scores: { at: number; score: number }[] = [];
      for (let at = 0; at < count; at++) {
        if (only && !only(at)) continue;
        let score = 0;
        for (let d = 0, from = at * DIMENSIONS; d < DIMENSIONS; d++) score += (wanted[d] as number) * (vectors[from + d] as number);
        scores.push({ at, score });
      }
      return scores
        .sort((a, b) => b.score - a.score)
        .slice(0, NEIGHBOURS)
        .map(({ at }) => at);
    },
  };
}

/** The group of a vector, for filtered search. */
export function groupOf(at: number): number {
  return Math.floor(at / PER_DOCUMENT) % GROUPS;
}

const SETTINGS: KnowledgeSettings = {
  embedder: 'bench/made',
  dimensions: DIMENSIONS,
  metric: 'cosine',
  backend: 'hnsw',
  m: 16,
  ef_construction: 128,
  ef_search: 64,
};

function documentOf(set: VectorSet, from: number): PreparedDocument {
  const texts = Array.from({ length: PER_DOCUMENT }, (_, at) => `${from + at} is the number of this text about topic${(from + at) % 89} and part${at}. `);
  let start = 0;
  const chunks = texts.map((text, index) => ({ index, text, start, stop: (start += text.length), vector: set.vector(from + index) }));
  return { id: `d${from}`, hash: `h${from}`, format: 'text', metadata: { group: groupOf(from), source: 'bench' }, text: texts.join(''), chunks };
}

/** The knowledge store with so many vectors: search, filtered search, a document, opening. */
export async function vectorRows(): Promise<Row[]> {
  return [
    ...(await rowsOf(1_000, 'clustered')),
    ...(await rowsOf(20_000, 'clustered')),
    ...(await rowsOf(100_000, 'clustered')),
    ...(await rowsOf(30_000, 'random')),
  ];
}

async function rowsOf(count: number, shape: Shape): Promise<Row[]> {
  const set = vectorSet(count, shape);
  const folder = mkdtempSync(join(tmpdir(), 'llmspell-bench-'));
  const open = () => openKnowledge({ backend: 'sqlite', durability: 'normal', dataDir: folder });
  const knowledge = open();
  const base = knowledge.base('bench', 'main');
  await base.configure(SETTINGS);
  const puts: number[] = [];
  for (let from = 0; from < count; from += PER_DOCUMENT) {
    const document = documentOf(set, from);
    const started = performance.now();
    await base.put(document, 0);
    puts.push(performance.now() - started);
    if (from % 1_000 === 0) await new Promise((turn) => setImmediate(turn));
  }
  if (count > 20_000) await base.rebuild();
  const name = `${count.toLocaleString('en')} × ${DIMENSIONS}${shape === 'random' ? ', random directions' : ''}`;
  const all = await measure(base, set);
  const filtered = await measure(base, set, 7);
  const words = await median(11, 1, () => base.search({ mode: 'keyword', text: 'the number of topic17', vector: undefined, limit: NEIGHBOURS }));
  const rows = [
    row(`vector search, ${name}`, all.ms, 'ms', shape === 'clustered' ? (count > 20_000 ? 1 : 4) : undefined),
    row(`recall of it, best ${NEIGHBOURS}`, all.recall, ''),
    row(`vector search under a filter of 1 %, ${name}`, filtered.ms, 'ms'),
    row(`keyword search with a word of every chunk, ${name}`, words / 1_000, 'ms'),
    row(`put of one document of ${PER_DOCUMENT} chunks, ${name}`, puts.sort((a, b) => a - b)[puts.length >> 1] as number, 'ms', 3),
  ];
  await knowledge[Symbol.asyncDispose]();
  if (count > 20_000) rows.push(row(`opening and first search, ${name}`, (await median(3, 1, () => openAndSearch(open, set))) / 1_000, 'ms'));
  rmSync(folder, { recursive: true, force: true });
  return rows;
}

async function openAndSearch(open: () => OpenKnowledge, set: VectorSet): Promise<void> {
  await using knowledge = open();
  await knowledge.base('bench', 'main').search({ mode: 'vector', text: '', vector: set.query(0), limit: NEIGHBOURS });
}

/** The median of a search, and how many of the nearest it finds. */
async function measure(base: StoredBase, set: VectorSet, group?: number): Promise<{ ms: number; recall: number }> {
  const filter = group === undefined ? undefined : { group };
  const ask = (at: number) => base.search({ mode: 'vector', text: '', vector: set.query(at), limit: NEIGHBOURS, filter });
  const times: number[] = [];
  let right = 0;
  for (let at = 0; at < 10; at++) await ask(at);
  for (let at = 0; at < QUERIES; at++) {
    const started = performance.now();
    const hits = await ask(at);
    times.push(performance.now() - started);
    if (at % 2 > 0) continue;
    const found = new Set(hits.map((hit) => Number(hit.document.id.slice(1)) + hit.chunk.index));
    right += set.nearest(at, group === undefined ? undefined : (one) => groupOf(one) === group).filter((one) => found.has(one)).length;
  }
  return { ms: times.sort((a, b) => a - b)[QUERIES >> 1] as number, recall: right / (Math.ceil(QUERIES / 2) * NEIGHBOURS) };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KnowledgeSettings } from '../../src/rag/knowledge.ts';
import { type OpenKnowledge, openKnowledge } from '../../src/rag/store/knowledge.ts';
import { loadPeer } from '../peers.ts';
import { headline, median, middleOf, type Row, row } from '../row.ts';
import { COMPARED, DIMENSIONS, documentOf, GROUP, NEIGHBOURS, PER_DOCUMENT, QUERIES, type VectorSet, vectorSet } from '../vector-set.ts';
import type { Shape } from '../vectors.ts';

/** Each query is asked so many times, but slow stores are asked less. */
const ROUNDS = 3;
const LEAST_QUERIES = 20;
const MOST_MS = 4_000;

const SETTINGS: KnowledgeSettings = {
  embedder: 'bench/made',
  dimensions: DIMENSIONS,
  metric: 'cosine',
  backend: 'hnsw',
  m: 16,
  ef_construction: 128,
  ef_search: 64,
};

/** Gives the places of the nearest vectors. */
type Search = (query: Float32Array, limit: number, group?: number) => Promise<number[]> | number[];

/** What a vector store of another project gives; `peers/` has them. */
interface VectorPeer {
  readonly version: string;
  open(folder: string, set: VectorSet): Promise<{ readonly search: Search; close(): void }>;
}

/** Orama and MemoryVectorStore keep vectors as JavaScript arrays: 100,000 would take over a gigabyte and half a minute to fill. */
const PEERS: Readonly<Record<number, readonly string[]>> = {
  1000: ['sqlite-vec', 'orama', 'langchain'],
  20000: ['sqlite-vec', 'orama', 'langchain'],
  100000: ['sqlite-vec'],
};

/** The most vectors that a peer is compared with. */
const MOST_COMPARED = 100_000;

/** The knowledge store with so many vectors, and peers with the same: search, filtered search, a document, opening. */
export async function vectorRows(): Promise<Row[]> {
  return [
    ...(await rowsOf(1_000, 'clustered')),
    ...(await rowsOf(20_000, 'clustered')),
    ...(await rowsOf(MOST_COMPARED, 'clustered')),
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
  const bar = shape === 'clustered' ? (count > 20_000 ? 1 : 4) : undefined;
  const search = async (query: Float32Array, limit: number, group?: number) => {
    const hits = await base.search({ mode: 'vector', text: '', vector: query, limit, filter: group === undefined ? undefined : { group } });
    return hits.map((hit) => Number(hit.document.id.slice(1)) + hit.chunk.index);
  };
  const words = (text: string) => median(11, 1, () => base.search({ mode: 'keyword', text, vector: undefined, limit: NEIGHBOURS }));
  const rare = await words('the number of topic17');
  const common = await words('the number of this text');
  const [all, filtered] = [await measure(search, set), await measure(search, set, GROUP)];
  const peers = await measurePeers(PEERS[shape === 'clustered' ? count : 0] ?? [], folder, set);
  const beside = (title: string, ours: number, of: 'all' | 'filtered', most?: number) =>
    peers.length === 0 ? [row(title, ours, 'ms', most)] : peers.map((peer) => row(title, ours, 'ms', most, [peer.version, peer[of]]));
  const searched = [...beside(`vector search, ${name}`, all.ms, 'all', bar), row(`recall of it, best ${NEIGHBOURS}`, all.recall, '')];
  const rows = [
    ...(count === MOST_COMPARED ? searched.map(headline) : searched),
    ...beside(`vector search under a filter of 1 %, ${name}`, filtered.ms, 'filtered'),
    row(`recall under the filter, best ${NEIGHBOURS}`, filtered.recall, ''),
    row(`keyword search with a word of every chunk and a rare one, ${name}`, rare / 1_000, 'ms'),
    row(`keyword search with words of every chunk alone, ${name}`, common / 1_000, 'ms'),
    row(`put of one document of ${PER_DOCUMENT} chunks, ${name}`, middleOf(puts), 'ms', 3),
  ];
  await knowledge[Symbol.asyncDispose]();
  if (count > 20_000) rows.push(row(`opening and first search, ${name}`, (await median(5, 1, () => openAndSearch(open, set))) / 1_000, 'ms'));
  rmSync(folder, { recursive: true, force: true });
  return rows;
}

/** The same vectors, texts and queries in other stores. Throws where one finds others than the nearest: its time would say nothing. */
async function measurePeers(names: readonly string[], folder: string, set: VectorSet) {
  const measured: { version: string; all: number; filtered: number }[] = [];
  for (const name of names) {
    const { version, open } = await loadPeer<VectorPeer>(name);
    const peer = await open(folder, set);
    const [all, filtered] = [await measure(peer.search, set), await measure(peer.search, set, GROUP)];
    if (Math.min(all.recall, filtered.recall) < 0.99) throw new Error(`${version} has a recall of ${all.recall}, under the filter ${filtered.recall}`);
    measured.push({ version, all: all.ms, filtered: filtered.ms });
    peer.close();
  }
  return measured;
}

async function openAndSearch(open: () => OpenKnowledge, set: VectorSet): Promise<void> {
  await using knowledge = open();
  await knowledge.base('bench', 'main').search({ mode: 'vector', text: '', vector: set.query(0), limit: NEIGHBOURS });
}

/** The median of a search over some rounds of queries, as many as fit the time, and how many of the nearest it finds. */
async function measure(search: Search, set: VectorSet, group?: number): Promise<{ ms: number; recall: number }> {
  const times: number[] = [];
  const found: number[][] = [];
  for (let at = 0; at < 10; at++) await search(set.query(at), NEIGHBOURS, group);
  const begun = performance.now();
  for (let at = 0; at < ROUNDS * QUERIES && (at < LEAST_QUERIES || performance.now() - begun < MOST_MS); at++) {
    const started = performance.now();
    const places = await search(set.query(at % QUERIES), NEIGHBOURS, group);
    times.push(performance.now() - started);
    if (at < COMPARED) found.push(places);
  }
  const nearest = group === undefined ? set.nearest.all : set.nearest.filtered;
  const right = found.reduce((sum, places, at) => sum + places.filter((place) => nearest[at]?.has(place)).length, 0);
  return { ms: middleOf(times), recall: right / (found.length * NEIGHBOURS) };
}

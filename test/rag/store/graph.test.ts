import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeVectors } from '../../../bench/vectors.ts';
import type { Filter } from '../../../src/rag/knowledge.ts';
import type { StoredBase } from '../../../src/rag/store/base.ts';
import { type KnowledgeOptions, openKnowledge } from '../../../src/rag/store/knowledge.ts';
import { tenantFolder } from '../../../src/store/folders.ts';
import { prepared, settings } from './support.ts';

const DIMENSIONS = 32;
const COUNT = 1_200;
const PER_DOCUMENT = 6;
const vectors = makeVectors(COUNT + 100, DIMENSIONS, 'clustered');
const vectorAt = (at: number) => vectors.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS);
const root = mkdtempSync(join(tmpdir(), 'llmspell-graph-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(root, String(++folders));
const open = (dataDir: string, more: Partial<KnowledgeOptions> = {}) =>
  openKnowledge({ backend: 'sqlite', durability: 'normal', dataDir, exactLimit: 500, ...more });

async function fill(base: StoredBase, from = 0, to = COUNT): Promise<void> {
  await base.configure(settings({ dimensions: DIMENSIONS }));
  for (let at = from; at < to; at += PER_DOCUMENT) {
    const own = Array.from({ length: PER_DOCUMENT }, (_, i) => vectorAt(at + i));
    await base.put(
      prepared(
        `d${at}`,
        own.map((_, i) => `text ${at + i} `),
        { vectors: own, metadata: { half: at % 2 === 0, tenth: (at / PER_DOCUMENT) % 10 } },
      ),
      0,
    );
  }
}

const found = async (base: StoredBase, query: number, filter?: Filter, limit = 10) =>
  (await base.search({ mode: 'vector', text: '', vector: vectorAt(query), limit, filter })).map((hit) => hit.chunk.text);

/** How much of what plain code finds is found. */
async function recall(base: StoredBase, there: (at: number) => boolean = () => true, filter?: Filter): Promise<number> {
  let [right, all] = [0, 0];
  for (let query = COUNT; query < COUNT + 20; query++) {
    const scores = Array.from({ length: COUNT }, (_, at) => at)
      .filter(there)
      .map((at) => ({ at, score: vectorAt(query).reduce((sum, value, d) => sum + value * (vectorAt(at)[d] as number), 0) }));
    const wanted = scores.sort((a, b) => b.score - a.score).slice(0, 10);
    const got = new Set(await found(base, query, filter));
    right += wanted.filter(({ at }) => got.has(`text ${at} `)).length;
    all += wanted.length;
  }
  return right / all;
}

/** A data folder with the index of 600 vectors. */
async function makeIndexed(): Promise<string> {
  const dataDir = folder();
  await using knowledge = open(dataDir);
  await fill(knowledge.base('t', 'main'), 0, 600);
  await knowledge.base('t', 'main').rebuild();
  return dataDir;
}

const files = (dataDir: string) => readdirSync(join(tenantFolder(dataDir, 't'), 'vectors'));

describe('the index of a base', { timeout: 120_000 }, () => {
  let indexed: string;
  beforeAll(async () => {
    indexed = await makeIndexed();
  });

  it('is made beside exact search, answers like it, and leaves out what was removed and in what came since', async () => {
    const dataDir = folder();
    await using knowledge = open(dataDir);
    const base = knowledge.base('t', 'main');
    await fill(base, 0, 900);
    expect(await recall(base, (at) => at < 900)).toBe(1);
    await base.index.settled();
    expect(base.stats().index).toMatchObject({ kind: 'hnsw', state: 'ready' });
    expect(base.stats().index.recall).toBeGreaterThanOrEqual(0.99);
    expect(await recall(base, (at) => at < 900)).toBeGreaterThan(0.97);
    await fill(base, 900);
    expect(await recall(base)).toBeGreaterThan(0.97);
    await base.put(prepared('d0', ['other'], { vectors: [vectorAt(COUNT + 1)] }), 0);
    await base.remove({ filter: { tenth: { $in: [1, 2, 3] } } });
    const there = (at: number) => at >= PER_DOCUMENT && ![1, 2, 3].includes(Math.floor(at / PER_DOCUMENT) % 10);
    expect((await found(base, COUNT + 1))[0]).toBe('other');
    await base.remove({ ids: ['d0'] });
    expect(await recall(base, there)).toBeGreaterThan(0.97);
    expect(await base.verify()).toEqual([]);
    await base.index.settled();
    expect(await base.verify()).toEqual([]);
  });

  it('finds what a filter selects, few or most', async () => {
    await using knowledge = open(folder());
    const base = knowledge.base('t', 'main');
    await fill(base);
    await base.index.settled();
    await base.rebuild();
    const tenth = (at: number) => Math.floor(at / PER_DOCUMENT) % 10;
    expect(await recall(base, (at) => tenth(at) === 4, { tenth: 4 })).toBe(1);
    expect(await recall(base, (at) => tenth(at) !== 4, { tenth: { $ne: 4 } })).toBeGreaterThan(0.97);
    expect(await recall(base, (at) => tenth(at) >= 5, { tenth: { $gte: 5 } })).toBeGreaterThan(0.97);
    expect(await found(base, COUNT, { tenth: 99 })).toEqual([]);
    expect((await found(base, COUNT, { tenth: { $gte: 5 } }, 1_000)).length).toBe(600);
  });

  it('is opened again, and extended when enough was added', async () => {
    const dataDir = folder();
    {
      await using knowledge = open(dataDir);
      await fill(knowledge.base('t', 'main'), 0, 600);
      await knowledge.base('t', 'main').rebuild();
      expect(knowledge.base('t', 'main').stats().index).toMatchObject({ entries: 600, state: 'ready' });
    }
    const [file] = files(dataDir);
    await using knowledge = open(dataDir);
    const base = knowledge.base('t', 'main');
    expect(base.stats().index).toMatchObject({ entries: 600, state: 'stored' });
    expect(await recall(base, (at) => at < 600)).toBeGreaterThan(0.97);
    expect(base.stats().index).toMatchObject({ entries: 600, state: 'ready' });
    expect(files(dataDir)).toEqual([file]);
    await fill(base, 600);
    await found(base, COUNT);
    await base.index.settled();
    expect(base.stats().index.entries).toBeGreaterThan(600);
    expect(await recall(base)).toBeGreaterThan(0.97);
    expect(await base.verify()).toEqual([]);
  });

  it.each<[string, (path: string, db: DatabaseSync) => void]>([
    [
      'a bit that flipped',
      (path) => {
        const bytes = readFileSync(path);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
        writeFileSync(path, bytes);
      },
    ],
    ['a file cut short', (path) => truncateSync(path, statSync(path).size >> 1)],
    ['an empty file', (path) => truncateSync(path, 0)],
    ['a file that is gone', (path) => rmSync(path)],
    ['another dimension', (_, db) => db.exec("UPDATE bases SET snapshot = json_set(snapshot, '$.graph.dimensions', 16)")],
    ['another metric', (_, db) => db.exec("UPDATE bases SET snapshot = json_set(snapshot, '$.graph.metric', 'l2')")],
    ['another embedder', (_, db) => db.exec("UPDATE bases SET snapshot = json_set(snapshot, '$.embedder', 'openai/other')")],
    ['another count', (_, db) => db.exec("UPDATE bases SET snapshot = json_set(snapshot, '$.entries', 7)")],
    ['another format', (_, db) => db.exec("UPDATE bases SET snapshot = json_set(snapshot, '$.format', 2)")],
    ['a path that leads elsewhere', (_, db) => db.exec("UPDATE bases SET snapshot = json_set(snapshot, '$.file', '../knowledge.db')")],
    ['a row that is no JSON', (_, db) => db.exec("UPDATE bases SET snapshot = 'x{'")],
  ])('that has %s is refused and made anew, while searches answer', async (_, harm) => {
    const dataDir = folder();
    cpSync(indexed, dataDir, { recursive: true });
    const path = join(tenantFolder(dataDir, 't'), 'vectors', files(dataDir)[0] as string);
    const db = new DatabaseSync(join(tenantFolder(dataDir, 't'), 'knowledge.db'));
    harm(path, db);
    db.close();
    await using knowledge = open(dataDir);
    const base = knowledge.base('t', 'main');
    expect(await recall(base, (at) => at < 600)).toBe(1);
    await base.index.settled();
    expect(base.stats().index).toMatchObject({ state: 'ready', entries: 600 });
    expect(base.index.current?.snapshot.file).not.toBe(path.split(/[\\/]/).at(-1));
    expect(knowledge.totals('t').bytes).toBe(base.stats().storage_size_bytes);
    expect(await recall(base, (at) => at < 600)).toBeGreaterThan(0.97);
    expect(await base.verify()).toEqual([]);
  });

  it('tells how far it is, and can be cancelled without harm', async () => {
    await using knowledge = open(folder());
    const base = knowledge.base('t', 'main');
    await fill(base);
    await base.index.settled();
    const told: [number, number][] = [];
    await base.rebuild((done, total) => told.push([done, total]));
    expect(told.at(-1)).toEqual([COUNT, COUNT]);
    expect(told.length).toBeGreaterThan(1);
    const { file } = base.index.current?.snapshot ?? {};
    const abort = new AbortController();
    await expect(base.rebuild(() => abort.abort(), abort.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(base.index.current?.snapshot.file).toBe(file);
    expect(await recall(base)).toBeGreaterThan(0.97);
  });

  it('is done without where the package is missing, with a sentence for who asks for it', async () => {
    await using knowledge = open(folder(), { library: async () => undefined });
    const base = knowledge.base('t', 'main');
    await fill(base);
    expect(await recall(base)).toBe(1);
    await expect(base.rebuild()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'the package usearch is not installed, so there is no index to make: exact search answers; npm install usearch brings it',
    });
    expect(base.stats().index).toMatchObject({ kind: 'hnsw', state: 'absent', entries: 0 });
  });

  it('is not needed for bases that do not fit into memory', async () => {
    await using knowledge = open(folder(), { library: async () => undefined, memoryLimit: 1_000 });
    const base = knowledge.base('t', 'main');
    await fill(base);
    expect(await recall(base)).toBe(1);
    expect(await recall(base, (at) => Math.floor(at / PER_DOCUMENT) % 10 === 4, { tenth: 4 })).toBe(1);
  });

  it('is made by two processes at once without harm, and files that nobody names go after a while', async () => {
    const dataDir = folder();
    await using one = open(dataDir);
    await using two = open(dataDir);
    const bases = [one.base('t', 'main'), two.base('t', 'main')];
    await fill(bases[0] as StoredBase);
    await bases[0]?.index.settled();
    const place = join(tenantFolder(dataDir, 't'), 'vectors');
    for (const [name, age] of [
      ['9-00000000-0000-0000-0000-000000000000.graph', 3_600],
      ['9-00000000-0000-0000-0000-000000000001.graph', 0],
    ] as const) {
      writeFileSync(join(place, name), 'left behind');
      utimesSync(join(place, name), Date.now() / 1_000 - age, Date.now() / 1_000 - age);
    }
    await Promise.all(bases.map((base) => base.rebuild()));
    for (const base of bases) {
      expect(await recall(base)).toBeGreaterThan(0.97);
      expect(await base.verify()).toEqual([]);
    }
    expect(bases[0]?.index.current?.snapshot.file).toBe(bases[1]?.index.current?.snapshot.file);
    const left = files(dataDir);
    expect(left).not.toContain('9-00000000-0000-0000-0000-000000000000.graph');
    expect(left).toContain('9-00000000-0000-0000-0000-000000000001.graph');
  });
});

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Search } from '../../../src/rag/knowledge.ts';
import { fuse } from '../../../src/rag/store/fuse.ts';
import { openKnowledge } from '../../../src/rag/store/knowledge.ts';
import { KNOWLEDGE_FORMAT } from '../../../src/rag/store/schema.ts';
import { matchExpression, searchedTerms } from '../../../src/rag/store/words.ts';
import { tenantFolder } from '../../../src/store/folders.ts';
import { openDatabase } from '../../../src/store/open.ts';
import { anyCharacter } from '../../support/text.ts';
import { prepared, settings, vectorOf } from './support.ts';

const root = mkdtempSync(join(tmpdir(), 'llmspell-knowledge-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(root, String(++folders));
const open = (backend: 'sqlite' | 'memory' = 'sqlite', dataDir = folder()) => openKnowledge({ backend, durability: 'normal', dataDir });
const ask = (mode: Search['mode'], text: string, more: Partial<Search> = {}): Search => ({ mode, text, vector: vectorOf(text), limit: 10, ...more });

describe.each(['sqlite', 'memory'] as const)('the contract of knowledge bases: %s', (backend) => {
  it('keeps documents whole: adds, skips, replaces, lists and removes', async () => {
    await using knowledge = open(backend);
    const base = knowledge.base('t', 'main');
    expect([base.settings, base.get('a'), base.list({}), await base.search(ask('hybrid', 'x')), await base.remove({ ids: ['a'] })]).toEqual([
      undefined,
      undefined,
      [],
      [],
      0,
    ]);
    expect(base.stats()).toMatchObject({ document_count: 0, chunk_count: 0, storage_size_bytes: 0 });
    await base.configure(settings());
    expect(await base.put(prepared('a', ['one fish ', 'two fish '], { metadata: { kind: 'poem', n: 1 } }), 10)).toBe('added');
    expect(await base.put(prepared('a', ['one fish ', 'two fish '], { metadata: { kind: 'poem', n: 1 } }), 11)).toBe('skipped');
    expect(await base.put(prepared('a', ['red fish ', 'blue fish ', 'old fish'], { metadata: { kind: 'poem', n: 2 } }), 12)).toBe('replaced');
    expect(await base.put(prepared('b', ['nothing']), 13)).toBe('added');
    expect(await base.put(prepared('empty', []), 13)).toBe('added');
    expect(base.get('a')).toEqual({
      id: 'a',
      hash: 'red fish |blue fish |old fish{"kind":"poem","n":2}',
      source: 'a.txt',
      format: 'text',
      metadata: { kind: 'poem', n: 2 },
      version: 2,
      chunks: 3,
      size: 27,
      created_at: 10,
      updated_at: 12,
    });
    expect(base.text('a')).toBe('red fish blue fish old fish');
    expect(base.chunks('a', 1, 9)).toEqual([
      { index: 1, text: 'blue fish ', start: 9, stop: 19, headings: ['Part', '1'] },
      { index: 2, text: 'old fish', start: 19, stop: 27, headings: undefined },
    ]);
    expect(base.chunks('a', -5, 0).map((chunk) => chunk.text)).toEqual(['red fish ']);
    expect([base.chunks('empty', 0, 9), base.chunks('none', 0, 9), base.text('none')]).toEqual([[], [], undefined]);
    expect(base.list({}).map(({ id }) => id)).toEqual(['a', 'b', 'empty']);
    expect(base.list({ after: 'a', limit: 1 }).map(({ id }) => id)).toEqual(['b']);
    expect(base.list({ filter: { n: { $gte: 2 } } }).map(({ id }) => id)).toEqual(['a']);
    expect(base.stats()).toMatchObject({ document_count: 3, chunk_count: 4, vector_count: 4, storage_size_bytes: 2 * 34 + 16 * 4 });
    expect(await base.verify()).toEqual([]);
    expect(await base.remove({ filter: { kind: 'poem' } })).toBe(1);
    expect(await base.remove({ ids: ['a', 'b', 'b', 'empty'] })).toBe(2);
    expect(base.stats()).toMatchObject({ document_count: 0, chunk_count: 0, storage_size_bytes: 0 });
    expect(await base.search(ask('hybrid', 'red fish'))).toEqual([]);
    expect(await base.verify()).toEqual([]);
  });

  it('searches by words, by vectors and by both, with scores and places', async () => {
    await using knowledge = open(backend);
    const base = knowledge.base('t', 'main');
    await base.configure(settings());
    await base.put(prepared('a', ['the running foxes'], { vectors: [Float32Array.of(1, 0, 0, 0)] }), 0);
    await base.put(prepared('b', ['a lazy dog'], { vectors: [Float32Array.of(3, 4, 0, 0)], metadata: { lazy: true } }), 0);
    await base.put(prepared('c', ['a fox and a dog'], { vectors: [Float32Array.of(0, 1, 0, 0)] }), 0);
    const vector = Float32Array.of(2, 0, 0, 0);
    const near = await base.search({ mode: 'vector', text: '', vector, limit: 2 });
    expect(near.map((hit) => [hit.document.id, hit.similarity?.toFixed(3), hit.score.toFixed(3), hit.ranks])).toEqual([
      ['a', '1.000', '1.000', { vector: 1, keyword: undefined }],
      ['b', '0.600', '0.600', { vector: 2, keyword: undefined }],
    ]);
    const worded = await base.search({ mode: 'keyword', text: 'Fox?', limit: 5 });
    expect(worded.map((hit) => [hit.document.id, hit.similarity, hit.ranks.keyword])).toEqual([
      ['a', undefined, 1],
      ['c', undefined, 2],
    ]);
    const both = await base.search({ mode: 'hybrid', text: 'dog', vector, limit: 5 });
    expect(both.map((hit) => [hit.document.id, hit.score, hit.similarity?.toFixed(1)])).toEqual([
      ['b', expect.closeTo(1 + 0.7 * 0.6, 6), '0.6'],
      ['c', expect.closeTo(0.8682927, 6), '0.0'],
      ['a', expect.closeTo(0.7, 6), '1.0'],
    ]);
    expect(both[0]?.chunk).toEqual({ index: 0, text: 'a lazy dog', start: 0, stop: 10, headings: undefined });
    expect(both[0]?.document).toEqual({ id: 'b', source: 'b.txt', format: 'text', metadata: { lazy: true }, version: 1 });
    const filtered = (mode: Search['mode'], filter: Search['filter']) => base.search({ mode, text: 'dog fox', vector, limit: 5, filter });
    for (const mode of ['vector', 'keyword', 'hybrid'] as const) expect((await filtered(mode, { lazy: true })).map((hit) => hit.document.id)).toEqual(['b']);
    expect(await filtered('hybrid', { lazy: 'no' })).toEqual([]);
    await expect(filtered('hybrid', { lazy: { $is: 1 } })).rejects.toThrow('there is no operator $is');
  });

  it('finds by words under filters of few and of many hits alike', async () => {
    await using knowledge = openKnowledge({ backend, durability: 'normal', dataDir: folder(), exactLimit: 10 });
    const base = knowledge.base('t', 'main');
    await base.configure(settings({ backend: 'flat' }));
    for (let at = 0; at < 60; at++) await base.put(prepared(`d${at}`, [`common words ${'often '.repeat(at)}`], { metadata: { at } }), 0);
    const find = async (filter: Search['filter'], limit = 3) =>
      (await base.search(ask('keyword', 'often', { limit, filter }))).map((hit) => Number(hit.document.id.slice(1)));
    const all = await find(undefined, 100);
    expect(all.length).toBe(59);
    expect(await find({ at: { $lt: 8 } })).toEqual(all.filter((at) => at < 8).slice(0, 3));
    expect(await find({ at: { $lt: 40 } })).toEqual(all.filter((at) => at < 40).slice(0, 3));
    expect(await find({ at: { $gte: 20 } }, 100)).toEqual(all.filter((at) => at >= 20));
  });

  it('finds by rare words among many chunks, and by common ones among the newest', async () => {
    await using knowledge = openKnowledge({ backend, durability: 'normal', dataDir: folder(), exactLimit: 10 });
    const base = knowledge.base('t', 'main');
    await base.configure(settings({ backend: 'flat' }));
    for (let at = 0; at < 120; at++) {
      const texts = Array.from({ length: 100 }, (_, chunk) => `a common thing ${chunk % 2 ? 'and frequent' : ''}${at === 0 && chunk < 3 ? ' rareword' : ''} `);
      await base.put(prepared(`d${at}`, at === 1 ? ['common', ...texts] : texts), 0);
    }
    const find = async (text: string, limit: number) =>
      (await base.search(ask('keyword', text, { limit }))).map(({ chunk, document }) => [document.id, chunk.text]);
    const mixed = await find('common rareword', 10);
    expect(mixed.slice(0, 3).map(([id]) => id)).toEqual(['d0', 'd0', 'd0']);
    expect(mixed.slice(3).every(([id]) => Number(id?.slice(1)) >= 20)).toBe(true);
    const both = await find('common frequent', 200);
    expect(both.length).toBe(200);
    expect(both.every(([, text]) => text?.includes('frequent'))).toBe(true);
    expect((await find('common', 1_000)).every(([id]) => Number(id?.slice(1)) >= 20)).toBe(true);
  });

  it('compares by product and by distance too', async () => {
    await using knowledge = open(backend);
    for (const [metric, order, first] of [
      ['dot', ['far', 'near'], 10],
      ['l2', ['near', 'far'], 1],
    ] as const) {
      const base = knowledge.base('t', metric);
      await base.configure(settings({ metric }));
      await base.put(prepared('far', ['x'], { vectors: [Float32Array.of(10, 0, 0, 0)] }), 0);
      await base.put(prepared('near', ['y'], { vectors: [Float32Array.of(1, 0, 0, 0)] }), 0);
      const hits = await base.search({ mode: 'vector', text: '', vector: Float32Array.of(1, 0, 0, 0), limit: 5 });
      expect([hits.map((hit) => hit.document.id), hits[0]?.similarity]).toEqual([order, first]);
    }
  });

  it('keeps texts of all kinds and finds their words', async () => {
    await using knowledge = open(backend);
    const base = knowledge.base('t', 'main');
    await base.configure(settings());
    const texts = {
      cafe: 'Un café crème',
      tokyo: '私は東京都に住んでいます',
      hangul: '서울에서 만나요',
      emoji: 'launch 🚀 day',
      nul: 'before\0after',
      surrogate: 'half \ud800 pair',
      quote: `it's "quoted" AND (NEAR) text*`,
    };
    for (const [id, text] of Object.entries(texts)) await base.put(prepared(id, [text]), 0);
    const find = async (text: string) => (await base.search(ask('keyword', text))).map((hit) => hit.document.id);
    expect(await find('CAFE')).toEqual(['cafe']);
    expect(await find('東京')).toEqual(['tokyo']);
    expect(await find('京都に行く')).toEqual(['tokyo']);
    expect(await find('北京')).toEqual([]);
    expect(await find('서울')).toEqual(['hangul']);
    expect(await find('🚀 launches')).toEqual(['emoji']);
    expect(await find('after')).toEqual(['nul']);
    expect(await find('quoted')).toEqual(['quote']);
    for (const odd of ['"', "'", '*', '(a', 'NEAR(', 'a AND', 'text:x', '^a', '-a', '{a}', 'a\0b', '\ud83d', '🚀', '!!!', 'a"b"c', '%_'])
      expect(await base.search(ask('keyword', odd))).toBeInstanceOf(Array);
    expect(base.text('nul')).toBe('before\0after');
    expect(await base.verify()).toEqual([]);
    expect(await base.remove({ ids: Object.keys(texts) })).toBe(7);
    expect(await base.verify()).toEqual([]);
  });

  it('refuses vectors and questions that cannot be, and keeps nothing of such a document', async () => {
    await using knowledge = open(backend);
    const base = knowledge.base('t', 'main');
    expect(() => base.put(prepared('a', ['x']), 0)).toThrow('has no settings yet');
    await base.configure(settings());
    for (const [vector, sentence] of [
      [Float32Array.of(1, 2), 'document "a", vector of chunk 2: expected 4 numbers, got 2'],
      [Float32Array.of(0, 0, 0, 0), 'expected a vector with a direction, got only zeros'],
      [Float32Array.of(1, 2, 3, Number.NaN), 'expected finite numbers, got NaN at 4'],
    ] as const)
      expect(() => base.put(prepared('a', ['x', 'y'], { vectors: [Float32Array.of(1, 0, 0, 0), vector] }), 0)).toThrow(sentence);
    expect(() => base.put(prepared('a', ['x'], { metadata: { f: () => null } }), 0)).toThrow('f: expected data that can be stored');
    expect(base.list({})).toEqual([]);
    await base.put(prepared('a', ['x']), 0);
    await expect(base.search(ask('hybrid', '  \n'))).rejects.toThrow('query: expected some words, got an empty text');
    await expect(base.search(ask('vector', '', { vector: Float32Array.of(1) }))).rejects.toThrow('vector: expected 4 numbers, got 1');
    for (const limit of [0, 1.5, 1_001])
      await expect(base.search(ask('keyword', 'x', { limit }))).rejects.toThrow('top_k: expected a whole number from 1 to 1000');
    expect(await base.verify()).toEqual([]);
  });

  it('fixes how vectors are made as long as it has documents', async () => {
    await using knowledge = open(backend);
    const base = knowledge.base('t', 'main');
    await base.configure(settings());
    await base.configure(settings({ embedder: 'openai/other', dimensions: 2 }));
    await base.configure(settings());
    await base.put(prepared('a', ['x']), 0);
    await base.configure(settings({ m: 32, backend: 'flat' }));
    expect(base.settings).toMatchObject({ m: 32, backend: 'flat' });
    expect(() => base.configure(settings({ embedder: 'openai/other' }))).toThrow(
      'the knowledge base "main" was made with the embedder local/hash (4 dimensions, cosine), and this call wants the embedder openai/other (4 dimensions, cosine): delete its documents and ingest them again, or give the other pipeline another name',
    );
    expect(() => base.configure(settings({ metric: 'l2' }))).toThrow('(4 dimensions, l2)');
  });

  it('keeps bases and tenants apart', async () => {
    await using knowledge = open(backend);
    for (const [tenant, name] of [
      ['t', 'one'],
      ['t', 'two'],
      ['u', 'one'],
    ] as const) {
      const base = knowledge.base(tenant, name);
      await base.configure(settings());
      await base.put(prepared(`${tenant}-${name}`, ['shared words']), 0);
    }
    expect([knowledge.bases('t'), knowledge.bases('u')]).toEqual([['one', 'two'], ['one']]);
    expect([knowledge.totals('t'), knowledge.totals('u')]).toEqual([
      { documents: 2, bytes: 2 * (2 * 12 + 16) },
      { documents: 1, bytes: 2 * 12 + 16 },
    ]);
    for (const [tenant, name] of [
      ['t', 'one'],
      ['t', 'two'],
      ['u', 'one'],
    ] as const)
      expect((await knowledge.base(tenant, name).search(ask('hybrid', 'words'))).map((hit) => hit.document.id)).toEqual([`${tenant}-${name}`]);
    expect(() => knowledge.base('t', '')).toThrow('name of the knowledge base: expected a text of 1 to 128 characters');
    expect(() => knowledge.base('../x', 'main')).toThrow('tenant: expected 1 to 128 of');
  });

  it('keeps nothing of names under which nothing is stored', async () => {
    await using knowledge = open(backend);
    const [stored, unused] = [knowledge.base('t', 'stored'), knowledge.base('t', 'unused')];
    await stored.configure(settings());
    for (let at = 0; at < 300; at++) expect(knowledge.base('t', `n${at}`).get('a')).toBe(undefined);
    expect(knowledge.base('t', 'stored')).toBe(stored);
    expect(knowledge.base('t', 'unused')).not.toBe(unused);
    expect(knowledge.bases('t')).toEqual(['stored']);
  });

  it('catches up in memory with everything that was written and removed', async () => {
    await using knowledge = open(backend);
    const base = knowledge.base('t', 'main');
    await base.configure(settings());
    const expected = new Set<string>();
    for (let round = 0; round < 30; round++) {
      for (let at = 0; at < 20; at++) {
        const id = `d${(round * 7 + at * 3) % 40}`;
        if ((round + at) % 3 === 0) {
          await base.remove({ ids: [id] });
          expected.delete(id);
        } else {
          await base.put(prepared(id, [`text ${round} ${at}`, 'more']), round);
          expected.add(id);
        }
      }
      const hits = await base.search(ask('vector', `text ${round}`, { limit: 1_000 }));
      expect(new Set(hits.map((hit) => hit.document.id))).toEqual(expected);
      expect(hits.length).toBe(2 * expected.size);
    }
    expect(await base.verify()).toEqual([]);
  });
});

describe('a knowledge folder', () => {
  it('closes the databases that were used longest ago, not under a search', async () => {
    await using knowledge = open();
    const bases = Array.from({ length: 100 }, (_, at) => () => knowledge.base(`t${at}`, 'main'));
    for (const base of bases) {
      await base().configure(settings());
      await base().put(prepared('a', ['some words']), 0);
    }
    const found = await Promise.all(bases.map((base) => base().search(ask('hybrid', 'words'))));
    expect(found.every((hits) => hits.length === 1)).toBe(true);
  });

  it('much is removed and replaced beside the event loop, whole, and other writes wait for it', async () => {
    await using knowledge = open();
    const base = knowledge.base('t', 'main');
    await base.configure(settings());
    const large = (id: string) =>
      prepared(
        id,
        Array.from({ length: 10 }, (_, at) => `${id} ${at} ${'some words '.repeat(400)}`),
      );
    for (const id of ['a', 'b', 'c']) await base.put(large(id), 0);
    const [replaced, removed, added] = [
      base.put(prepared('a', ['short']), 1),
      base.remove({ ids: ['b', 'none', 'c', 'b'] }),
      base.put(prepared('d', ['x']), 1),
    ];
    expect([replaced, removed, added].every((work) => work instanceof Promise)).toBe(true);
    expect([base.text('a') === large('a').text, base.list({}).length]).toEqual([true, 3]);
    expect(await Promise.all([replaced, removed, added])).toEqual(['replaced', 2, 'added']);
    expect([base.text('a'), base.list({}).map(({ id }) => id), base.stats().chunk_count, await base.verify()]).toEqual(['short', ['a', 'd'], 2, []]);
    expect(await base.remove({ filter: {} })).toBe(2);
  });

  it('of the first format gets its totals', async () => {
    const dataDir = folder();
    const home = tenantFolder(dataDir, 't');
    mkdirSync(home, { recursive: true });
    const old = openDatabase(join(home, 'knowledge.db'), 'normal', { steps: KNOWLEDGE_FORMAT.steps.slice(0, 1) });
    old.exec(
      `INSERT INTO bases (name, settings, snapshot, documents, bytes) VALUES ('a', '{}', '{"size":50}', 3, 100), ('b', '{}', 'cut o', 4, 1000), ('c', '{}', NULL, 0, 0)`,
    );
    old.close();
    await using knowledge = open('sqlite', dataDir);
    expect(knowledge.totals('t')).toEqual({ documents: 7, bytes: 1_150 });
  });

  it('can be deleted when its tenant is released, and made anew', async () => {
    const dataDir = folder();
    await using knowledge = open('sqlite', dataDir);
    await knowledge.base('t', 'main').configure(settings());
    await knowledge.release('t');
    expect(readdirSync(tenantFolder(dataDir, 't'))).toEqual(['knowledge.db', 'tenant', 'vectors']);
    rmSync(tenantFolder(dataDir, 't'), { recursive: true });
    expect(knowledge.bases('t')).toEqual([]);
  });

  it('that another process holds is waited for without blocking, then told in one sentence', async () => {
    const dataDir = folder();
    await using knowledge = open('sqlite', dataDir);
    const base = knowledge.base('t', 'main');
    await base.configure(settings());
    const other = new DatabaseSync(join(tenantFolder(dataDir, 't'), 'knowledge.db'));
    other.exec('BEGIN IMMEDIATE');
    const writing = base.put(prepared('a', ['x']), 0);
    expect(writing).toBeInstanceOf(Promise);
    setTimeout(() => other.exec('COMMIT'), 50);
    expect(await writing).toBe('added');
    other.exec('BEGIN IMMEDIATE');
    await expect(base.put(prepared('b', ['x']), 0)).rejects.toThrow('another process is writing to the data folder and does not let go');
    other.exec('ROLLBACK');
    other.close();
    expect(base.list({}).map(({ id }) => id)).toEqual(['a']);
  });

  it('is shared by two processes: both write, both see, and it stays whole', { timeout: 60_000 }, async () => {
    const dataDir = folder();
    const script = join(root, 'writer.ts');
    const url = (path: string) => new URL(path, import.meta.url).href;
    writeFileSync(
      script,
      `import { openKnowledge } from '${url('../../../src/rag/store/knowledge.ts')}';
import { prepared, settings, vectorOf } from '${url('./support.ts')}';
const knowledge = openKnowledge({ backend: 'sqlite', durability: 'normal', dataDir: process.argv[2] });
const base = knowledge.base('t', 'main');
await base.configure(settings());
for (let at = 0; at < 100; at++) {
  await base.put(prepared(process.argv[3] + at, ['own ' + at, 'words ' + at]), at);
  await base.put(prepared('shared' + (at % 5), ['of ' + process.argv[3] + at]), at);
  await base.search({ mode: 'hybrid', text: 'own words', vector: vectorOf('own'), limit: 5 });
}
const problems = await base.verify();
if (problems.length > 0) throw new Error(problems.join());`,
    );
    const run = (name: string) =>
      new Promise<string>((resolve) => {
        const child = spawn(process.execPath, [script, dataDir, name], { stdio: ['ignore', 'ignore', 'pipe'] });
        let told = '';
        child.stderr.on('data', (text) => (told += text));
        child.once('exit', (code) => resolve(code === 0 ? '' : told));
      });
    expect(await Promise.all([run('a'), run('b')])).toEqual(['', '']);
    await using knowledge = open('sqlite', dataDir);
    const base = knowledge.base('t', 'main');
    expect(base.stats()).toMatchObject({ document_count: 205, chunk_count: 405 });
    expect((await base.search(ask('vector', 'own', { limit: 1_000 }))).length).toBe(405);
    expect(await base.verify()).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('on a disk that fills up keeps no half of a document', { timeout: 60_000 }, async () => {
    const dataDir = folder();
    const script = join(root, 'filler.ts');
    const url = (path: string) => new URL(path, import.meta.url).href;
    writeFileSync(
      script,
      `import { openKnowledge } from '${url('../../../src/rag/store/knowledge.ts')}';
import { prepared, settings } from '${url('./support.ts')}';
process.on('SIGXFSZ', () => {});
const knowledge = openKnowledge({ backend: 'sqlite', durability: 'normal', dataDir: process.argv[2] });
const base = knowledge.base('t', 'main');
await base.configure(settings());
let stored = 0;
try {
  for (;; stored++) await base.put(prepared('d' + stored, Array.from({ length: 20 }, (_, at) => 'word' + at + ' ' + 'x'.repeat(2000))), 0);
} catch (error) {
  console.log(JSON.stringify({ stored, code: error.code, message: error.message, documents: base.list({}).length, problems: await base.verify() }));
}
process.exit(0);`,
    );
    const child = spawn('sh', ['-c', `ulimit -f 4000; exec "${process.execPath}" "${script}" "${dataDir}"`], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    child.stdout.on('data', (text) => (told += text));
    await new Promise((done) => child.once('exit', done));
    const { stored, code, message, documents, problems } = JSON.parse(told);
    expect([code, problems, documents]).toEqual(['STORE_FAILED', [], stored]);
    expect(message).toMatch(/nothing of this call was saved$/);
    expect(stored).toBeGreaterThan(5);
    await using knowledge = open('sqlite', dataDir);
    expect(knowledge.base('t', 'main').list({}).length).toBe(stored);
    expect(await knowledge.base('t', 'main').verify()).toEqual([]);
  });
});

describe('verify', () => {
  it.each<[string, string]>([
    ['DELETE FROM vectors_1 WHERE id = 1', 'chunks without a vector: 1'],
    ['DELETE FROM chunks_1 WHERE id = 1', 'vectors without a chunk: 1'],
    ["UPDATE chunks_1 SET text = 'other' WHERE id = 2", 'the full text does not agree with the chunks'],
    ["INSERT INTO text_1 (rowid, text) VALUES (99, 'more')", 'the full text does not agree with the chunks'],
    ['DELETE FROM texts_1', 'documents without their text: 1'],
    ['DELETE FROM documents_1', 'chunks without a document: 2'],
    ['UPDATE bases SET chunks = 7', 'counts of the base that are wrong: 1'],
    ['UPDATE totals SET documents = documents + 1', 'totals of the tenant that are wrong: 1'],
    ['UPDATE bases SET next = 1', 'numbers that would be given twice: 1'],
    ['DELETE FROM log', 'entries missing from the log: 1'],
    ["UPDATE vectors_1 SET vector = x'00' WHERE id = 2", 'vectors of a wrong length: 1'],
  ])('finds what does not agree: %s', async (harm, sentence) => {
    const dataDir = folder();
    {
      await using knowledge = open('sqlite', dataDir);
      const base = knowledge.base('t', 'main');
      await base.configure(settings());
      await base.put(prepared('a', ['one', 'two']), 0);
      expect(await base.verify()).toEqual([]);
    }
    const { KnowledgeDatabase } = await import('../../../src/rag/store/database.ts');
    const database = new KnowledgeDatabase(tenantFolder(dataDir, 't'), 'normal');
    database.db.exec(harm);
    database.close();
    await using knowledge = open('sqlite', dataDir);
    expect((await knowledge.base('t', 'main').verify()).join('\n')).toContain(sentence);
  });
});

describe('fusion', () => {
  const ranking = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 20 });

  const scored = (ids: readonly number[]) => ids.map((key, at) => ({ key, score: ids.length - at }));

  it('has everything once, best first, with its places', () => {
    fc.assert(
      fc.property(ranking, ranking, (a, b) => {
        const fused = fuse({ vector: scored(a), keyword: scored(b) });
        expect(fused.map(({ id }) => id).sort()).toEqual([...new Set([...a, ...b])].sort());
        for (const [at, one] of fused.entries()) expect(one.score).toBeLessThanOrEqual(fused[at - 1]?.score ?? 2);
        for (const { id, vector, keyword } of fused) expect([a[(vector ?? 0) - 1] ?? id, b[(keyword ?? 0) - 1] ?? id]).toEqual([id, id]);
      }),
    );
  });

  it('keeps a ranking that is alone, and puts first what both put first', () => {
    fc.assert(
      fc.property(ranking, ranking, (a, b) => {
        expect(fuse({ vector: scored(a), keyword: [] }).map(({ id }) => id)).toEqual(a);
        expect(fuse({ vector: [], keyword: scored(b) }).map(({ id }) => id)).toEqual(b);
        expect(fuse({ vector: scored([99, ...a]), keyword: scored([99, ...b]) })[0]?.id).toBe(99);
      }),
    );
  });

  it('counts how much better a hit is, not only its place', () => {
    const vector = [1, 2, 3].map((key) => ({ key, score: 0.5 - key / 1_000 }));
    const ids = (keyword: { key: number; score: number }[]) => fuse({ vector, keyword, zero: 0 }).map(({ id }) => id);
    const close = [
      { key: 3, score: 9 },
      { key: 1, score: 8.99 },
    ];
    const clear = [
      { key: 3, score: 9 },
      { key: 1, score: 2 },
    ];
    expect(ids(close)[0]).toBe(1);
    expect(ids(clear)[0]).toBe(3);
  });

  it('takes the nearness of what only the words found, and measures it from the worst neighbour unless told otherwise', () => {
    const vector = [
      { key: 1, score: 0.8 },
      { key: 2, score: 0.6 },
    ];
    const fused = fuse({ vector, keyword: [{ key: 3, score: 1 }], others: [{ key: 3, score: 0.5 }] });
    expect(fused.map(({ id, score }) => [id, score])).toEqual([
      [3, 1],
      [1, 0.7],
      [2, 0],
    ]);
    expect(fuse({ vector, keyword: [{ key: 3, score: 1 }], others: [{ key: 3, score: 0.4 }], zero: 0 })[0]?.score).toBeCloseTo(1.35, 9);
  });
});

describe('the words of a query', () => {
  it.each<[string, string]>([
    ['How do I configure the database?', '"configure" OR "database"'],
    ['what is it', '"what" OR "is" OR "it"'],
    ['a "b" OR c*', '"b" OR "c"'],
    ['東京都', '"東 京" OR "京 都"'],
    ['LLM模型 x', '"llm" OR "模 型" OR "x"'],
    ['日', '"日"'],
    ['🚀 !', ''],
    ['', ''],
  ])('%s', (text, expression) => {
    expect(matchExpression(searchedTerms(text))).toBe(expression);
  });

  it('never are a syntax error', { timeout: 60_000 }, async () => {
    await using knowledge = open('memory');
    const base = knowledge.base('t', 'main');
    await base.configure(settings());
    await base.put(prepared('a', ['x']), 0);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: anyCharacter, minLength: 1 }).filter((text) => text.trim() !== ''),
        async (text) => {
          await base.search(ask('keyword', text));
        },
      ),
      { numRuns: 80 },
    );
  });
});

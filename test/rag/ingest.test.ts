import { spawnSync } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/call/context.ts';
import { HostContainer } from '../../src/call/run.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { EmbeddingModel } from '../../src/model/embedding.ts';
import { ingest } from '../../src/rag/ingest.ts';
import { pipelineOf, setUp } from '../../src/rag/pipeline.ts';
import { retrieve } from '../../src/rag/retrieve.ts';
import { knowledge } from '../../src/rag/store/service.ts';
import { testHost, testRun } from '../support/run.ts';
import { testRuntime } from '../support/runtime.ts';
import { turnsDuring } from '../support/turns.ts';

const base = (context: Context) => pipelineOf(context, 'default').base;

describe('ingesting', { timeout: 120_000 }, () => {
  it('a thousand small documents lets others have their turns', async () => {
    const host = testHost();
    const { context } = testRun({ host });
    const documents = Array.from({ length: 1_000 }, (_, at) => ({ content: `document ${at} ${'some words '.repeat(20)}`, metadata: {} }));
    const { result, turns } = await turnsDuring(() => ingest(context, pipelineOf(context, 'default'), documents));
    expect(result).toMatchObject({ documents: 1_000, failed: [] });
    expect(turns).toBeGreaterThan(10);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });

  it('a large text is stored beside the event loop, whole, while other documents wait for it and searches go on', async () => {
    const host = testHost();
    const { context } = testRun({ host });
    const large = Array.from({ length: 30_000 }, (_, at) => `Sentence ${at} has the word w${at % 977}.`).join(' ');
    await ingest(context, pipelineOf(context, 'default'), [{ content: 'a needle', metadata: { document_id: 'small' } }]);
    const work = ingest(context, pipelineOf(context, 'default'), [{ content: large, metadata: { document_id: 'large' } }]);
    const other = ingest(context, pipelineOf(context, 'default'), [{ content: 'another', metadata: { document_id: 'other' } }]);
    const search = retrieve(context, pipelineOf(context, 'default'), { query: 'needle', mode: 'keyword' });
    const { result, turns } = await turnsDuring(() => Promise.all([work, other, search]));
    expect(result[0]).toMatchObject({ documents: 1, failed: [] });
    expect([result[1].documents, result[2][0]?.document.id]).toEqual([1, 'small']);
    expect(turns).toBeGreaterThan(50);
    expect(base(context).text('large')).toBe(large);
    expect(await base(context).verify()).toEqual([]);
    const again = await ingest(context, pipelineOf(context, 'default'), [{ content: `${large} End.`, metadata: { document_id: 'large' } }]);
    expect([again.documents, base(context).get('large')?.version, base(context).stats().document_count]).toEqual([1, 2, 3]);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });
});

describe('a base', () => {
  it('keeps the embedding model that it was made with, whatever the default is', async () => {
    const made = testHost();
    const { context } = testRun({ host: made });
    setUp(context, { tenant: undefined, name: 'main', chunking: undefined, embedder: 'local/hash', storage: {} });
    await ingest(context, pipelineOf(context, 'default'), [{ content: 'The ferry leaves at noon.', metadata: { document_id: 'ferry' } }]);
    await made[Symbol.asyncDispose]();

    const host = new HostContainer(parseConfig({}), made.dataDir);
    const { context: later } = testRun({ host });
    expect(pipelineOf(later, 'default').embedder).toBe('local/hash');
    await ingest(later, pipelineOf(later, 'default'), [{ content: 'The lamp is lit at dusk.', metadata: { document_id: 'lamp' } }]);
    const [hit] = await retrieve(later, pipelineOf(later, 'default'), { query: 'When is the lamp lit?', mode: 'vector' });
    expect([hit?.document.id, await base(later).verify()]).toEqual(['lamp', []]);
    setUp(later, { tenant: undefined, name: 'other', chunking: undefined, embedder: undefined, storage: {} });
    expect(pipelineOf(later, 'default').embedder).toBe('local/words');
    setUp(later, { tenant: undefined, name: 'main', chunking: undefined, embedder: 'local/words', storage: {} });
    expect(() => pipelineOf(later, 'default').checkVectors()).toThrow(
      /has vectors of local\/hash, not local\/words; delete its documents and ingest them again/,
    );
    await host
      .get(knowledge)
      .base('default', 'main')
      .remove({ ids: ['ferry', 'lamp'] });
    await ingest(later, pipelineOf(later, 'default'), [{ content: 'Delete the picture.', metadata: { document_id: 'again' } }]);
    const [again] = await retrieve(later, pipelineOf(later, 'default'), { query: 'remove an image', mode: 'vector' });
    expect([again?.document.id, base(later).settings?.embedder]).toEqual(['again', 'local/words']);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });
});

describe.each(['lua', 'javascript'] as const)('an ingest by %s', (language) => {
  it.skipIf(process.platform !== 'linux')('tells what it passes over in a folder and behind a pattern, and fails for none of it', async () => {
    await using test = await testRuntime();
    const [folder = ''] = test.grants.read;
    writeFileSync(join(folder, 'a.md'), 'The ferry leaves at noon.');
    symlinkSync('a.md', join(folder, 'link.md'));
    spawnSync('mkfifo', [join(folder, 'pipe')]);
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff]), Buffer.from('.md')]), 'x');
    const ingested = async (path: string) => {
      const text =
        language === 'lua' ? `return RAG.ingest_documents("global", {{file_path = "${path}"}})` : `RAG.ingest_documents("global", [{file_path: "${path}"}])`;
      return (await test.runtime.execute(text, { language, grants: test.grants })).value as { passed_over?: { index: number; source: string }[] };
    };
    const index = language === 'lua' ? 1 : 0;
    const [bad, link, pipe] = [
      { index, source: 'bad\ufffd.md', reason: 'its name is no UTF-8' },
      { index, source: 'link.md', reason: 'a link, which is not followed' },
      { index, source: 'pipe', reason: 'a pipe or device' },
    ];
    expect(await ingested('.')).toMatchObject({ documents: 1, skipped: 0, failed: [], passed_over: [bad, link, pipe] });
    expect(await ingested('*.md')).toMatchObject({ documents: 0, skipped: 1, failed: [], passed_over: [bad, link] });
    expect(await ingested('a.*')).not.toHaveProperty('passed_over');
  });

  it('names the model whose vectors are longer than they were, to store and to search', async () => {
    let length = 2;
    const changing: EmbeddingModel = {
      name: 'own/changing',
      dimensions: undefined,
      batch: 8,
      embed: async (texts) => texts.map(() => new Float32Array(length).fill(1)),
      uncached: true,
    };
    await using test = await testRuntime({}, { embeddings: { [changing.name]: changing } });
    const run = async (lua: string, js: string) => {
      const text =
        language === 'lua' ? `RAG.create({embedding_provider = "own/changing"}) return ${lua}` : `RAG.create({embedding_provider: "own/changing"}); ${js}`;
      return (await test.runtime.execute(text, { language, grants: { ...test.grants, models: ['own/*'] } })).value;
    };
    const store = (id: string) =>
      run(
        `RAG.ingest_documents("global", {{content = "the word ${id}", metadata = {document_id = "${id}"}}}).documents`,
        `RAG.ingest_documents("global", [{content: "the word ${id}", metadata: {document_id: "${id}"}}]).documents`,
      );
    expect(await store('a')).toBe(1);
    length = 3;
    await expect(store('b')).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(/own\/changing \(2 dimensions, cosine\).*own\/changing \(3 dimensions, cosine\)/),
    });
    await expect(run('RAG.retrieve("global", "word")', 'RAG.retrieve("global", "word")')).rejects.toMatchObject({
      code: 'CONFLICT',
      message:
        'RAG.retrieve: own/changing gives vectors of 3 numbers now, and the knowledge base main has its vectors of 2: delete its documents and ingest them again',
    });
    await run('RAG.delete_documents("global", {document_ids = {"a"}})', 'RAG.delete_documents("global", {document_ids: ["a"]})');
    expect(await store('b')).toBe(1);
  });

  it('names the method where the model has no provider', async () => {
    await using test = await testRuntime();
    const text =
      language === 'lua'
        ? 'RAG.create({embedding_provider = "nobody/x"}) RAG.ingest_documents("global", {{content = "x"}})'
        : 'RAG.create({embedding_provider: "nobody/x"}); RAG.ingest_documents("global", [{content: "x"}])';
    await expect(test.runtime.execute(text, { language, grants: test.grants })).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringMatching(/^RAG\.\w+: embedding model: unknown provider in "nobody\/x"; known are /),
    });
  });
});

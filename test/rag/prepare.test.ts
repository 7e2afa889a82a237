import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmbeddingModel } from '../../src/model/embedding.ts';
import { embeddings } from '../../src/model/embeddings.ts';
import { modelFailed } from '../../src/model/failure.ts';
import { toChunking } from '../../src/rag/chunk/chunk.ts';
import type { PreparedDocument } from '../../src/rag/knowledge.ts';
import { embeddedText, type Prepared, type PrepareOptions, prepare } from '../../src/rag/prepare.ts';
import { documentInput } from '../../src/rag/schemas.ts';
import { makeDocx, paragraph } from '../support/docx.ts';
import { makePdf } from '../support/pdf.ts';
import { testHost, testRun } from '../support/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'llmspell-documents-'));
mkdirSync(join(folder, 'docs/deep'), { recursive: true });
const files: Record<string, string | Uint8Array> = {
  'docs/a.md': '# Alpha\n\nThe first letter.\n\n## Beta\n\nThe second letter.',
  'docs/deep/b.md': '# Other\n\nText.',
  'docs/c.txt': 'Plain text.',
  'docs/bad.json': '{"a": ',
  'docs/p.pdf': makePdf({ pages: [['Pages of paper']] }),
  'docs/w.docx': makeDocx(paragraph('Words of Word')),
  'docs/empty.txt': ' \n',
};
for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);

let port = 0;
const server = createServer((request, response) => {
  if (request.url === '/page') response.setHeader('content-type', 'text/html').end('<title>Page</title><main><h1>Hi</h1><p>On the web.</p></main>');
  else response.writeHead(503).end();
});
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

const host = testHost();
const asked: string[][] = [];
const counting: EmbeddingModel = {
  name: 'own/model',
  dimensions: 2,
  batch: 2,
  async embed(texts) {
    asked.push([...texts]);
    const bad = texts.find((text) => text.includes('REFUSED'));
    if (bad) throw modelFailed('own/model', 'no', { outcome: 'failed', retryable: false, status: 400 });
    return texts.map((text) => new Float32Array([text.length, 1]));
  },
};
host.get(embeddings).register('own/model', counting);

async function run(inputs: readonly object[], options: Partial<PrepareOptions> = {}, models = ['local/*', 'own/*']): Promise<Prepared[]> {
  const { context } = testRun({ host, grants: { read: [folder], net: [`127.0.0.1:${port}`], models } });
  const made = prepare(
    context.with({ method: 'RAG.ingest' }),
    inputs.map((input) => documentInput.parse(input)),
    { chunking: toChunking(), embedder: 'local/hash', ...options },
  );
  const all: Prepared[] = [];
  for await (const one of made) all.push(one);
  return all;
}
const documents = (list: readonly Prepared[]): PreparedDocument[] => list.flatMap((one) => ('document' in one ? [one.document] : []));
const errors = (list: readonly Prepared[]): [number, string | undefined, string, string][] =>
  list.flatMap((one) => ('error' in one ? [[one.index, one.source, one.error.code, one.error.message] as [number, string | undefined, string, string]] : []));

describe('a document', () => {
  it('of a text is chunked and embedded, its id from its content', async () => {
    const [one] = documents(await run([{ content: 'Hello world. '.repeat(3), metadata: { topic: 'x' } }]));
    expect(one).toMatchObject({ format: 'text', metadata: { topic: 'x' }, source: undefined, text: 'Hello world. '.repeat(3) });
    expect(one?.id).toMatch(/^[0-9a-f]{32}$/);
    expect(one?.chunks).toHaveLength(1);
    expect(one?.chunks[0]?.vector).toHaveLength(1_024);
  });

  it('has the id that its metadata says, and a hash of content, metadata and chunking', async () => {
    const of = async (content: string, metadata: object, chunk_size = 512) =>
      documents(await run([{ content, metadata: { document_id: 'd', ...metadata } }], { chunking: toChunking({ chunk_size }) }))[0] as PreparedDocument;
    const first = await of('text', { a: 1 });
    expect(first.id).toBe('d');
    expect((await of('text', { a: 1 })).hash).toBe(first.hash);
    for (const other of [await of('text.', { a: 1 }), await of('text', { a: 2 }), await of('text', { a: 1 }, 100)]) expect(other.hash).not.toBe(first.hash);
  });

  it('that is known is neither chunked nor embedded', async () => {
    asked.length = 0;
    const input = { content: 'Known text', metadata: { document_id: 'k' } };
    const [one] = documents(await run([input], { embedder: 'own/model' }));
    expect(asked).toHaveLength(1);
    asked.length = 0;
    const known = (id: string, hash: string) => id === 'k' && hash === one?.hash;
    expect(await run([input], { embedder: 'own/model', known })).toEqual([{ index: 0, skipped: { id: 'k', hash: one?.hash } }]);
    expect(asked).toEqual([]);
  });

  it('comes in order though several are under way, and the rest is given up when no more are wanted', async () => {
    let open = 0;
    let most = 0;
    const cancelled: string[] = [];
    host.get(embeddings).register('own/slow', {
      name: 'own/slow',
      dimensions: 1,
      batch: 8,
      async embed([text = ''], signal) {
        most = Math.max(most, ++open);
        for (let turn = 0; turn < (text.startsWith('0') ? 50 : 1); turn++) await new Promise((resolve) => setImmediate(resolve));
        open--;
        if (text.startsWith('wait'))
          await new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              cancelled.push(text);
              reject(signal.reason);
            }),
          );
        return [new Float32Array([1])];
      },
    });
    const inputs = ['0 first', '1 second', '2 third', '3 fourth', '4 fifth'].map((content) => ({ content }));
    expect(documents(await run(inputs, { embedder: 'own/slow' })).map(({ text }) => text)).toEqual(inputs.map(({ content }) => content));
    expect(most).toBe(4);
    const { context } = testRun({ host, grants: { models: ['own/*'] } });
    const wanted = ['a', 'wait b', 'wait c', 'wait d'].map((content) => documentInput.parse({ content }));
    for await (const one of prepare(context, wanted, { chunking: toChunking(), embedder: 'own/slow' })) {
      expect(documents([one])[0]?.text).toBe('a');
      while (open > 0) await new Promise((resolve) => setImmediate(resolve));
      break;
    }
    expect(cancelled.sort()).toEqual(['wait b', 'wait c', 'wait d']);
  });

  it('text is text whatever it begins with; bytes are what they are', async () => {
    const list = await run([{ content: '<html>is a tag' }, { content: files['docs/p.pdf'] }, { content: '# T\n\nx', name: 'a.md' }]);
    expect(documents(list).map(({ format, text }) => [format, text])).toEqual([
      ['text', '<html>is a tag'],
      ['pdf', 'Pages of paper'],
      ['markdown', '# T\n\nx'],
    ]);
  });
});

describe('files', () => {
  it('of a pattern, of a folder, or one: ids are their paths', async () => {
    const ids = async (file_path: string, metadata = {}) => documents(await run([{ file_path, metadata }])).map(({ id }) => id);
    expect(await ids('docs/**/*.md')).toEqual(['docs/a.md', 'docs/deep/b.md']);
    expect(await ids('./docs/a.md')).toEqual(['docs/a.md']);
    expect(await ids('docs/deep')).toEqual(['docs/deep/b.md']);
    expect(await ids('docs/{a,c}.*', { document_id: 'x' })).toEqual(['x/docs/a.md', 'x/docs/c.txt']);
    expect(await ids('docs/a.md', { document_id: 'x' })).toEqual(['x']);
  });

  it('of every format become text, the bad ones fail alone', async () => {
    const list = await run([{ file_path: 'docs' }]);
    expect(documents(list).map(({ format, source }) => [format, source])).toEqual([
      ['markdown', 'docs/a.md'],
      ['text', 'docs/c.txt'],
      ['markdown', 'docs/deep/b.md'],
      ['pdf', 'docs/p.pdf'],
      ['docx', 'docs/w.docx'],
    ]);
    expect(errors(list)).toEqual([
      [0, 'docs/bad.json', 'TOOL_FAILED', expect.stringContaining('RAG.ingest: docs/bad.json: it is no JSON')],
      [0, 'docs/empty.txt', 'TOOL_FAILED', 'RAG.ingest: docs/empty.txt: it is empty'],
    ]);
  });

  it.each<[object, string, string]>([
    [{}, 'BAD_ARGUMENT', 'RAG.ingest: a document has exactly one of content, file_path and url; found none'],
    [{ content: 'x', url: 'http://x' }, 'BAD_ARGUMENT', 'RAG.ingest: a document has exactly one of content, file_path and url; found 2'],
    [{ content: 'x', metadata: { document_id: '' } }, 'BAD_ARGUMENT', 'RAG.ingest: metadata.document_id: expected a text of 1 to 1000 characters'],
    [{ file_path: 'docs/none.md' }, 'NOT_FOUND', 'RAG.ingest: docs/none.md: there is no such file or folder'],
    [{ file_path: 'docs/*.xyz' }, 'NOT_FOUND', 'RAG.ingest: there is no file like docs/*.xyz'],
    [{ file_path: '/etc/passwd' }, 'NOT_ALLOWED', 'RAG.ingest: /etc/passwd is outside the folders that this run may read (grants.read or --allow-read DIR)'],
    [{ file_path: '/etc/*' }, 'NOT_ALLOWED', 'RAG.ingest: /etc is outside the folders that this run may read (grants.read or --allow-read DIR)'],
    [{ url: 'https://example.org/' }, 'NOT_ALLOWED', 'RAG.ingest: this run may not reach example.org (grants.net or --allow-net example.org)'],
  ])('%j fails alone, with its place', async (input, code, message) => {
    const list = await run([{ content: 'good' }, input, { content: 'good too' }]);
    expect(errors(list)).toEqual([
      [
        1,
        (input as { file_path?: string }).file_path ??
          (Object.keys(input).length === 1 ? (input as { url?: string }).url : undefined) ??
          (input as { url?: string }).url,
        code,
        message,
      ],
    ]);
    expect(documents(list)).toHaveLength(2);
  });
});

describe('addresses', () => {
  it('are fetched inside the fence', async () => {
    const url = `http://127.0.0.1:${port}/page`;
    expect(documents(await run([{ url }]))).toMatchObject([{ id: url, source: url, format: 'html', text: '# Hi\n\nOn the web.', metadata: { title: 'Page' } }]);
    expect(errors(await run([{ url: `http://127.0.0.1:${port}/no` }]))).toEqual([
      [0, `http://127.0.0.1:${port}/no`, 'TOOL_FAILED', `RAG.ingest: http://127.0.0.1:${port}/no answered 503`],
    ]);
  });
});

describe('embeddings', () => {
  it('are asked for in batches, once for each text, and never for what the cache knows', async () => {
    asked.length = 0;
    const text = Array.from({ length: 5 }, (_, at) => `Paragraph number ${at % 4} of this text.`).join('\n\n');
    const chunking = toChunking({ chunk_size: 10, overlap: 0 });
    const [one] = documents(await run([{ content: text }], { embedder: 'own/model', chunking }));
    expect(one?.chunks).toHaveLength(5);
    expect(asked.map((batch) => batch.length)).toEqual([2, 2]);
    asked.length = 0;
    const [again] = documents(await run([{ content: `${text}\n\nOne more paragraph comes here.` }], { embedder: 'own/model', chunking }));
    expect(asked).toEqual([['One more paragraph comes here.']]);
    expect(again?.chunks[0]?.vector).toEqual(one?.chunks[0]?.vector);
  });

  it('are kept for the tenant that they are made for', async () => {
    const input = { content: 'A text of one tenant.' };
    asked.length = 0;
    for (const tenant of ['a', 'a', 'b', undefined]) await run([input], { embedder: 'own/model', tenant });
    expect(asked).toHaveLength(3);
  });

  it('are of a chunk under the headings that it does not show', () => {
    const chunk = { index: 0, text: 'Beta\n\ntext', start: 0, stop: 0, headings: ['Alpha', 'Beta'] };
    expect(embeddedText(chunk)).toBe('Alpha\n\nBeta\n\ntext');
    expect(embeddedText({ ...chunk, headings: ['Beta'] })).toBe('Beta\n\ntext');
  });

  it('refused for one text fail that document alone; a model that was not granted fails the call', async () => {
    const list = await run([{ content: 'REFUSED' }, { content: 'fine' }], { embedder: 'own/model' });
    expect(errors(list)).toEqual([[0, undefined, 'MODEL_FAILED', 'own/model: no']]);
    expect(documents(list)).toHaveLength(1);
    await expect(run([{ content: 'x' }], { embedder: 'own/model' }, ['local/*'])).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    await expect(run([{ content: 'x' }], { embedder: 'nobody/model' })).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining('unknown provider in "nobody/model"'),
    });
  });
});

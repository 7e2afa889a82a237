import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKnowledge } from '../../src/rag/store/knowledge.ts';
import { BIN, type Ended, environment, llmspell } from '../support/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'llmspell-rag-'));

const rag = (args: readonly string[], env?: Record<string, string>) => llmspell(folder, ['rag', ...args], { env });

const json = async (...args: string[]) => JSON.parse((await rag([...args, '--json'])).stdout);

/** Without blocking this process, whose server answers. */
function ragBeside(
  args: readonly string[],
  more: Record<string, string> = {},
  onError: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(process.execPath, [BIN, 'rag', ...args], { cwd: folder, env: environment(folder, more) });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => {
    stderr += text;
    onError(stderr, (signal) => child.kill(signal));
  });
  return new Promise((done) => child.once('close', (status) => done({ status, stdout, stderr })));
}

const FILES: Readonly<Record<string, string>> = {
  'docs/ferry.md': '# Ferry\n\nThe harbour has one.\n\n## Times\n\nThe ferry to the island leaves at noon from the second pier.',
  'docs/deep/bread.txt': 'Bread is baked at dawn and sold on the market square.',
  'docs/odd.pdf': 'This is no PDF.',
  'notes/light.md': 'The lighthouse keeper counts ships.',
};

beforeAll(() => {
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('llmspell rag', { timeout: 120_000 }, () => {
  it('ingests a folder, lists what failed and ends with 1', async () => {
    const { status, stdout, stderr } = await rag(['ingest', 'docs']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '2 documents stored, 3 chunks; 0 were known already\n' });
    expect(stderr).toBe('failed: docs/odd.pdf: it is not what its name says: it is no PDF document\n');
  });

  it('ingests patterns and files, skips what is known, and tells how far it is', async () => {
    const { status, stdout, stderr } = await rag(['ingest', 'docs/**/*.{md,txt}', join(folder, 'notes/light.md'), '--progress']);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '1 document stored, 1 chunk; 2 were known already\n' });
    expect(stderr.trim().split('\n').at(-1)).toBe('3 of 3');
    expect(await json('ingest', 'docs/ferry.md')).toMatchObject({ documents: 0, skipped: 1, failed: [] });
    expect(await json('ingest', 'docs/odd.pdf', 'none.md')).toMatchObject({
      failed: [{ source: 'docs/odd.pdf' }, { source: 'none.md', error: expect.stringContaining('none.md: there is no such file or folder') }],
    });
  });

  it.skipIf(process.platform === 'win32')('tells what it passes over, which is no failure', async () => {
    mkdirSync(join(folder, 'linked'));
    writeFileSync(join(folder, 'linked/a.md'), 'Nets are mended in winter.');
    symlinkSync('a.md', join(folder, 'linked/b.md'));
    const { status, stderr } = await rag(['ingest', 'linked', '--base', 'linked']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'passed over: linked/b.md: a link, which is not followed\n' });
  });

  it('searches, with source, heading, score and the words of the question in bold', async () => {
    expect((await rag(['search', 'when does the ferry leave', '--top', '1'])).stdout).toMatch(
      /^1 {2}docs\/ferry\.md › Ferry › Times {2}\d\.\d+\n {3}The ferry to the island leaves at noon from the second pier\.\n$/,
    );
    expect((await rag(['search', 'when does the ferry leave', '--top', '1'], { FORCE_COLOR: '1' })).stdout).toContain(
      'The \u001b[1mferry\u001b[22m to the island \u001b[1mleaves\u001b[22m',
    );
    expect(await json('search', 'bread', '--mode', 'keyword', '--rerank')).toMatchObject([
      { document_id: 'docs/deep/bread.txt', source: 'docs/deep/bread.txt', headings: [], chunk_index: 0 },
    ]);
    // Words alone have nothing in common with most passages.
    const words = ['--base', 'words', '--tenant', 'words'];
    await rag(['ingest', 'docs/ferry.md', 'notes/light.md', ...words, '--embedding', 'local/hash']);
    expect((await json('search', 'ferry', ...words)).at(-1).score).toBe(0);
    expect((await rag(['search', 'ferry', ...words])).stdout).not.toContain('0.000');
    expect(await json('search', 'bread', '--filter', '{"kind": "none"}')).toEqual([]);
    expect((await rag(['search', 'bread', '--filter', '{"kind": "none"}'])).stdout).toBe('nothing was found\n');
  });

  it('answers with quotations and names their sources', async () => {
    const { stdout } = await rag(['answer', 'When does the ferry leave?']);
    expect(stdout).toContain('“The ferry to the island leaves at noon from the second pier.”');
    expect(stdout).toContain('\n[1] docs/ferry.md › Ferry');
    expect(await json('answer', 'When does the ferry leave?')).toMatchObject({
      model: 'local/extractive',
      quotations: [{ verified: true }],
      citations: expect.arrayContaining([expect.objectContaining({ number: 1, source: 'docs/ferry.md' })]),
    });
  });

  it('lists, counts, rebuilds and deletes', async () => {
    expect((await rag(['list'])).stdout).toMatch(/^docs\/deep\/bread\.txt +text +1 chunk +53 bytes +v1 {2}\d{4}/m);
    expect(await json('list', '--limit', '1')).toMatchObject([{ document_id: join(folder, 'notes/light.md') }]);
    expect(await json('stats')).toMatchObject({
      document_count: 3,
      chunk_count: 4,
      embedding_provider: 'local/words',
      dimensions: 1280,
      index: { kind: 'flat' },
    });
    expect((await rag(['stats'])).stdout).toContain('embeddings  local/words, 1280 dimensions\n');
    expect((await rag(['rebuild'])).stdout).toBe('no index is needed; search is exact\n');
    expect(await rag(['delete', 'docs/ferry.md', 'none'])).toEqual({
      status: 1,
      stdout: '',
      stderr: 'error: there is no document none in the knowledge base main; deleted 1\n',
    });
    expect(await json('delete', 'docs/deep/bread.txt')).toEqual({ deleted: 1 });
    expect(await json('list')).toHaveLength(1);
  });

  it('keeps bases and tenants apart', async () => {
    expect(
      (await json('ingest', 'docs/ferry.md', '--tenant', 'acme', '--base', 'travel', '--strategy', 'sentence', '--chunk-size', '20', '--overlap', '0'))
        .documents,
    ).toBe(1);
    expect((await json('search', 'ferry', '--tenant', 'acme', '--base', 'travel')).length).toBeGreaterThan(1);
    expect((await json('list')).map(({ document_id }: { document_id: string }) => document_id)).toEqual([join(folder, 'notes/light.md')]);
  });

  it.each([
    ['a filter', ['search', 'x', '--filter', '[1]'], 'error: --filter: expected a JSON object such as {"kind": "manual"}, got "[1]"\n'],
    [
      'an operator',
      ['search', 'x', '--filter', '{"n": {"$gr": 1}}'],
      'error: rag search: metadata_filters.n.$gr: there is no operator $gr; did you mean $gt?\n',
    ],
    ['words', ['search', '  '], 'error: rag search: query: expected some words, got an empty text\n'],
    ['a mode', ['search', 'x', '--mode', 'fast'], "error: option '--mode <mode>' argument 'fast' is invalid. Allowed choices are hybrid, vector, keyword.\n"],
    ['a number', ['search', 'x', '--top', 'many'], "error: option '--top <n>' argument 'many' is invalid. expected a whole number from 1.\n"],
    ['a base', ['list', '--base', '../x'], 'error: --base: expected 1 to 64 of A-Z a-z 0-9 _ -, got "../x"\n'],
    ['a tenant', ['list', '--tenant', 'a/b'], 'error: --tenant: expected 1 to 128 of A-Z a-z 0-9 _ . -, got "a/b"\n'],
    ['a strategy', ['ingest', 'docs', '--strategy', 'sentenc'], 'error: rag ingest: chunking.strategy: unknown "sentenc"; did you mean "sentence"?\n'],
    [
      'an overlap',
      ['ingest', 'docs', '--chunk-size', '10', '--overlap', '9'],
      'error: rag ingest: chunking.overlap: expected 0 to half of chunk_size, 5, got 9\n',
    ],
    [
      'an embedding model',
      ['ingest', 'docs', '--base', 'b', '--embedding', 'nobody/model'],
      /^error: rag ingest: embedding model: unknown provider in "nobody\/model"; known are [^\n]*\n$/,
    ],
  ])('says in one sentence that this is not %s, with status 2', async (_, args, stderr) => {
    expect(await rag(args)).toEqual({ status: 2, stdout: '', stderr: typeof stderr === 'string' ? stderr : expect.stringMatching(stderr) });
  });

  it.each([
    ['a base', ['search', 'x', '--base', 'none'], 'error: there is no knowledge base none of the tenant default; llmspell rag ingest makes it\n'],
    ['a tenant', ['stats', '--tenant', 'nobody'], 'error: there is no tenant nobody in .llmspell\n'],
  ])('says in one sentence that there is not %s', async (_, args, stderr) => {
    expect(await rag(args)).toEqual({ status: 1, stdout: '', stderr });
    expect(await json(...args)).toMatchObject({ ok: false, error: { code: 'NOT_FOUND', message: stderr.slice(7, -1) } });
  });

  it('says which key is missing, and uses the provider that the configuration names', async () => {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (text) => (body += text));
      request.on('end', () => {
        const texts = JSON.parse(body).input as string[];
        response.setHeader('content-type', 'application/json');
        const data = texts.map((text, index) => ({ index, object: 'embedding', embedding: [text.includes('ferry') ? 1 : 0, 1] }));
        response.end(JSON.stringify({ object: 'list', data, model: 'm', usage: { prompt_tokens: 1, total_tokens: 1 } }));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    writeFileSync(join(folder, 'with.toml'), `[models.providers.openai]\nkind = "openai"\nbase_url = "${url}"\napi_key_env = "THE_KEY"\n`);
    const args = ['ingest', 'docs/ferry.md', '--base', 'remote', '--embedding', 'openai/text-embedding-ada-002', '--config', 'with.toml'];
    expect(await ragBeside(args)).toEqual({
      status: 2,
      stdout: '',
      stderr: 'error: openai/text-embedding-ada-002: no key; set the environment variable THE_KEY\n',
    });
    expect(await ragBeside(args, { THE_KEY: 'k' })).toMatchObject({ status: 0, stdout: '1 document stored, 2 chunks; 0 were known already\n' });
    const stats = await ragBeside(['stats', '--base', 'remote', '--config', 'with.toml', '--json']);
    expect(JSON.parse(stats.stdout)).toMatchObject({ embedding_provider: 'openai/text-embedding-ada-002', dimensions: 2 });
    server.close();
  });

  it('leaves whole documents behind after Ctrl-C', async () => {
    const many = join(folder, 'many');
    mkdirSync(many);
    for (let at = 0; at < 2_000; at++) writeFileSync(join(many, `${at}.txt`), `Document ${at}. ${'It has some words in it. '.repeat(40)}`);
    let sent = false;
    const ended = await ragBeside(['ingest', 'many', '--base', 'many', '--progress'], {}, (text, kill) => {
      if (!sent && /^[1-9]\d* of 2000$/m.test(text)) {
        sent = true;
        kill('SIGINT');
      }
    });
    expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status: 130, stdout: '' });
    expect(ended.stderr).toContain('error: interrupted; what was stored is whole\n');
    await using knowledge = openKnowledge({ backend: 'sqlite', durability: 'normal', dataDir: join(folder, '.llmspell') });
    const base = knowledge.base('default', 'many');
    expect(base.stats().document_count).toBeGreaterThan(0);
    expect(base.stats().document_count).toBeLessThan(2_000);
    expect(await base.verify()).toEqual([]);
  });
});

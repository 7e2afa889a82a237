import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Spending } from '../../src/agent/budget.ts';
import type { ConfigInput } from '../../src/config/config.ts';
import { cacheKey, createMemoryCache, type EmbeddingCache, embeddingCaches } from '../../src/model/embedding-cache.ts';
import { createSqliteCache } from '../../src/model/embedding-cache-sqlite.ts';
import { embeddings } from '../../src/model/embeddings.ts';
import { hashEmbed } from '../../src/model/hash/embed.ts';
import { stem } from '../../src/model/hash/stem.ts';
import { embedTexts } from '../../src/rag/embed.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { testHost, testRun } from '../support/run.ts';
import { anyCharacter } from '../support/text.ts';

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

let port = 0;
let replies: Reply[] = [];
let requests: { path: string; headers: Record<string, unknown>; body: Record<string, unknown> }[] = [];
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (piece) => {
    text += piece;
  });
  request.on('end', () => {
    requests.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(text) });
    const { status = 200, headers = {}, body } = (replies.length > 1 ? replies.shift() : replies[0]) as Reply;
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
});
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function hostOf(extra: ConfigInput = {}) {
  const base_url = `http://127.0.0.1:${port}/v1`;
  return testHost({
    models: {
      providers: {
        openai: { kind: 'openai', base_url, api_key: 'sk-secret-12345678' },
        google: { kind: 'google', base_url, api_key: 'g-key' },
        ollama: { kind: 'openai-compatible', base_url },
        keyless: { kind: 'openai', base_url, api_key_env: 'LLMSPELL_TEST_NO_SUCH_KEY' },
        anthropic: { kind: 'anthropic', base_url, api_key: 'x' },
      },
    },
    ...extra,
  });
}

async function ask(
  model: string,
  texts: readonly string[],
  given: readonly Reply[],
  options: { models?: string[]; host?: ReturnType<typeof hostOf>; spending?: object } = {},
) {
  replies = [...given];
  requests = [];
  const { context } = testRun({ host: options.host ?? hostOf(), grants: { models: options.models ?? ['*'] } });
  return embedTexts(context.with({ method: 'RAG.retrieve', spending: options.spending }), model, texts);
}

const openAi = (...vectors: unknown[]): Reply => ({
  body: {
    object: 'list',
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    model: 'm',
    usage: { prompt_tokens: 8, total_tokens: 8 },
  },
});
const plain = (vectors: readonly Float32Array[]) => vectors.map((vector) => [...vector].map((value) => Math.round(value * 1000) / 1000));

describe('on the wire', () => {
  it('OpenAI is asked as its library asks, and vectors have length 1', async () => {
    expect(plain(await ask('openai/text-embedding-3-small', ['one', 'two'], [openAi([3, 4], [0, 2])]))).toEqual([
      [0.6, 0.8],
      [0, 1],
    ]);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      path: '/v1/embeddings',
      headers: { authorization: 'Bearer sk-secret-12345678' },
      body: { model: 'text-embedding-3-small', input: ['one', 'two'] },
    });
  });

  it('Ollama is asked without a key', async () => {
    expect(plain(await ask('ollama/nomic-embed-text', ['one'], [openAi([1, 0])]))).toEqual([[1, 0]]);
    expect(requests[0]).toMatchObject({ path: '/v1/embeddings', body: { model: 'nomic-embed-text', input: ['one'] } });
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });

  it('Google is asked for one text and for several', async () => {
    expect(plain(await ask('google/gemini-embedding-001', ['one', 'two'], [{ body: { embeddings: [{ values: [0, 5] }, { values: [5, 0] }] } }]))).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(requests[0]?.path).toMatch(/models\/gemini-embedding-001:batchEmbedContents/);
    expect(plain(await ask('google/gemini-embedding-001', ['one'], [{ body: { embedding: { values: [0, 5] } } }]))).toEqual([[0, 1]]);
  });

  it('many texts go in several requests and come back in order', async () => {
    const texts = Array.from({ length: 150 }, (_, at) => `text ${at}`);
    const host = hostOf();
    const { context } = testRun({ host, grants: { models: ['*'] } });
    host.get(embeddings).register('own/many', {
      name: 'own/many',
      dimensions: 2,
      batch: 7,
      embed: async (given) => {
        await new Promise((resolve) => setImmediate(resolve));
        return given.map((text) => new Float32Array([1, Number(text.slice(5))]));
      },
    });
    const vectors = await embedTexts(context, 'own/many', texts);
    expect(vectors.map(([one = 0, two = 0]) => Math.round(two / one))).toEqual(texts.map((_, at) => at));
  });
});

describe('failures', () => {
  it('that may pass are tried again after the wait that the provider asks for', async () => {
    const limited: Reply = { status: 429, headers: { 'retry-after-ms': '1' }, body: { error: { message: 'slow down' } } };
    expect(plain(await ask('openai/m', ['x'], [limited, limited, openAi([1, 0])]))).toEqual([[1, 0]]);
    expect(requests).toHaveLength(3);
    const error = await ask('openai/m', ['x'], [limited]).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'MODEL_FAILED', details: { status: 429, retryable: true, outcome: 'failed', retry_after_ms: 1 } });
    expect(requests).toHaveLength(5);
  });

  it('that will not pass are not', async () => {
    const refused: Reply = { status: 401, body: { error: { message: 'bad key sk-secret-12345678' } } };
    const error = await ask('openai/m', ['x'], [refused]).catch((thrown) => thrown);
    expect(error).toMatchObject({
      code: 'MODEL_FAILED',
      message: expect.stringMatching(/^openai\/m: the provider refused the key \(HTTP 401\)/),
      details: { retryable: false },
    });
    expect(error.message).not.toContain('secret');
    expect(requests).toHaveLength(1);
  });

  it.each<[string, Reply, string]>([
    ['fewer vectors than texts', openAi([1, 0]), '2 texts were sent and 1 vectors came back'],
    ['more vectors than texts', openAi([1, 0], [1, 0], [1, 0]), '2 texts were sent and 3 vectors came back'],
    ['vectors of different lengths', openAi([1, 0], [1, 0, 0]), 'vector 2 has 3 numbers and the first 2'],
    ['a zero vector', openAi([1, 0], [0, 0]), 'vector 2 is zero or holds what is no finite number'],
    [
      'a number beyond all',
      { body: '{"data": [{"index": 0, "embedding": [1, 0]}, {"index": 1, "embedding": [1e200, 0]}]}' },
      'vector 2 is zero or holds what is no finite number',
    ],
    ['empty vectors', openAi([], []), 'vector 1 has 0 numbers and the first 0'],
  ])('%s are one clear error', async (_, reply, problem) => {
    const error = await ask('ollama/m', ['one', 'two'], [reply]).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'MODEL_FAILED', message: `ollama/m: the answer cannot be used: ${problem}`, details: { retryable: false } });
    expect(requests).toHaveLength(1);
  });

  it.each<[string, string[], string, RegExp]>([
    ['keyless/m', ['*'], 'BAD_CONFIG', /^keyless\/m: no key; set the environment variable LLMSPELL_TEST_NO_SUCH_KEY$/],
    ['anthropic/m', ['*'], 'BAD_CONFIG', /^anthropic\/m: Anthropic has no embedding models/],
    ['openai/m', ['local/*'], 'NOT_ALLOWED', /^RAG\.retrieve: the model openai\/m was not granted to this run/],
    ['nobody/m', ['*'], 'BAD_ARGUMENT', /^RAG\.retrieve: embedding model: unknown provider in "nobody\/m"; known are local\/hash, local\/words, anthropic\/…/],
    [
      'hash',
      ['*'],
      'BAD_ARGUMENT',
      /^RAG\.retrieve: embedding model: expected provider\/model such as openai\/text-embedding-3-small or local\/words, got "hash"$/,
    ],
  ])('%s with grants %j: %s', async (model, models, code, message) => {
    await expect(ask(model, ['x'], [openAi([1])], { models })).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(requests).toEqual([]);
  });

  it.each([
    ['local/hash', 1_024],
    ['local/words', 1_280],
  ])('%s needs no grant', async (model, dimensions) => {
    expect((await ask(model, ['x'], [], { models: [] }))[0]).toHaveLength(dimensions);
  });

  it('a cancelled call is CANCELLED, not a failure of the model', async () => {
    const { context, run } = testRun({ host: hostOf(), grants: { models: ['*'] } });
    replies = [{ status: 429, headers: { 'retry-after': '30' }, body: {} }];
    const asking = embedTexts(context, 'openai/m', ['x']);
    const seen = requests.length;
    while (requests.length === seen) await new Promise((resolve) => setTimeout(resolve, 1));
    run.abort(new (await import('../../src/errors.ts')).ScriptError('CANCELLED', 'enough'));
    await expect(asking).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a budget', () => {
  it('is charged with the tokens that the provider counted, and holds', async () => {
    const host = hostOf();
    const spending = new Spending('agent', { max_tokens_total: 20 }, undefined);
    await ask('openai/text-embedding-3-small', ['one two three'], [openAi([1, 0])], { host, spending });
    await ask('openai/text-embedding-3-small', ['four five six'], [openAi([1, 0])], { host, spending });
    await expect(ask('openai/text-embedding-3-small', ['one two three four five six seven'], [openAi([1, 0])], { host, spending })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('16 are used'),
    });
    expect(requests).toEqual([]);
  });

  it('of money knows the price', async () => {
    const spending = new Spending('agent', { max_cost_usd: 0.000_000_1 }, undefined);
    await expect(ask('openai/text-embedding-3-large', ['one two three four five'], [openAi([1])], { spending })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    await expect(ask('openai/unheard-of', ['one'], [openAi([1])], { spending })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining('no price is known for openai/unheard-of'),
    });
  });
});

const temporary = () => mkdtempSync(join(tmpdir(), 'llmspell-cache-'));
const CACHES: Record<string, (most?: number) => EmbeddingCache> = { memory: createMemoryCache, SQLite: (most) => createSqliteCache(temporary(), most) };

describe.each(Object.entries(CACHES))('the cache in %s', (_, create) => {
  it('gives what was put, in order, and nothing else', () => {
    const cache = create();
    const [one, two] = [new Float32Array([0.25, -1]), new Float32Array([3])];
    cache.put([
      ['a', one],
      ['b', two],
    ]);
    expect(cache.get(['b', 'x', 'a'])).toEqual([two, undefined, one]);
    cache.close();
  });

  it('is bounded: the oldest go', () => {
    const cache = create(400_000);
    for (let at = 0; at < 300; at++) cache.put([[`k${at}`, new Float32Array(1_000)]]);
    const kept = cache.get(Array.from({ length: 300 }, (_, at) => `k${at}`)).map((vector) => vector !== undefined);
    expect(kept.filter(Boolean).length).toBeGreaterThan(30);
    expect(kept.filter(Boolean).length).toBeLessThanOrEqual(100);
    expect(kept.at(-1)).toBe(true);
    expect(kept[0]).toBe(false);
    cache.close();
  });
});

describe('the cache of a tenant', () => {
  it('lies in its folder, is found again, and is another for another tenant', async () => {
    const host = hostOf();
    const first = host.get(embeddingCaches).of('a');
    first.put([['k', new Float32Array([1])]]);
    expect(readdirSync(tenantFolder(host.dataDir, 'a'))).toContain('embeddings.db');
    expect(host.get(embeddingCaches).of('b').get(['k'])).toEqual([undefined]);
    host.get(embeddingCaches).release('a');
    expect(host.get(embeddingCaches).of('a').get(['k'])).toEqual([new Float32Array([1])]);
  });

  it('that is damaged is made anew', () => {
    const folder = temporary();
    writeFileSync(join(folder, 'embeddings.db'), 'no database at all, but long enough to be looked at '.repeat(100));
    const cache = createSqliteCache(folder);
    cache.put([['k', new Float32Array([1])]]);
    expect(cache.get(['k'])).toEqual([new Float32Array([1])]);
  });

  it('that is closed forgets instead of failing', () => {
    const cache = createSqliteCache(temporary());
    cache.close();
    cache.put([['k', new Float32Array([1])]]);
    expect(cache.get(['k'])).toEqual([undefined]);
  });

  it('keys are of model and text', () => {
    expect(new Set([cacheKey('a', 'b'), cacheKey('ab', ''), cacheKey('', 'ab'), cacheKey('a', 'b')]).size).toBe(3);
  });
});

describe('local/hash', () => {
  const similarity = (a: string, b: string) => {
    const [one, two] = [hashEmbed(a, 'query'), hashEmbed(b, 'query')];
    return one.reduce((sum, value, at) => sum + value * (two[at] as number), 0);
  };

  it('gives every text a finite vector of length 1, the same each time', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        const vector = hashEmbed(text);
        expect(vector).toHaveLength(1_024);
        expect(vector.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 5);
        expect(hashEmbed(text).every((value, at) => value === vector[at])).toBe(true);
      }),
    );
  });

  it('is the same on every machine', () => {
    const vector = hashEmbed('The quick brown fox jumps over the lazy dog. Größe, 漢字.', 'query');
    const places = [...vector].map((value, at) => [at, value] as const).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    expect(places.slice(0, 3).map(([at, value]) => [at, value.toFixed(4)])).toEqual([
      [149, '0.2835'],
      [368, '-0.2835'],
      [461, '-0.2835'],
    ]);
  });

  it('does not take a short document for nearer than a longer one that says more of what was asked', () => {
    const asked = hashEmbed('how long does a ferry ticket stay valid', 'query');
    const to = (text: string, purpose: 'document' | 'query') => hashEmbed(text, purpose).reduce((sum, value, at) => sum + value * (asked[at] as number), 0);
    const [short, long] = [
      'Ferry ticket',
      'A ticket of the ferry is valid for two hours. Keep it with you: people in blue coats look at tickets on board and on the pier.',
    ];
    expect(to(long, 'document')).toBeGreaterThan(to(short, 'document'));
    expect(to(long, 'query')).toBeLessThan(to(short, 'query'));
  });

  it('finds texts of like words nearer than others', () => {
    expect(similarity('How do I chunk documents?', 'Chunking of a document')).toBeGreaterThan(
      similarity('How do I chunk documents?', 'The price of bread') + 0.2,
    );
    expect(similarity('RESUME', 'résumé')).toBeGreaterThan(0.99);
    expect(similarity('recieve the letter', 'receive the letter')).toBeGreaterThan(similarity('recieve the letter', 'a parcel was sent') + 0.2);
    expect(similarity('東京の天気', '天気は東京')).toBeGreaterThan(similarity('東京の天気', '大阪に行く') + 0.2);
  });

  it.each([
    ['chunks', 'chunk'],
    ['chunked', 'chunk'],
    ['chunking', 'chunk'],
    ['stopped', 'stop'],
    ['parties', 'party'],
    ['boxes', 'box'],
    ['glass', 'glass'],
    ['status', 'status'],
    ['this', 'this'],
    ['größe', 'größe'],
    ['string', 'string'],
  ])('takes %s as %s', (word, root) => {
    expect(stem(word)).toBe(root);
  });
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptError } from '../../src/errors.ts';
import { testRuntime } from '../support/runtime.ts';

const KEY = 'key-of-the-reranker';
const asked: { authorization: string | undefined; body: { model: string; query: string; documents: string[]; top_n: number } }[] = [];
let answer: (documents: readonly string[]) => { status?: number; text: string } = () => ({ text: '' });
const server = createServer(async (request, response) => {
  let text = '';
  for await (const piece of request) text += piece;
  const body = JSON.parse(text);
  asked.push({ authorization: request.headers.authorization, body });
  const { status = 200, text: told } = answer(body.documents);
  response.writeHead(status, { 'content-type': 'application/json' }).end(told);
});
beforeAll(async () => {
  process.env.TEST_RERANK_KEY = KEY;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  delete process.env.TEST_RERANK_KEY;
  server.close();
});

const INGEST = ['apples and pears', 'apples and plums', 'apples alone']
  .map((content, at) => `{content = "${content}", metadata = {document_id = "d${at}"}}`)
  .join(', ');
const SCRIPT = `RAG.ingest_documents("global", {${INGEST}})
local ids = {} for i, chunk in ipairs(RAG.retrieve("global", {query = "apples", rerank = true}).chunks) do ids[i] = chunk.document_id .. " " .. chunk.score end return ids`;

async function run(api_key_env = 'TEST_RERANK_KEY'): Promise<unknown> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/rerank`;
  await using test = await testRuntime({ log: { level: 'silent' }, rag: { reranker: { url, model: 'judge', api_key_env } } });
  return test.runtime.execute(SCRIPT, { language: 'lua', grants: test.grants }).then(
    ({ value }) => value,
    (error) => error,
  );
}

const scores = (of: (text: string) => number) => (documents: readonly string[]) => ({
  text: JSON.stringify({ results: documents.map((text, index) => ({ index, relevance_score: of(text) })) }),
});

describe('a service that orders passages', () => {
  it('gets the question, the passages and the key, and its order counts', async () => {
    answer = scores((text) => (text.includes('plums') ? 0.75 : text.includes('alone') ? 0.5 : 0.25));
    expect(await run()).toEqual(['d1 0.75', 'd2 0.5', 'd0 0.25']);
    expect(asked.at(-1)).toMatchObject({ authorization: `Bearer ${KEY}`, body: { model: 'judge', query: 'apples', top_n: 3 } });
    expect([...(asked.at(-1)?.body.documents ?? [])].sort()).toEqual(['apples alone', 'apples and pears', 'apples and plums']);
  });

  it.each([
    ['a passage that it was not given', () => ({ text: '{"results": [{"index": 7, "relevance_score": 1}]}' }), /it names passages that it was not given/],
    [
      'one passage twice',
      () => ({ text: '{"results": [{"index": 0, "relevance_score": 1}, {"index": 0, "relevance_score": 1}]}' }),
      /it names passages that it was not given/,
    ],
    ['too few', () => ({ text: '{"results": [{"index": 0, "relevance_score": 1}]}' }), /it ordered 1 of 3 passages/],
    ['no scores', () => ({ text: '{"results": [{"index": 0}]}' }), /cannot be read/],
    ['no JSON', () => ({ text: '<html>' }), /reranker judge/],
    ['an error', () => ({ status: 500, text: `{"message": "broken ${KEY}"}` }), /reranker judge/],
  ])('that answers with %s is an error, never another order', async (_, told, message) => {
    answer = told;
    const error = await run();
    expect(error).toBeInstanceOf(ScriptError);
    expect(error).toMatchObject({ code: 'MODEL_FAILED', message: expect.stringMatching(message) });
    expect((error as Error).message).not.toContain(KEY);
  });

  it('needs its key', async () => {
    expect(await run('NO_SUCH_VARIABLE')).toMatchObject({ code: 'BAD_CONFIG', message: expect.stringContaining('NO_SUCH_VARIABLE') });
  });
});

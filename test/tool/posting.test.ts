import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScriptError } from '../../src/errors.ts';
import { tools } from '../../src/tool/registry.ts';
import { testRun } from '../support/run.ts';
import { turnsDuring } from '../support/turns.ts';
import { workspace } from '../support/workspace.ts';

const work = workspace();
const got: { path: string; headers: IncomingMessage['headers']; body: string }[] = [];
let answers: ((response: ServerResponse) => void)[] = [];
const json =
  (value: unknown, status = 200) =>
  (response: ServerResponse) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const server = createServer(async (request, response) => {
  let body = '';
  for await (const piece of request) body += piece;
  got.push({ path: request.url ?? '', headers: request.headers, body });
  (answers.shift() ?? json({}))(response);
});
let url = '';
let net: string[] = [];
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  net = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  url = `http://${net[0]}/in`;
});
beforeEach(() => {
  got.length = 0;
  answers = [];
});
afterAll(() => {
  server.close();
  work[Symbol.dispose]();
});

describe('graphql', () => {
  const ask = (more: Record<string, unknown> = {}) => work.tool('graphql', { url, query: 'query Q($id: ID!) { user(id: $id) { name } }', ...more }, { net });
  it('asks with variables and gives the data', async () => {
    answers = [json({ data: { user: { name: 'Ada', big: 1 } }, extensions: { cost: 3 } })];
    expect(await ask({ variables: { id: 2n ** 60n }, operation_name: 'Q', headers: { authorization: 'Bearer x' } })).toEqual({
      data: { user: { name: 'Ada', big: 1 } },
      extensions: { cost: 3 },
    });
    expect(got[0]).toMatchObject({
      headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
      body: expect.stringContaining(`"variables":{"id":${2n ** 60n}}`),
    });
    expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ operationName: 'Q' });
  });

  it('fails with what the server says, or gives it back when asked', async () => {
    const errors = [{ message: 'no such field', path: ['user'] }];
    answers = [json({ data: null, errors }), json({ data: { a: 1 }, errors }), json({ errors }, 400)];
    const refused = () => work.refusal('graphql', { url, query: '{ x }' }, { net });
    expect(await refused()).toMatchObject({ code: 'TOOL_FAILED', message: `graphql: ${net[0]} says: no such field`, details: { errors } });
    expect(await ask({ allow_errors: true })).toEqual({ data: { a: 1 }, errors });
    expect(await refused()).toMatchObject({ message: `graphql: ${net[0]} says: no such field`, details: { status: 400 } });
    answers = [json({}, 503), (response) => response.end('<html>'), (response) => response.end(' '.repeat(6 * 2 ** 20))];
    expect(await refused()).toMatchObject({ message: `graphql: ${net[0]} answered 503`, details: { retryable: true } });
    expect(await refused()).toMatchObject({ message: `graphql: ${net[0]} answered with something that is no GraphQL` });
    expect(await refused()).toMatchObject({ message: `graphql: ${net[0]} answered with more than 5 MB` });
    expect(await work.refusal('graphql', { url, query: '{ x }' })).toMatchObject({ code: 'NOT_ALLOWED' });
    answers = [json({ data: Array(100_000).fill(1) })];
    expect(await refused()).toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'graphql: the answer: more than 90000 parts in one value' });
  });
});

describe('webhook', () => {
  const post = (more: Record<string, unknown> = {}) => work.tool('webhook', { url, payload: { done: true, n: 2n ** 60n }, backoff_ms: 0, ...more }, { net });
  const refused = (more: Record<string, unknown> = {}) => work.refusal('webhook', { url, payload: 1, backoff_ms: 0, ...more }, { net });

  it('posts JSON that the other side can verify', async () => {
    answers = [(response) => response.writeHead(202).end('taken')];
    const result = await post({ secret: 'key', headers: { 'x-signature-256': 'forged', 'x-other': 'y' } });
    expect(result).toMatchObject({ status: 202, body: 'taken', attempts: 1 });
    expect(got[0]?.body).toBe(`{"done":true,"n":${2n ** 60n}}`);
    expect(got[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-other': 'y',
      'x-delivery-id': result.delivery_id,
      'x-signature-256': `sha256=${createHmac('sha256', 'key')
        .update(got[0]?.body ?? '')
        .digest('hex')}`,
    });
    await post({ secret: 'key', signature_header: 'x-hub-signature-256' });
    expect(got[1]?.headers['x-hub-signature-256']).toMatch(/^sha256=[0-9a-f]{64}$/);
  });

  it('signs a long payload in pieces, and no header of the script passes for its own', async () => {
    const long = (payload: string) => turnsDuring(() => post({ payload, secret: 'key', headers: { 'X-Signature-256': 'forged', 'X-Delivery-Id': 'forged' } }));
    await long('x');
    const { turns: few } = await long('x');
    const { turns } = await long('x'.repeat(8_000_000));
    expect(turns).toBeGreaterThan(few + 2);
    const body = got.at(-1)?.body ?? '';
    expect(body.length).toBe(8_000_002);
    expect(got.at(-1)?.headers['x-signature-256']).toBe(`sha256=${createHmac('sha256', 'key').update(body).digest('hex')}`);
    expect(got.at(-1)?.headers['x-delivery-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('tries again while it may help, as the same delivery', async () => {
    answers = [(response) => response.writeHead(503).end(), (response) => response.destroy(), json({ ok: 1 })];
    expect(await post()).toMatchObject({ status: 200, attempts: 3 });
    expect(new Set(got.map(({ headers }) => headers['x-delivery-id'])).size).toBe(1);
    answers = [json({}, 500), json({}, 500), json({}, 500), json({}, 500)];
    expect(await refused()).toMatchObject({
      code: 'TOOL_FAILED',
      message: `webhook: ${net[0]} answered 500 (3 attempts)`,
      details: { status: 500, attempts: 3, retryable: true },
    });
    got.length = 0;
    answers = [json({}, 400)];
    expect(await refused()).toMatchObject({ message: `webhook: ${net[0]} answered 400`, details: { retryable: false, attempts: 1 } });
    answers = [json({}, 429)];
    expect(await refused({ retries: 0 })).toMatchObject({ details: { status: 429, retryable: true } });
    expect(got).toHaveLength(2);
  });

  it('follows no redirect, and stays inside the fence', async () => {
    answers = [(response) => response.writeHead(307, { location: 'http://169.254.169.254/' }).end()];
    expect(await refused()).toMatchObject({ code: 'TOOL_FAILED', details: { status: 307 } });
    expect(got).toHaveLength(1);
    expect(await work.refusal('webhook', { url, payload: 1 })).toMatchObject({ code: 'NOT_ALLOWED', details: { outcome: 'not_sent' } });
    expect(await work.refusal('webhook', { url: 'http://169.254.169.254/', payload: 1 }, { net: ['*'] })).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await refused({ signature_header: 'a\r\nb' })).toMatchObject({ code: 'BAD_ARGUMENT' });
  });

  it('stops waiting when the run is cancelled', async () => {
    answers = [json({}, 500)];
    const { run, context } = testRun({ grants: { net } });
    const going = Promise.resolve(run.get(tools).execute(context, 'webhook', { url, payload: 1, backoff_ms: 5_000 }));
    const failed = expect(going).rejects.toMatchObject({ code: 'CANCELLED' });
    while (got.length === 0) await new Promise((done) => setImmediate(done));
    run.abort(new ScriptError('CANCELLED', 'no more'));
    await failed;
  });
});

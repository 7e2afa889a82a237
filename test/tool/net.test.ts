import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScriptError } from '../../src/errors.ts';
import { hostAllowed, isPublic, namedLiterally } from '../../src/tool/net/rules.ts';
import { tools } from '../../src/tool/registry.ts';
import { testHost, testRun } from '../support/run.ts';
import { testRuntime } from '../support/runtime.ts';
import { turnsDuring } from '../support/turns.ts';

let port = 0;
const requests: IncomingMessage[] = [];
const routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/json': (_, response) => response.setHeader('content-type', 'application/json').end('{"big": 9007199254740993, "list": []}'),
  '/page': (_, response) =>
    response
      .setHeader('content-type', 'text/html')
      .end(
        '<html><title>A page</title><nav>menu</nav><main><h1>Hi</h1><p>Some <b>bold</b> text and <a href="/next">a link</a>.</p></main><script>bad()</script></html>',
      ),
  '/here': (_, response) => response.writeHead(302, { location: '/json' }).end(),
  '/away': (_, response) => response.writeHead(302, { location: `http://localhost:${port}/json` }).end(),
  '/metadata': (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
  '/back': (_, response) => response.writeHead(307, { location: `http://localhost:${port}/echo` }).end(),
  '/other': (_, response) => response.writeHead(303, { location: '/json' }).end(),
  '/cookies': (_, response) =>
    response.writeHead(200, [...['a=1; expires=Thu, 01 Jan 2030 00:00:00 GMT', 'b=2'].flatMap((one) => ['set-cookie', one]), 'x-two', '1', 'x-two', '2']).end(),
  '/numbers': (_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(Array(200_000).fill(7))),
  '/rows': (_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(Array(20_000).fill({ a: 1.5 }))),
  '/deep': (_, response) => response.setHeader('content-type', 'application/json').end(`${'['.repeat(64)}${']'.repeat(64)}`),
  '/named': (_, response) => response.writeHead(302, { location: `http://me:secret@127.0.0.1:${port}/json` }).end(),
  '/round': (_, response) => response.writeHead(302, { location: '/round' }).end(),
  '/bomb': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50 * 2 ** 20))),
  '/cut': (_, response) => {
    response.writeHead(200, { 'content-length': '1000' }).write('begun');
    setTimeout(() => response.destroy(), 5);
  },
  '/teapot': (_, response) => response.writeHead(418).end('short and stout'),
  '/echo': (request, response) => request.pipe(response),
};
const server = createServer((request, response) => {
  requests.push(request);
  (routes[new URL(request.url ?? '', 'http://x').pathname] ?? routes['/teapot'])?.(request, response);
});
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

/** What answers come to: a body whose JSON is too large, cookies, JSON. */
const ANSWERS = {
  lua: String.raw`local function get(path) return Tool.execute("http_request", {url = ARGS[1] .. path}) end
    local numbers, cookies, count = get("/numbers"), get("/cookies").headers["set-cookie"], 0
    for _ in cookies:gmatch("[^\n]+") do count = count + 1 end
    return {#numbers.body, numbers.json == nil, count, #get("/rows").json}`,
  javascript: String.raw`const get = path => Tool.execute("http_request", {url: ARGS[0] + path});
    const numbers = get("/numbers");
    [numbers.body.length, numbers.json === undefined, get("/cookies").headers["set-cookie"].split("\n").length, get("/rows").json.length]`,
} as const;

const host = testHost();
async function get(path: string, net: readonly string[] = [`127.0.0.1:${port}`], name = 'http_request', input: Record<string, unknown> = {}) {
  const { run, context } = testRun({ host, grants: { net } });
  const url = path.startsWith('http') ? path : `http://127.0.0.1:${port}${path}`;
  return (await run.get(tools).execute(context, name, { url, ...input } as never)) as Record<string, unknown>;
}
const refusal = (work: Promise<unknown>): Promise<ScriptError> =>
  work.then(
    (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
    (error) => error,
  );

describe('http_request', () => {
  it.each([
    ['text', 'ä€😀x'.repeat(450_000)],
    ['bytes', new Uint8Array(5_000_000).map((_, i) => (i % 7) + 200)],
  ])('sends long %s whole, with its length, and leaves others their turns', async (_, body) => {
    const post = (given: typeof body) => turnsDuring(() => get('/echo', undefined, undefined, { method: 'POST', body: given }));
    const type = () => requests.at(-1)?.headers['content-type'];
    const short = body.slice(0, 10) as typeof body;
    await post(short);
    const { turns: few } = await post(short);
    const usual = type();
    const { result, turns } = await post(body);
    expect(Buffer.from(result.body as string).equals(Buffer.from(body))).toBe(true);
    expect(turns).toBeGreaterThan(few + 2);
    expect(requests.at(-1)?.headers).toMatchObject({ 'content-length': `${Buffer.from(body).length}` });
    expect(requests.at(-1)?.headers).not.toHaveProperty('transfer-encoding');
    expect(type()).toBe(usual);
    await get('/echo', undefined, undefined, { method: 'POST', body, headers: { 'Content-Type': 'text/csv' } });
    expect(type()).toBe('text/csv');
  });

  it('reads JSON exactly and sends bodies', async () => {
    expect(await get('/json')).toMatchObject({ status: 200, ok: true, json: { big: 9007199254740993n, list: [] }, truncated: false });
    expect((await get('/echo', undefined, undefined, { method: 'POST', json: { n: 2n ** 60n } })).body).toBe(`{"n":${2n ** 60n}}`);
    await expect(get('/echo', undefined, undefined, { method: 'POST', json: 1, body: 'x' })).rejects.toThrow('expected either json or body, got both');
    expect(await get('/teapot')).toMatchObject({ status: 418, ok: false, body: 'short and stout' });
    expect((await get('/json', undefined, undefined, { query: { q: 'a b', n: 1 } })).url).toContain('/json?q=a+b&n=1');
  });

  it('follows redirects inside the fence only', async () => {
    expect((await get('/here')).status).toBe(200);
    expect((await get('/here', undefined, undefined, { follow_redirects: false })).status).toBe(302);
    expect(await refusal(get('/away'))).toMatchObject({
      code: 'NOT_ALLOWED',
      message: `http_request: this run may not reach localhost:${port} (grants.net or --allow-net localhost)`,
    });
    expect(await refusal(get('/metadata'))).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await refusal(get('/named'))).toMatchObject({
      code: 'TOOL_FAILED',
      message: `http_request: 127.0.0.1:${port} redirects to an address with a user name or password in it`,
    });
    expect(await refusal(get('/round'))).toMatchObject({ code: 'TOOL_FAILED', details: { outcome: 'failed', retryable: false } });
  });

  it('sends another origin only those of the headers that say nothing about who asks, and the body as HTTP says', async () => {
    requests.length = 0;
    const harmless = { accept: 'text/csv', 'Accept-Language': 'de', 'User-Agent': 'mine', 'Content-Type': 'text/csv' };
    const headers = { Authorization: 'Bearer secret', cookie: 'a=1', 'X-Api-Key': 'k', 'x-auth-token': 't', ...harmless };
    const both = [`127.0.0.1:${port}`, `localhost:${port}`];
    expect((await get('/back', both, undefined, { method: 'POST', headers, body: 'a,b' })).body).toBe('a,b');
    const kept = { accept: 'text/csv', 'accept-language': 'de', 'user-agent': 'mine', 'content-type': 'text/csv' };
    expect(requests.map(({ headers: sent }) => sent)).toMatchObject([{ authorization: 'Bearer secret', 'x-api-key': 'k', ...kept }, kept]);
    for (const name of ['authorization', 'cookie', 'x-api-key', 'x-auth-token']) expect(requests[1]?.headers).not.toHaveProperty(name);
    requests.length = 0;
    await get('/other', both, undefined, { method: 'POST', headers, body: 'a,b' });
    expect([requests[1]?.method, requests[1]?.headers['x-api-key'], requests[1]?.headers['content-type']]).toEqual(['GET', 'k', undefined]);
  });

  it('sends its own user agent where the script gives none', async () => {
    requests.length = 0;
    await get('/teapot');
    expect(requests[0]?.headers['user-agent']).toBe('llmspell');
  });

  it('sets fields of the query in the place of those that are there', async () => {
    requests.length = 0;
    await get('/teapot?b=1&a=1&b=2&c=%20', undefined, undefined, { query: { b: 'x y', '10': true, d: 1.5 } });
    await get('/teapot?b=%20');
    expect(requests.map(({ url }) => url)).toEqual(['/teapot?b=x+y&a=1&c=+&10=true&d=1.5', '/teapot?b=%20']);
  });

  it.each([
    ['an address', { url: `http://127.0.0.1/${'x/../'.repeat(20_000)}` }, 'url: expected at most 65536 characters, got 100017'],
    [
      'a query',
      { query: Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`k${at}`, at])) },
      'query: expected at most 65536 characters together, got more',
    ],
    ['an address with its query', { query: { a: 'ä'.repeat(20_000) } }, /^http_request: url: expected at most 65536 characters, got 1200\d\d$/],
    [
      'headers',
      { headers: Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`x-${at}`, 'y'.repeat(4_000)])) },
      'headers: expected at most 65536 characters together, got more',
    ],
  ])('refuses %s without end, and first what is not granted', async (_, input, message) => {
    const refused = await refusal(get('/json', undefined, undefined, input));
    expect(refused).toMatchObject({ code: 'BAD_ARGUMENT', message: typeof message === 'string' ? `http_request: ${message}` : expect.stringMatching(message) });
    if (!('url' in input)) expect(await refusal(get('/json', [], undefined, input))).toMatchObject({ code: 'NOT_ALLOWED' });
  });

  it('gives the body of JSON that is too large for a script, without its value', async () => {
    const { turns: few } = await turnsDuring(() => get('/json'));
    const { result, turns } = await turnsDuring(() => get('/numbers'));
    expect((result.body as string).length).toBe(400_001);
    expect(result).not.toHaveProperty('json');
    expect(turns).toBeGreaterThan(few + 2);
    expect(await get('/deep')).not.toHaveProperty('json');
    expect((await get('/rows')).json).toEqual(Array(20_000).fill({ a: 1.5 }));
  });

  it('loses none of several cookies', async () => {
    const { headers } = await get('/cookies');
    expect(headers).toMatchObject({ 'set-cookie': 'a=1; expires=Thu, 01 Jan 2030 00:00:00 GMT\nb=2', 'x-two': '1, 2' });
  });

  it.each(['lua', 'javascript'] as const)('gives scripts in %s what it gives', async (language) => {
    await using test = await testRuntime();
    const { value } = await test.runtime.execute(ANSWERS[language], {
      language,
      grants: { ...test.grants, net: [`127.0.0.1:${port}`] },
      args: [`http://127.0.0.1:${port}`],
    });
    expect(value).toEqual([200_000 * 2 + 1, true, 2, 20_000]);
  });

  it.each([
    ['nothing is granted', [], 'http_request: this run may not reach'],
    ['another host is granted', ['example.org'], 'may not reach'],
    ['another port is granted', ['127.0.0.1:1'], 'may not reach'],
    ['everything is granted but not this private address by name', ['*'], 'is a private address; it must be allowed by its own name'],
  ])('is refused when %s', async (_, net, message) => {
    expect(await refusal(get('/json', net))).toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining(message),
      details: { outcome: 'not_sent', retryable: false },
    });
  });

  it.each([
    'http://0x7f.1/',
    'http://2130706433/',
    'http://[::ffff:127.0.0.1]/',
    'http://localhost/',
    'http://[::1]/',
    'http://10.0.0.1/',
    'http://100.64.0.1/',
    'http://192.168.1.1/',
    'http://0.0.0.0/',
  ])('is refused for %s even when all hosts are granted', async (url) => {
    expect(await refusal(get(url, ['*']))).toMatchObject({ code: 'NOT_ALLOWED' });
  });

  it.each([
    ['ftp://x/', 'url: expected an address with http or https'],
    ['nonsense', 'url: expected an address with http or https'],
    ['http://user:pass@127.0.0.1/', 'url: expected no user name or password in it'],
  ])('refuses %s', async (url, message) => {
    const { run, context } = testRun({ host, grants: { net: ['*'] } });
    expect(await refusal(Promise.resolve(run.get(tools).execute(context, 'http_request', { url })))).toMatchObject({
      code: 'BAD_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  it('cuts what is too long, unpacked', async () => {
    const answer = await get('/bomb');
    expect(answer.truncated).toBe(true);
    expect((answer.body as string).length).toBe(5 * 2 ** 20);
  });

  it('tells of broken connections, closed ports and unknown names', async () => {
    expect(await refusal(get('/cut'))).toMatchObject({ code: 'TOOL_FAILED', details: { retryable: true } });
    expect(await refusal(get('http://127.0.0.1:9/', ['127.0.0.1:9']))).toMatchObject({ code: 'TOOL_FAILED', details: { retryable: true } });
    expect(await refusal(get('http://no-such-host.invalid/', ['*']))).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'http_request: the name no-such-host.invalid cannot be resolved',
      details: { outcome: 'not_sent', retryable: true },
    });
  });
});

describe('web_fetch', () => {
  it('gives a page as people read it', async () => {
    expect(await get('/page', undefined, 'web_fetch')).toEqual({
      url: `http://127.0.0.1:${port}/page`,
      title: 'A page',
      text: `# Hi\n\nSome **bold** text and [a link](http://127.0.0.1:${port}/next).`,
      links: [{ text: 'a link', url: `http://127.0.0.1:${port}/next` }],
      truncated: false,
    });
    expect((await get('/page', undefined, 'web_fetch', { format: 'text' })).text).toBe('# Hi\n\nSome **bold** text and a link.');
    expect(await refusal(get('/teapot', undefined, 'web_fetch'))).toMatchObject({ code: 'TOOL_FAILED', details: { status: 418 } });
  });
});

describe('the rules', () => {
  it.each([
    ['example.org', 'example.org', 443, true],
    ['example.org', 'EXAMPLE.org', 443, true],
    ['example.org', 'www.example.org', 443, false],
    ['*.example.org', 'www.example.org', 443, true],
    ['*.example.org', 'example.org', 443, false],
    ['*.example.org', 'evilexample.org', 443, false],
    ['example.org:8080', 'example.org', 8080, true],
    ['example.org:8080', 'example.org', 443, false],
    ['*', 'anything.at.all', 1, true],
    ['[::1]:80', '::1', 80, true],
    ['', 'x', 80, false],
  ])('%s for %s:%d is %s', (grant, name, at, expected) => {
    expect(hostAllowed([grant], name, at)).toBe(expected);
  });

  it('know public addresses', () => {
    expect(['8.8.8.8', '2001:4860:4860::8888'].map(isPublic)).toEqual([true, true]);
    expect(
      ['127.0.0.1', '10.1.1.1', '169.254.169.254', '::1', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', '224.0.0.1', '0.0.0.0', '100.64.0.1'].map(isPublic),
    ).toEqual(Array.from({ length: 10 }, () => false));
    expect(namedLiterally(['*', '*.local'], 'a.local')).toBe(false);
  });
});

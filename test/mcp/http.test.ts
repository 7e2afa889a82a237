import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { serveHttp } from '../../src/mcp/serve/http.ts';
import type { ServedTool } from '../../src/mcp/serve/served.ts';
import { LANGUAGES, mcpRuntime, refusal, until } from './support.ts';

vi.setConfig({ testTimeout: 90_000 });

const doings: string[] = [];
const tool = (name: string, call: ServedTool['call']): ServedTool => ({
  name,
  description: `Does ${name}`,
  input: { type: 'object' },
  output: undefined,
  call,
});
const TOOLS = [
  tool('echo', async (args) => args),
  tool(
    'hang',
    (_, { signal }) =>
      new Promise((_resolve, reject) => {
        doings.push('hanging');
        signal.addEventListener('abort', () => {
          doings.push('cancelled');
          reject(signal.reason);
        });
      }),
  ),
  tool('huge', async () => 'x'.repeat(33 * 2 ** 20)),
  tool('talk', async (_, { print }) => {
    for (let line = 0; line < 2_000; line++) {
      print(`${line} ${'x'.repeat(5_000)}`);
      if (line % 100 === 0) await new Promise((done) => setImmediate(done));
    }
    return 'said';
  }),
];
const hello = { name: 'hello', description: 'Greets', schema: { type: 'object' } };

/** Answers that are none. */
const requests: IncomingMessage[] = [];
const answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/refuses': (_, response) => response.writeHead(401).end('no'),
  '/fails': (_, response) => response.writeHead(500).end('oh'),
  '/away': (_, response) => response.writeHead(307, { location: 'http://localhost:9/mcp' }).end(),
  '/here': (_, response) => response.writeHead(307, { location: '/fails' }).end(),
  '/page': (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello'),
  '/cut': (request) => request.destroy(),
};
const bad = createServer((request, response) => {
  requests.push(request);
  answers[(request.url ?? '').split('?', 1)[0] ?? '']?.(request, response);
});
let good: Awaited<ReturnType<typeof serveHttp>>;
let base = '';
beforeAll(async () => {
  good = await serveHttp(TOOLS, { host: '127.0.0.1', port: 0, token: 's3cret' });
  await new Promise<void>((done) => bad.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(bad.address() as AddressInfo).port}`;
  process.env.LLMSPELL_TEST_TOKEN = 's3cret';
  process.env.LLMSPELL_TEST_KEY = 'key';
});
afterAll(async () => {
  await good.close();
  bad.close();
});
const settings = () => ({ url: good.url, token_env: 'LLMSPELL_TEST_TOKEN' });

describe.each(LANGUAGES)('a server over HTTP in %s', (language) => {
  it('is called and cancelled', async () => {
    await using test = await mcpRuntime({ web: settings() });
    await test.approve('web');
    expect(await test.call(language, 'web.echo', { a: [1, 'x'] })).toEqual({ text: '', structured: { a: [1, 'x'] } });
    doings.length = 0;
    const abort = new AbortController();
    const running = test.call(language, 'web.hang', {}, { signal: abort.signal });
    await until(() => doings.includes('hanging'));
    abort.abort();
    expect(await refusal(running)).toMatchObject({ code: 'CANCELLED' });
    await until(() => doings.includes('cancelled'));
  });

  it.each([
    ['refuses', 'refuses the token (HTTP 401); see token_env', { outcome: 'failed', retryable: false, status: 401 }],
    ['fails', 'has a failure (HTTP 500)', { outcome: 'failed', retryable: true, status: 500 }],
    ['away', 'redirects to another address, which is not followed', { outcome: 'failed', retryable: false }],
    ['here', 'has a failure (HTTP 500)', { outcome: 'failed', retryable: true, status: 500 }],
    ['cut', 'the connection broke', { outcome: 'not_sent', retryable: true }],
    ['page', 'answered with something that is no valid MCP', { outcome: 'failed', retryable: false }],
  ])('that %s is told in one sentence', async (path, message, details) => {
    await using test = await mcpRuntime({ web: { url: `${base}/${path}` } });
    test.pins.approve('web', [hello]);
    const error = await refusal(test.call(language, 'web.hello'));
    expect(error).toMatchObject({ code: 'TOOL_FAILED', details });
    expect(error.message).toContain(`MCP server web: ${message}`);
    expect(error.message).not.toContain('\n');
  });
});

describe('a server over HTTP', () => {
  it('that is not there is told, and found when it is', async () => {
    const gone = await serveHttp(TOOLS, { host: '127.0.0.1', port: 0, token: undefined });
    await using test = await mcpRuntime({ web: { url: gone.url } });
    await test.approve('web');
    await gone.close();
    expect(await refusal(test.call('lua', 'web.echo'))).toMatchObject({ code: 'TOOL_FAILED', details: { retryable: true } });
    expect(await refusal(test.call('lua', 'web.echo'))).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'MCP server web: cannot be reached (ECONNREFUSED)',
      details: { outcome: 'not_sent', retryable: true },
    });
    const again = await serveHttp(TOOLS, { host: '127.0.0.1', port: Number(new URL(gone.url).port), token: undefined });
    expect(await test.call('lua', 'web.echo', { a: 1 })).toEqual({ text: '', structured: { a: 1 } });
    await again.close();
  });

  it('that answers without end is cut off', async () => {
    await using test = await mcpRuntime({ web: settings() });
    await test.approve('web');
    expect(await refusal(test.call('lua', 'web.huge'))).toMatchObject({ message: 'MCP server web: sent an answer of more than 32 MB' });
    expect(await test.call('lua', 'web.echo', {})).toEqual({ text: '', structured: {} });
  });

  it('gets the headers that the configuration names, and scripts never see them', async () => {
    await using test = await mcpRuntime({
      web: {
        url: `${base}/fails?key=in-address`,
        token_env: 'LLMSPELL_TEST_TOKEN',
        headers: { 'x-plain': 'plain' },
        header_env: { 'x-key': 'LLMSPELL_TEST_KEY' },
      },
    });
    requests.length = 0;
    await refusal(test.approve('web'));
    expect(requests[0]?.headers).toMatchObject({ authorization: 'Bearer s3cret', 'x-plain': 'plain', 'x-key': 'key' });
    const { value } = await test.runtime.execute('return Config.get("mcp")');
    expect(JSON.stringify(value)).not.toMatch(/s3cret|"plain"|in-address/);
  });
});

describe('clients of the older protocol', () => {
  const post = (body: object, session?: string) =>
    fetch(good.url, {
      method: 'POST',
      headers: {
        authorization: 'Bearer s3cret',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session !== undefined && { 'mcp-session-id': session }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    });
  const begin = async () => {
    const response = await post({
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    });
    await response.text();
    return response.headers.get('mcp-session-id') ?? '';
  };
  const call = (session: string, name: string) => post({ id: 2, method: 'tools/call', params: { name, arguments: {} } }, session);

  it('do not end the call of another by coming in numbers', async () => {
    doings.length = 0;
    const [calling, idle] = [await begin(), await begin()];
    const running = call(calling, 'hang');
    await until(() => doings.includes('hanging'));
    for (let count = 0; count < 110; count++) await begin();
    expect(doings).toEqual(['hanging']);
    expect((await call(idle, 'echo')).status).toBe(404);
    await fetch(good.url, { method: 'DELETE', headers: { authorization: 'Bearer s3cret', 'mcp-session-id': calling } });
    await until(() => doings.includes('cancelled'));
    await (await running).text();
  });

  it('hear all that is printed, in order, however slowly they read', async () => {
    const warnings: string[] = [];
    const warn = ({ message }: Error) => void warnings.push(message);
    process.on('warning', warn);
    const text = await (await call(await begin(), 'talk')).text();
    await new Promise((done) => setImmediate(done));
    process.off('warning', warn);
    const printed = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json as string) as { params?: { data: string }; result?: unknown });
    const lines = printed.flatMap(({ params }) => params?.data.split('\n') ?? []);
    expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(Array.from({ length: 2_000 }, (_, line) => line));
    expect(printed.at(-1)?.result).toMatchObject({ content: [{ type: 'text', text: 'said' }] });
    expect(warnings).toEqual([]);
  });
});

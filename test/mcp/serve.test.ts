import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { until } from './support.ts';

vi.setConfig({ testTimeout: 90_000 });

const BIN = join(import.meta.dirname, '../../bin/llmspell');
const folder = mkdtempSync(join(tmpdir(), 'llmspell-serve-'));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const HEAD = (mark: string, name: string) =>
  [
    `@tool ${name}: Counts the words of a text`,
    '@param text string The text',
    '@param least? integer Only words of so many letters',
    '@result words integer How many',
  ]
    .map((line) => `${mark} ${line}\n`)
    .join('');

const SCRIPTS: Readonly<Record<string, string>> = {
  'words.lua': `${HEAD('--', 'words_lua')}
local n = 0
for word in INPUT.text:gmatch("%a+") do if #word >= (INPUT.least or 1) then n = n + 1 end end
print("counted", n)
State.save("global", "counted", n)
return {words = n}`,
  'words.js': `${HEAD('//', 'words_js')}
const words = (INPUT.text.match(/[a-z]+/gi) ?? []).filter(word => word.length >= (INPUT.least ?? 1))
console.log("counted", words.length)
State.save("global", "counted", words.length);
({words: words.length})`,
  'fail.lua': '-- @tool fail_lua: Fails\nerror("on purpose")',
  'fail.js': '// @tool fail_js: Fails\nthrow new Error("on purpose")',
  'wait.lua': '-- @tool wait_lua: Waits\nHook.register("custom:x", function() end)\nprint("waiting")\nsleep(3600000)',
  'wait.js': '// @tool wait_js: Waits\nprint("waiting")\nsleep(3600000)',
  'loop.lua': '-- @tool loop_lua: Computes for ever\nprint("looping")\nwhile true do pcall(function() while true do end end) end',
  'loop.js': '// @tool loop_js: Computes for ever\nprint("looping")\nfor (;;) try { for (;;); } catch {}',
  'read.lua': '-- @tool read_lua: Reads a file\n-- @param path string Which\nreturn Tool.execute("file_read", {path = INPUT.path}).content',
  'read.js': '// @tool read_js: Reads a file\n// @param path string Which\nTool.execute("file_read", {path: INPUT.path}).content',
  'lies.lua': '-- @tool lies_lua: Does not keep its word\n-- @result n integer A number\nreturn {n = "none"}',
  'lies.js': '// @tool lies_js: Does not keep its word\n// @result n integer A number\n({n: "none"})',
  'kinds.lua':
    '-- @tool kinds_lua: Gives what is asked for\n-- @param kind string Which\nlocal all = {list = {1, 2}, number = 7, bytes = "\\x89PNG\\r\\n\\x1a\\n\\xff", other = "\\xff\\xfe"}\nreturn all[INPUT.kind]',
  'kinds.js':
    '// @tool kinds_js: Gives what is asked for\n// @param kind string Which\nconst all = {list: [1, 2], number: 7, bytes: new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 255]), other: new Uint8Array([255, 254])};\nreturn all[INPUT.kind] ?? null',
  // Counts up in State as long as it lives, and another looks whether the count still grows.
  'tick.lua': '-- @tool tick_lua: Ticks\nwhile true do State.increment("global", "ticks") sleep(5) end',
  'tick.js': '// @tool tick_js: Ticks\nfor (;;) { State.increment("global", "ticks"); sleep(5) }',
  'ticks.lua': '-- @tool ticks_lua: Tells the ticks\nlocal a = State.load("global", "ticks") or 0 sleep(200) return {a, State.load("global", "ticks") or 0}',
  'ticks.js': '// @tool ticks_js: Tells the ticks\nconst a = State.load("global", "ticks") ?? 0; sleep(200); [a, State.load("global", "ticks") ?? 0]',
};
for (const [name, text] of Object.entries(SCRIPTS)) writeFileSync(join(folder, name), text);
writeFileSync(join(folder, 'note.txt'), 'a note');
const ARGS = ['mcp', 'serve', ...Object.keys(SCRIPTS).flatMap((name) => ['--script', join(folder, name)]), '--tools', 'calculator,http_request'];

interface Served extends AsyncDisposable {
  readonly client: Client;
  /** What runs have printed, as the client was told. */
  readonly printed: { logger: string | undefined; data: unknown }[];
  readonly stderr: () => string;
}
type Era = 'older' | 'newer';

async function open(transport: Transport, era: Era, stderr: () => string): Promise<Served> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: era === 'newer' ? { pin: '2026-07-28' } : 'legacy' } });
  const printed: Served['printed'] = [];
  client.setNotificationHandler('notifications/message', ({ params }) => void printed.push({ logger: params.logger, data: params.data }));
  await client.connect(transport);
  return { client, printed, stderr, [Symbol.asyncDispose]: () => client.close() };
}

async function overPipes(era: Era, args: readonly string[] = ARGS): Promise<Served> {
  const transport = new StdioClientTransport({ command: process.execPath, args: [BIN, ...args], cwd: folder, stderr: 'pipe' });
  let stderr = '';
  transport.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  return open(transport, era, () => stderr);
}

async function overHttp(era: Era, args: readonly string[] = ARGS, token?: string): Promise<Served & { url: string }> {
  const child = spawn(process.execPath, [BIN, ...args, '--http', '0'], { cwd: folder });
  children.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  await until(() => / at http:\S+\n/.test(stderr) || child.exitCode !== null);
  const [, url = ''] = / at (http:\S+)\n/.exec(stderr) ?? [];
  const served = await open(
    new StreamableHTTPClientTransport(new URL(url), token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
    era,
    () => stderr,
  );
  return {
    ...served,
    url,
    async [Symbol.asyncDispose]() {
      await served.client.close();
      child.kill('SIGTERM');
      await new Promise((done) => child.once('exit', done));
    },
  };
}

const WAYS = [
  ['pipes', 'older', overPipes],
  ['pipes', 'newer', overPipes],
  ['HTTP', 'older', overHttp],
  ['HTTP', 'newer', overHttp],
] as const;

describe.concurrent.each(WAYS)('scripts and tools over %s in the %s protocol', (way, era, start) => {
  let served: Served;
  beforeAll(async () => {
    served = await start(era, [...ARGS, '--timeout', '20000']);
  });
  afterAll(() => served[Symbol.asyncDispose]());

  it('are listed, called, fail, are bounded and cancelled, in both languages', async () => {
    const { client, printed } = served;
    const call = (name: string, args: Record<string, unknown> = {}) => client.callTool({ name, arguments: args });
    const text = async (name: string, args: Record<string, unknown> = {}) => {
      const { content, isError = false } = await call(name, args);
      return [isError, content[0]?.type === 'text' ? content[0].text : content];
    };

    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(
      [
        ...['words', 'fail', 'wait', 'loop', 'read', 'lies', 'kinds', 'tick', 'ticks'].flatMap((name) => [`${name}_js`, `${name}_lua`]),
        'calculator',
        'http_request',
      ].sort(),
    );
    const described = {
      description: 'Counts the words of a text',
      inputSchema: { required: ['text'], additionalProperties: false },
      outputSchema: { required: ['words'] },
    };
    for (const language of ['lua', 'js']) expect(tools.find(({ name }) => name === `words_${language}`)).toMatchObject(described);

    for (const language of ['lua', 'js']) {
      expect(await call(`words_${language}`, { text: 'To be or not', least: 3 })).toMatchObject({
        structuredContent: { words: 1 },
        content: [{ type: 'text', text: '{"words":1}' }],
      });
      expect(await text(`words_${language}`, { txt: 'x' })).toEqual([true, `BAD_ARGUMENT: words_${language}: unknown option "txt"; did you mean "text"?`]);
      expect(await text(`fail_${language}`)).toEqual([true, `SCRIPT_ERROR: fail.${language}:2: on purpose`]);
      expect(await text(`read_${language}`, { path: 'note.txt' })).toEqual([false, 'a note']);
      expect(await text(`read_${language}`, { path: '/etc/hostname' })).toEqual([true, expect.stringContaining('NOT_ALLOWED: ')]);
      expect(await text(`lies_${language}`)).toEqual([
        true,
        expect.stringContaining('the script did not give what its head promises: result.n: expected an integer'),
      ]);
      const kind = (name: string) => call(`kinds_${language}`, { kind: name });
      expect(await kind('list')).toMatchObject({ structuredContent: { result: [1, 2] }, content: [{ type: 'text', text: '[1,2]' }] });
      expect(await kind('number')).toMatchObject({ structuredContent: { result: 7 }, content: [{ type: 'text', text: '7' }] });
      expect((await kind('nothing')).content).toEqual([]);
      expect((await kind('bytes')).content).toEqual([
        { type: 'image', mimeType: 'image/png', data: Buffer.from('89504e470d0a1a0aff', 'hex').toString('base64') },
      ]);
      expect((await kind('other')).content).toMatchObject([{ type: 'resource', resource: { blob: '//4=' } }]);

      for (const name of [`wait_${language}`, `loop_${language}`]) {
        const abort = new AbortController();
        const running = client.callTool({ name, arguments: {} }, { signal: abort.signal }).catch((error: unknown) => error);
        if (era === 'older') await until(() => printed.some(({ logger }) => logger === name));
        abort.abort();
        await running;
      }
    }
    expect(await call('calculator', { expression: '6 * 7' })).toMatchObject({ structuredContent: { result: 42 } });
    expect(await text('calculator', { expression: '6 *' })).toEqual([true, expect.stringMatching(/^(?:BAD_ARGUMENT|TOOL_FAILED): calculator/)]);
    expect(await text('http_request', { url: 'http://127.0.0.1:9/' })).toEqual([true, expect.stringContaining('NOT_ALLOWED: http_request')]);
    await expect(call('nothing')).rejects.toThrow('there is no tool nothing');
    if (era === 'older') expect(printed).toContainEqual({ logger: 'words_lua', data: 'counted\t1' });
    expect(served.stderr()).not.toContain('error');
  });

  it.each(['lua', 'js'])('end when the client cancels, and not before: %s', async (language) => {
    const ticks = async () => {
      const { structuredContent } = await served.client.callTool({ name: `ticks_${language}`, arguments: {} });
      return (structuredContent as { result: [number, number] }).result;
    };
    const abort = new AbortController();
    const running = served.client.callTool({ name: `tick_${language}`, arguments: {} }, { signal: abort.signal }).catch((error: unknown) => error);
    for (let [before, after] = [0, 0]; after <= before; ) [before, after] = await ticks();
    abort.abort();
    await running;
    for (let [before, after] = [0, 1]; after > before; ) [before, after] = await ticks();
  });

  it.runIf(way === 'pipes')('take long messages', async () => {
    const { structuredContent } = await served.client.callTool({ name: 'words_lua', arguments: { text: 'a'.repeat(9_000_000) } });
    expect(structuredContent).toEqual({ words: 1 });
  });
});

it('runs end with their limits', async () => {
  await using served = await overPipes('newer', [...ARGS, '--timeout', '300']);
  for (const name of ['wait_lua', 'wait_js', 'loop_lua', 'loop_js']) {
    const { isError, content } = await served.client.callTool({ name, arguments: {} });
    expect([name, isError, content[0]]).toMatchObject([name, true, { type: 'text', text: expect.stringMatching(/^LIMIT_EXCEEDED: /) }]);
  }
});

describe.concurrent('standard output', () => {
  it('carries nothing but the protocol', async () => {
    const child = spawn(process.execPath, [BIN, ...ARGS], { cwd: folder });
    children.push(child);
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });
    send({ method: 'notifications/initialized' });
    for (const [at, name] of ['words_lua', 'words_js'].entries()) send({ id: 2 + at, method: 'tools/call', params: { name, arguments: { text: 'one two' } } });
    await until(() => stdout.includes('"id":2') && stdout.includes('"id":3'));
    child.stdin.end();
    expect(await new Promise((done) => child.once('exit', done))).toBe(0);
    const messages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string; method?: string });
    expect(messages.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
    expect(messages.filter(({ method }) => method === 'notifications/message').length).toBe(2);
  });
});

describe.concurrent('standard input', () => {
  it('that brings a message without end is closed with a sentence', async () => {
    const child = spawn(process.execPath, [BIN, ...ARGS], { cwd: folder });
    children.push(child);
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdin.on('error', () => undefined);
    child.stdin.write('x'.repeat(11 * 2 ** 20));
    expect(await new Promise((done) => child.once('exit', done))).toBe(0);
    expect(stderr).toBe('mcp: a message of more than 10 MB\n');
  });
});

describe.concurrent('the scripts of the guide', () => {
  it('are served', async () => {
    const guide = readFileSync(join(import.meta.dirname, '../../docs/guide/14-mcp.md'), 'utf8');
    for (const [ending, text] of [...guide.matchAll(/```(lua|js)\n((?:--|\/\/) @tool[\s\S]*?)```/g)].map((found) => [found[1], found[2] ?? ''] as const)) {
      const file = join(folder, `guide.${ending}`);
      writeFileSync(file, text);
      await using served = await overPipes('newer', ['mcp', 'serve', '--script', file]);
      const { structuredContent } = await served.client.callTool({ name: 'roll_dice', arguments: { sides: 2, count: 5 } });
      expect(structuredContent).toEqual({ throws: Array.from({ length: 5 }, () => expect.toBeOneOf([1, 2])) });
    }
  });
});

describe.concurrent('HTTP', () => {
  it('asks for the token where there is one, and is closed to pages of other places and names', async () => {
    process.env.LLMSPELL_TEST_SERVE = 's3cret';
    await using served = await overHttp('newer', [...ARGS, '--token-env', 'LLMSPELL_TEST_SERVE'], 's3cret');
    expect((await served.client.callTool({ name: 'calculator', arguments: { expression: '1 + 1' } })).structuredContent).toMatchObject({ result: 2 });
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 's3cret' }])
      expect((await fetch(served.url, { method: 'POST', headers })).status).toBe(401);

    // Pages of other places and names.
    const post = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        import('node:http').then(({ request }) => {
          const sent = request(served.url, {
            method: 'POST',
            headers: {
              authorization: 'Bearer s3cret',
              'content-type': 'application/json',
              accept: 'application/json, text/event-stream',
              ...headers,
            },
          });
          sent.once('response', (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          });
          sent.once('error', reject);
          sent.end(
            '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}',
          );
        });
      });
    expect(await post({})).toBe(200);
    expect(await post({ origin: 'http://localhost:3000' })).toBe(200);
    expect(await post({ origin: 'https://evil.example' })).toBe(403);
    expect(await post({ origin: 'null' })).toBe(403);
    expect(await post({ host: 'evil.example' })).toBe(403);
    expect((await fetch(served.url.replace('/mcp', '/other'), { headers: { authorization: 'Bearer s3cret' } })).status).toBe(404);
  });
});

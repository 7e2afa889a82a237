import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type Ended, llmspell as inFolder } from '../support/command-line.ts';
import { TestServer, TOOLS } from './support.ts';

vi.setConfig({ testTimeout: 240_000 });

const [add, say] = TOOLS as [(typeof TOOLS)[0], (typeof TOOLS)[0]];

function commands(server: TestServer): (...args: string[]) => Promise<Ended> {
  const { command, args } = server.settings();
  writeFileSync(join(server.folder, 'llmspell.toml'), `[mcp.servers.demo]\ncommand = ${JSON.stringify(command)}\nargs = ${JSON.stringify(args)}\n`);
  return (...given) => inFolder(server.folder, given);
}

describe('llmspell mcp', () => {
  it('lists, approves and revokes', async () => {
    using server = new TestServer({ tools: [add, say, { name: 'not good', inputSchema: { type: 'object' } }] });
    const llmspell = commands(server);
    const list = async () =>
      JSON.parse((await llmspell('mcp', 'list', '--json')).stdout).servers[0] as { tools: { name: string; status: string }[]; unusable: object[] };
    const run = () => llmspell('exec', '--lang', 'lua', 'print(Tool.execute("demo.add", {a = 1, b = 2}).structured.sum)');

    expect(await list()).toMatchObject({
      tools: [
        { name: 'demo.add', status: 'new' },
        { name: 'demo.say', status: 'new' },
      ],
      unusable: [{ name: 'not good', reason: expect.stringContaining('its name has other characters') }],
    });
    expect(await run()).toMatchObject({ status: 1, stderr: expect.stringContaining('approve it with `llmspell mcp approve demo add` (NOT_ALLOWED)') });
    expect(await llmspell('mcp', 'approve', 'demo')).toMatchObject({
      status: 2,
      stderr: 'error: name the tools of demo to approve, or --all: add (new), say (new)\n',
    });
    expect((await llmspell('mcp', 'approve', 'demo', 'add')).stdout).toMatch(/^approved demo\.add\n +Adds two numbers\n/);
    expect(await run()).toMatchObject({ status: 0, stdout: '3\n' });
    expect((await llmspell('mcp', 'approve', 'demo', '--all')).stdout).toMatch(/^approved demo\.say\n/);
    expect(await llmspell('mcp', 'revoke', 'demo', 'add')).toMatchObject({ status: 0, stdout: 'revoked demo.add\n' });
    expect((await list()).tools.map(({ name, status }) => `${name} ${status}`)).toEqual(['demo.add new', 'demo.say approved']);
    expect((await run()).status).toBe(1);
  });

  it('tells what has changed, with nothing in it that a terminal obeys', async () => {
    using server = new TestServer({ tools: [add, say] });
    const llmspell = commands(server);
    const run = () => llmspell('exec', '--lang', 'lua', 'Tool.execute("demo.add", {a = 1, b = 2})');
    await llmspell('mcp', 'approve', 'demo', 'add');
    server.offer([{ ...add, description: 'Adds\u001b[2J\u202e two' }]);
    expect(await run()).toMatchObject({ status: 1, stderr: expect.stringContaining('the server has changed the description of this tool') });
    const { stdout } = await llmspell('mcp', 'list');
    expect(stdout).toContain('changed   add\n');
    expect(stdout).toContain('description was: Adds two numbers\n');
    expect(stdout).toContain('description is:  Adds\\u{1b}[2J\\u{202e} two');
    server.offer([say]);
    expect((await llmspell('mcp', 'list')).stdout).toMatch(/^ {2}gone {6}add$/m);
    expect(await run()).toMatchObject({ status: 1, stderr: expect.stringContaining('MCP server demo: does not offer the tool add any more (TOOL_FAILED)') });
  });

  it('refuses what it cannot use in one sentence', async () => {
    using server = new TestServer({ tools: [add] });
    const llmspell = commands(server);
    const ends =
      (status: number) =>
      async (message: string, ...args: string[]) =>
        expect(await llmspell(...args)).toEqual({ status, stdout: '', stderr: `error: ${message}\n` });
    const missing = ends(1);
    await missing('there is no MCP server "other" in the configuration; there are demo', 'mcp', 'approve', 'other', '--all');
    await missing('demo offers no tool "nope"', 'mcp', 'approve', 'demo', 'nope');
    await missing('no tool add of demo was approved', 'mcp', 'revoke', 'demo', 'add');
    const fails = ends(2);
    await fails('nothing to serve; name scripts (--script FILE) or tools (--tools NAME,…)', 'mcp', 'serve');
    await fails('--tools: there is no tool "nope"; `llmspell tools` lists them all', 'mcp', 'serve', '--tools', 'nope');
    await fails('--http: expected a port, got "x"', 'mcp', 'serve', '--tools', 'uuid', '--http', 'x');
    await fails(
      '--host 0.0.0.0: other machines could call the tools; set a token (--token-env NAME), or serve on 127.0.0.1',
      ...['mcp', 'serve', '--tools', 'uuid', '--http', '0', '--host', '0.0.0.0'],
    );
    await fails('two of the scripts and tools are called uuid', 'mcp', 'serve', '--tools', 'uuid,uuid');
    writeFileSync(join(server.folder, 'bad.toml'), '[mcp.servers.x]\ncommand = "a"\nurl = "http://localhost/"\n');
    await fails('bad.toml: mcp.servers.x: expected either command or url', 'mcp', 'list', '--config', 'bad.toml');
    writeFileSync(join(server.folder, 'worse.toml'), '[mcp.servers.My-Server]\ncommand = "a"\n');
    expect(await llmspell('mcp', 'list', '--config', 'worse.toml')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('worse.toml: mcp.servers.My-Server: '),
    });
  });

  it('refuses approvals that somebody has tampered with', async () => {
    using server = new TestServer({ tools: [add] });
    const llmspell = commands(server);
    expect((await llmspell('mcp', 'approve', 'demo', 'add', '--data', 'data')).status).toBe(0);
    const call = () => llmspell('exec', '--lang', 'lua', '--data', 'data', 'Tool.execute("demo.add", {a = 1, b = 2})');
    expect((await call()).status).toBe(0);
    const file = join(server.folder, 'data/mcp-approved.json');
    const pins = JSON.parse(readFileSync(file, 'utf8'));
    pins.servers.demo.add.description = 'Something else';
    writeFileSync(file, JSON.stringify(pins));
    expect(await call()).toMatchObject({ status: 1, stderr: expect.stringContaining('mcp-approved.json in the data folder') });
  });
});

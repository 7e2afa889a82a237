import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { llmspell as inFolder } from '../support/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'llmspell-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const llmspell = (...args: string[]) => inFolder(folder, args);

const json = async (...args: string[]) => JSON.parse((await llmspell(...args, '--json')).stdout);

beforeAll(async () => {
  const text = `local id = Session.current_id()
    Session.add_turn(id, {role = "user", content = "hello"})
    Artifact.store(id, "report", "a.txt", "one") Artifact.store(id, "report", "a.txt", "two")
    Artifact.store(id, "data", "big.bin", ("x"):rep(200000))
    State.save("global", "k", {a = 1})`;
  expect(await llmspell('exec', '--lang', 'lua', '--session', 'chat', '--tenant', 'acme', text)).toMatchObject({ status: 0, stderr: '' });
}, 60_000);

describe('the data folder from the command line', { timeout: 60_000 }, () => {
  it('lists, shows and exports sessions', async () => {
    expect((await llmspell('session', 'list', '--tenant', 'acme')).stdout).toMatch(/^chat {2}active {2}1 turn {2}\d{4}-.*Z\n$/);
    expect(await json('session', 'list', '--tenant', 'acme', '--status', 'completed')).toEqual([]);
    expect((await llmspell('session', 'show', 'chat', '--tenant', 'acme')).stdout).toContain('\n1 user: hello\n');
    expect(await json('session', 'show', 'chat', '--tenant', 'acme')).toMatchObject({ id: 'chat', last_turns: [{ content: 'hello' }] });
    expect(await json('session', 'export', 'chat', '--tenant', 'acme')).toMatchObject({
      format: 'llmspell-session-1',
      turns: [{ role: 'user' }],
      artifacts: [{}, {}, {}],
    });
    expect((await llmspell('session', 'export', 'chat', '--tenant', 'acme', '--out', 'chat.json')).stdout).toBe('wrote chat.json\n');
    expect(JSON.parse(readFileSync(join(folder, 'chat.json'), 'utf8'))).toMatchObject({ session: { id: 'chat' } });
  });

  it('lists artifacts and gets their bytes', async () => {
    expect((await json('artifact', 'list', 'chat', '--tenant', 'acme')).map(({ name }: { name: string }) => name)).toEqual(['big.bin', 'a.txt']);
    expect(await json('artifact', 'list', '--type', 'report', '--tenant', 'acme')).toHaveLength(1);
    expect((await llmspell('artifact', 'get', 'chat', 'a.txt', '--tenant', 'acme')).stdout).toBe('two');
    expect((await llmspell('artifact', 'get', 'chat', 'a.txt', '--version', '1', '--tenant', 'acme')).stdout).toBe('one');
    expect(await json('artifact', 'get', 'chat', 'a.txt', '--tenant', 'acme')).toMatchObject({
      version: 2,
      content: { $bytes: Buffer.from('two').toString('base64') },
    });
    expect((await llmspell('artifact', 'get', 'chat', 'big.bin', '--tenant', 'acme', '--out', 'big.bin')).stdout).toBe('wrote 200000 bytes to big.bin\n');
    expect(readFileSync(join(folder, 'big.bin'), 'utf8')).toBe('x'.repeat(200_000));
  });

  it('gets and sets State, backs it up and restores it', async () => {
    expect((await llmspell('state', 'get', 'global', 'k', '--tenant', 'acme')).stdout).toBe('{"a":1}\n');
    expect((await llmspell('state', 'set', 'global', 'floats', '{"a":7.0,"l":[1.0,2]}', '--tenant', 'acme')).status).toBe(0);
    expect((await llmspell('state', 'get', 'global', 'floats', '--tenant', 'acme')).stdout).toBe('{"a":7.0,"l":[1.0,2]}\n');
    expect((await llmspell('state', 'set', 'global', 'floats', 'null', '--tenant', 'acme')).status).toBe(0);
    const id = (await llmspell('state', 'backup', '--tenant', 'acme', '--description', 'before')).stdout.trim();
    expect((await llmspell('state', 'set', 'global', 'k', '[2]', '--tenant', 'acme')).status).toBe(0);
    expect((await llmspell('state', 'set', 'global', 'new', '"x"', '--tenant', 'acme')).status).toBe(0);
    expect(await json('state', 'list', 'global', '--tenant', 'acme')).toEqual(['k', 'new']);
    expect(await json('state', 'list', '--backups', '--tenant', 'acme')).toMatchObject([{ id, description: 'before' }]);
    expect(await json('state', 'restore', id, '--tenant', 'acme')).toMatchObject({ restored: id });
    expect(await json('state', 'get', 'global', 'k', '--tenant', 'acme')).toEqual({ a: 1 });
    expect((await llmspell('state', 'list', '--tenant', 'acme')).stdout).toBe('global\n');
  });

  it.each([
    ['a session', ['session', 'show', 'none', '--tenant', 'acme'], 1, 'error: there is no session none\n'],
    ['a tenant', ['session', 'list', '--tenant', 'nobody'], 1, 'error: there is no tenant nobody in .llmspell\n'],
    ['an artifact', ['artifact', 'get', 'chat', 'none', '--tenant', 'acme'], 1, 'error: there is no artifact none in the session chat\n'],
    [
      'a version of an artifact',
      ['artifact', 'get', 'chat', 'a.txt', '--version', '9', '--tenant', 'acme'],
      1,
      'error: there is no version 9 of the artifact a.txt in the session chat\n',
    ],
    ['a session with artifacts', ['artifact', 'list', 'none', '--tenant', 'acme'], 1, 'error: there is no session none\n'],
    ['a value', ['state', 'get', 'global', 'none', '--tenant', 'acme'], 1, 'error: there is nothing under none in the scope global\n'],
    ['a backup', ['state', 'restore', 'bak_x', '--tenant', 'acme'], 1, 'error: state restore: there is no backup "bak_x"\n'],
    ['a data folder', ['session', 'list', '--data', 'none'], 1, 'error: there is no data folder none\n'],
    ['a data folder with tenants', ['tenant', 'list', '--data', 'none'], 1, 'error: there is no data folder none\n'],
    ['a tenant to remove', ['tenant', 'remove', 'nobody'], 1, 'error: there is no tenant nobody in .llmspell\n'],
    ['a good name of a tenant', ['session', 'list', '--tenant', '../x'], 2, 'error: --tenant: expected 1 to 128 of A-Z a-z 0-9 _ . -, got "../x"\n'],
    ['a good status', ['session', 'list', '--status', 'done', '--tenant', 'acme'], 2, 'error: --status: expected active, suspended or completed, got "done"\n'],
    [
      'a good scope',
      ['state', 'get', 'nonsense', 'k', '--tenant', 'acme'],
      2,
      'error: scope: expected "global" or kind:id (agent, workflow, session, tenant, user, tool, hook, custom; an id is 1 to 128 of A-Za-z0-9_.-), got "nonsense"\n',
    ],
    ['JSON', ['state', 'set', 'global', 'k', 'abc', '--tenant', 'acme'], 2, `error: expected JSON, got "abc" (a text needs its quotes: '"text"')\n`],
    [
      'text',
      ['state', 'set', 'global', 'k', '"\\ud800"', '--tenant', 'acme'],
      2,
      'error: expected text, got half of a surrogate pair (\\ud800) at position 1 (line 1 column 2)\n',
    ],
  ])('says in one sentence that there is not %s', async (_, args, status, stderr) => {
    expect(await llmspell(...args)).toEqual({ status, stderr, stdout: '' });
    const { code, message } = (await json(...args)).error;
    expect([`error: ${message}\n`, typeof code]).toEqual([stderr, 'string']);
  });

  it('says on standard error alone that a list is empty', async () => {
    const empty = ['artifact', 'list', '--type', 'none', '--tenant', 'acme'];
    expect(await llmspell(...empty)).toEqual({ status: 0, stdout: '', stderr: 'there are no artifacts\n' });
    expect(await json(...empty)).toEqual([]);
    expect((await llmspell('state', 'list', 'custom:none', '--tenant', 'acme')).stderr).toBe('there are no keys in the scope custom:none\n');
  });

  it('does not make a tenant by looking, and removes one for good', async () => {
    expect(await json('tenant', 'list')).toMatchObject([{ id: 'acme' }]);
    expect((await llmspell('state', 'set', 'global', 'k', '1', '--tenant', 'gone')).status).toBe(0);
    expect((await json('tenant', 'list')).map(({ id }: { id: string }) => id)).toEqual(['acme', 'gone']);
    expect((await llmspell('tenant', 'remove', 'gone')).stdout).toBe('removed gone\n');
    expect((await json('tenant', 'list')).map(({ id }: { id: string }) => id)).toEqual(['acme']);
    expect(existsSync(join(folder, '.llmspell/tenants'))).toBe(true);
  });

  it('gives each tenant a workspace that goes with it', async () => {
    const run = (tenant: string, text: string) => llmspell('exec', '--lang', 'lua', '--tenant', tenant, text);
    expect(await run('paper', 'Tool.execute("file_write", {path = "plan.txt", content = "canary-of-paper"})')).toMatchObject({ status: 0, stderr: '' });
    expect((await run('paper', 'print(Tool.execute("file_read", {path = "plan.txt"}).content)')).stdout).toBe('canary-of-paper\n');
    expect(await run('rival', 'print(Tool.execute("file_read", {path = "plan.txt"}).content)')).toMatchObject({ status: 1, stdout: '' });
    expect((await llmspell('tenant', 'remove', 'paper')).status).toBe(0);
    const left = readdirSync(join(folder, '.llmspell'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(left.filter(({ parentPath, name }) => readFileSync(join(parentPath, name)).includes('canary-of-paper'))).toEqual([]);
  });
});

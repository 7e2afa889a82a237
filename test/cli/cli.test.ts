import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BIN, llmspell as inFolder } from '../support/command-line.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'llmspell-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const llmspell = (...args: string[]) => inFolder(folder, args);

function script(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const LANGUAGES = [
  [
    'lua',
    {
      print: 'print("hi", ARGS[1], ARGS.name)',
      fail: 'local function f() error("bad") end\nf()',
      loop: 'while true do end',
      caught: 'while true do pcall(function() while true do end end) end',
      memory: '("x"):rep(1e9)',
      input: 'return {INPUT.a + 1, 9007199254740993}',
      numbers: 'local v = {7.0, 7, -0.0, 2.0^53, 1e300, 0.5, 0/0, {a = {-7.0}}} print(JSON.stringify(v)) return v',
      syntax: 'local x =\n\nreturn )',
    },
  ],
  [
    'js',
    {
      print: 'print("hi", ARGS[0], ARGS.name)',
      fail: 'function f() { throw new Error("bad") }\nf()',
      loop: 'while (true);',
      caught: 'for (;;) try { for (;;); } catch {}',
      memory: '"x".repeat(1e9)',
      input: '[INPUT.a + 1, 9007199254740993n]',
      numbers: 'const v = [7.0, 7, 2 ** 53, 1e300, 0.5, NaN, {a: [-7]}]; print(JSON.stringify(v)); v',
      syntax: 'let x =\n\nreturn )',
    },
  ],
] as const;

describe.each(LANGUAGES)('%s', (ending, texts) => {
  it('runs a file with arguments of its own', async () => {
    const file = script(`print.${ending}`, texts.print);
    const { status, stdout } = await llmspell('run', file, 'there', '--name', 'Ada', '--json');
    expect(stdout.replaceAll('\t', ' ').replaceAll('"', '')).toBe('hi there Ada\n');
    expect(status).toBe(0);
  });

  it('prints one object with --json', async () => {
    const { status, stdout } = await llmspell('exec', '--lang', ending, '--json', '--input', '{"a": 1}', texts.input);
    expect(stdout).toMatch(/^\{"ok":true,"value":\[2,9007199254740993\],"output":\[\],"stats":\{.*\}\}\n$/);
    expect(status).toBe(0);
  });

  it('writes numbers with --json as JSON.stringify does', async () => {
    const { stdout } = await llmspell('exec', '--lang', ending, '--json', texts.numbers);
    expect(stdout).toContain(`{"ok":true,"value":${JSON.parse(stdout).output[0]},"output":`);
  });

  it('says where and how an error came', async () => {
    const file = script(`fail.${ending}`, texts.fail);
    const { status, stderr } = await llmspell('run', file);
    expect(stderr).toMatch(new RegExp(`^error: fail\\.${ending}:1: bad \\(SCRIPT_ERROR\\)\\n.*f`));
    expect(stderr).toContain(`fail.${ending}:2`);
    expect(status).toBe(1);
    const json = JSON.parse((await llmspell('run', '--json', file)).stdout);
    expect(json).toMatchObject({ ok: false, error: { code: 'SCRIPT_ERROR', message: 'bad', line: 1, traceback: expect.any(String) } });
  });

  it('says where the syntax is wrong', async () => {
    const { status, stderr } = await llmspell('exec', '--lang', ending, texts.syntax);
    expect(stderr).toMatch(/^error: exec\.\w+:3/);
    expect(status).toBe(1);
  });

  it.each(['loop', 'caught', 'memory'] as const)('ends with status 3 at a limit: %s', async (which) => {
    const { status, stderr } = await llmspell('exec', '--lang', ending, '--timeout', '200', texts[which]);
    expect(stderr).toMatch(/^error: .*limits\..*\(LIMIT_EXCEEDED\)/);
    expect(status).toBe(3);
  });

  it('is interrupted by Ctrl-C with status 130', async () => {
    const file = script(`wait.${ending}`, ending === 'lua' ? 'print("waiting") sleep(60000)' : 'print("waiting"); sleep(60000)');
    const child = spawn(process.execPath, [BIN, 'run', file], { cwd: folder });
    await new Promise((done) => child.stdout.once('data', done));
    child.kill('SIGINT');
    expect(await new Promise((done) => child.once('exit', done))).toBe(130);
  });

  it('reads its own folder and no other', async () => {
    script('notes/a.txt', 'inside');
    script('secret.txt', 'outside');
    const read = (path: string) =>
      ending === 'lua' ? `print(Tool.execute("file_read", {path = "${path}"}).content)` : `print(Tool.execute("file_read", {path: "${path}"}).content)`;
    expect((await llmspell('run', script(`notes/in.${ending}`, read('a.txt')))).stdout).toBe('inside\n');
    const { status, stderr } = await llmspell('run', script(`notes/out.${ending}`, read('../secret.txt')));
    expect(stderr).toContain('file_read: ../secret.txt is outside the folders that this run may read (grants.read or --allow-read DIR) (NOT_ALLOWED)');
    expect(status).toBe(1);
    expect((await llmspell('run', '--allow-read', folder, join(folder, `notes/out.${ending}`))).status).toBe(1);
    expect((await llmspell('run', '--allow-read', folder, script(`notes/all.${ending}`, read('secret.txt')))).stdout).toBe('outside\n');
  });
});

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  it.each([
    ['run', 'pipe.lua'],
    ['run', '--watch', 'pipe.lua'],
    ['run', '/dev/null'],
    ['mcp', 'serve', '--script', 'pipe.lua'],
  ])('is no script: %j', async (...args) => {
    spawnSync('mkfifo', ['pipe.lua'], { cwd: folder });
    const { status, stderr } = await llmspell(...args);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(/^error: pipe\.lua: this is a device or pipe\n$|^error: \/dev\/null: expected a script that ends in/),
    ]);
  });

  it('may be the configuration', () => {
    const { stdout, stderr } = spawnSync('sh', ['-c', `echo '[limits]\nmemory_mb = 7' | "$0" "$1" config show /dev/stdin`, process.execPath, BIN], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout).limits.memory_mb).toBe(7);
  });
});

describe('wrong usage', () => {
  mkdirSync(join(folder, 'folder.lua'));
  truncateSync(script('long.js', ''), 65 * 2 ** 20);

  it.each([
    ['an unknown flag', ['run', '--nope', 'x.lua'], /unknown option '--nope'/],
    ['a flag with a slip', ['exec', '--tiemout', '5', 'x'], /^error: unknown option '--tiemout'; did you mean --timeout\?\n$/],
    ['a command with a slip', ['rnu', 'x.lua'], /^error: unknown command 'rnu'; did you mean run\?\n$/],
    ['a command of a command with a slip', ['session', 'lst'], /^error: unknown command 'lst'; did you mean list\?\n$/],
    ['help for a command with a slip', ['help', 'rnu'], /^error: unknown command 'rnu'; did you mean run\?\n$/],
    ['help for a command of a command that is none', ['mcp', 'help', 'nope'], /^error: unknown command 'nope'\n$/],
    ['a prefix of keys without their scope', ['state', 'list', '--prefix', 'st'], /^error: state list: --prefix is one of keys and needs their scope\n$/],
    ['backups of a scope', ['state', 'list', '--backups', 'global'], /^error: state list: --backups goes with neither a scope nor --prefix: /],
    ['backups by a prefix', ['state', 'list', '--backups', '--prefix', 'z'], /^error: state list: --backups goes with neither a scope nor --prefix: /],
    ['a missing file', ['run', 'none.lua'], /^error: none\.lua: there is no such script/],
    ['an unknown ending', ['run', 'x.py'], /^error: x\.py: expected a script that ends in \.lua, \.js or \.mjs/],
    ['a folder for a script', ['run', 'folder.lua'], /^error: folder\.lua: this is a folder\n$/],
    ['a script that is too long', ['run', 'long.js'], /^error: long\.js: it is longer than 64 MB\n$/],
    ['a configuration that is too long', ['config', 'show', 'long.js'], /^error: long\.js: the configuration cannot be read \(it is longer than 4 MB\)\n$/],
    ['no language', ['exec', 'return 1'], /^error: exec: the language is missing: --lang lua or --lang js\n$/],
    ['no language of a session', ['repl'], /^error: repl: the language is missing: --lang lua or --lang js\n$/],
    ['an option behind the code', ['exec', '--lang', 'lua', 'return 1', '--json'], /^error: exec: --json stands behind the code; options stand before it/],
    ['the language behind the code', ['exec', 'return 1', '--lang=lua'], /^error: exec: --lang stands behind the code/],
    ['input that is no JSON', ['exec', '--lang', 'lua', '--input', 'abc', 'return 1'], /^error: --input: expected JSON, got "abc"/],
    ['half of a pair', ['exec', '--lang', 'js', '--input', '"\\ud800"', '1'], /^error: --input: expected text, got half of a surrogate pair \(\\ud800\) at /],
    ['no data folder', ['exec', '--lang', 'lua', '--data', '', 'return 1'], /^error: --data: expected a folder, got ""\n$/],
    ['no data folder to look into', ['state', 'list', '--data', ''], /^error: --data: expected a folder, got ""\n$/],
    ['no configuration', ['exec', '--lang', 'lua', '--config', '', 'return 1'], /^error: --config: expected a file, got ""\n$/],
    ['a number that is none', ['exec', '--lang', 'lua', '--timeout', 'soon', 'return 1'], /^error: --timeout: expected milliseconds, at least 1, got "soon"/],
    ['no time at all', ['exec', '--lang', 'js', '--timeout', '0', '1'], /^error: --timeout: expected milliseconds, at least 1, got "0"/],
    ['no memory at all', ['exec', '--lang', 'lua', '--memory', '0', 'return 1'], /^error: --memory: expected megabytes, 1 to 2048, got "0"/],
    ['more memory than there can be', ['exec', '--lang', 'js', '--memory', '2049', '1'], /^error: --memory: expected megabytes, 1 to 2048, got "2049"/],
    ['a tenant that is none', ['exec', '--lang', 'lua', '--tenant', '../x', 'return 1'], /^error: --tenant: expected 1 to 128 of .*, got "\.\.\/x"/],
    ['another tenant that is none', ['exec', '--lang', 'js', '--allow-tenant', 'a b', '1'], /^error: --allow-tenant: expected \* or 1 to 128 of .*, got "a b"/],
    ['a session that is none', ['exec', '--lang', 'js', '--session', 'a/b', '1'], /^error: --session: expected 1 to 128 of .*, got "a\/b"/],
    ['a model that is none', ['exec', '--lang', 'lua', '--model', 'gpt-4', 'return 1'], /^error: --model: expected provider\/model such as .*, got "gpt-4"/],
    [
      'a missing configuration',
      ['exec', '--lang', 'lua', '--config', 'none.toml', 'return 1'],
      /^error: none\.toml: the configuration cannot be read \(no such file\)/,
    ],
    [
      'a folder as configuration',
      ['exec', '--lang', 'js', '--config', '.', '1'],
      /^error: \.: the configuration cannot be read \(this is a folder, a TOML file is wanted\)/,
    ],
    [
      'a host with its protocol',
      ['exec', '--lang', 'js', '--allow-net', 'https://x.org/', '1'],
      /^error: --allow-net: expected a host such as .*, got "https:\/\/x\.org\/"/,
    ],
    [
      'a variable with a value',
      ['exec', '--lang', 'lua', '--allow-env', 'A=b', '1'],
      /^error: --allow-env: expected the name of one environment variable, got "A=b"/,
    ],
    [
      'a program with arguments',
      ['exec', '--lang', 'lua', '--allow-program', 'git log', '1'],
      /^error: --allow-program: expected the name of a program or .*, got "git log"/,
    ],
  ])('%s ends with status 2 and one sentence', async (_, args, message) => {
    const { status, stderr, stdout } = await llmspell(...args);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('an unknown tool ends with status 1, as whatever is not there', async () => {
    expect(await llmspell('tools', 'calculater')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'error: there is no tool "calculater"; the nearest is calculator; `llmspell tools` lists them all\n',
    });
  });

  it('an option of exec may be passed on to the script', async () => {
    expect((await llmspell('exec', '--lang', 'lua', 'print(ARGS.json)', '--', '--json', 'yes')).stdout).toBe('yes\n');
    expect((await llmspell('exec', '--lang', 'js', 'print(ARGS.mine)', '--mine=1')).stdout).toBe('1\n');
  });

  it.each([
    ['a missing file', ['run', '--json', 'none.lua'], 'NOT_FOUND', 'none.lua: there is no such script'],
    ['a number that is none', ['exec', '--json', '--lang', 'js', '--seed', 'x', '1'], 'BAD_ARGUMENT', '--seed: expected an integer, got "x"'],
    ['no language', ['exec', '--json', '1'], 'BAD_ARGUMENT', 'exec: the language is missing: --lang lua or --lang js'],
    ['an unknown option before it', ['run', '--nope', '--json', 'x.lua'], 'BAD_ARGUMENT', "unknown option '--nope'"],
    ['an option with a slip', ['run', '--json', '--tiemout', '5', 'x.lua'], 'BAD_ARGUMENT', "unknown option '--tiemout'; did you mean --timeout?"],
    ['no script', ['run', '--json'], 'BAD_ARGUMENT', "missing required argument 'script'"],
    ['an option without its value', ['state', 'list', '--json', '--data'], 'BAD_ARGUMENT', "option '--data <dir>' argument missing"],
    ['a missing configuration', ['state', 'list', '--json', '--config', 'no.toml'], 'BAD_CONFIG', 'no.toml: the configuration cannot be read (no such file)'],
  ])('%s is an object with --json', async (_, args, code, message) => {
    const { status, stdout, stderr } = await llmspell(...args);
    expect(JSON.parse(stdout)).toEqual({ ok: false, value: null, output: [], error: { code, message } });
    expect([status, stderr]).toEqual([2, '']);
  });

  it('a script that is missing is told as a sentence where --json is its own argument', async () => {
    expect(await llmspell('run', 'none.lua', '--json')).toEqual({ status: 2, stdout: '', stderr: 'error: none.lua: there is no such script\n' });
  });

  it('names file and key of a wrong setting', async () => {
    writeFileSync(join(folder, 'bad.toml'), '[limits]\ncpu_ms = "long"\n');
    writeFileSync(join(folder, 'odd.toml'), '[limit]\ncpu_ms = 1\n');
    expect(await llmspell('config', 'check', '--config', 'bad.toml')).toMatchObject({
      status: 2,
      stderr: 'error: bad.toml: limits.cpu_ms: expected a number, got "long"\n',
    });
    writeFileSync(join(folder, 'no.toml'), '[limits]\ncpu_ms = 5 5\n');
    expect(await llmspell('config', 'check', '--config', 'no.toml')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^error: no\.toml:2:\d+: this is no TOML: .+\n$/),
    });
    expect(await llmspell('config', 'check', '--config', 'odd.toml')).toMatchObject({
      status: 2,
      stderr: 'error: odd.toml: unknown setting limit; did you mean limits?\n',
    });
  });
});

describe('the other commands', () => {
  it.each([
    ['[hooks.logging]\npoints = ["nope:x"]', 'hooks.logging: no hook point matches "nope:x"'],
    ['[hooks.redact]\ncustom = {a = "("}', 'hooks.redact: custom.a: '],
    ['[models]\noverride = "foo"', 'models.override: expected provider/model such as openai/gpt-4 or local/extractive, got "foo"'],
    ['[models]\noverride = "opnai/gpt-4"', 'models.override: unknown provider in "opnai/gpt-4"; did you mean openai/gpt-4?'],
    ['[models]\nembedding_override = "foo/bar"', 'models.embedding_override: unknown provider in "foo/bar"; known are local/hash,'],
    ['[permissions]\nread = [".", "nowhere"]', 'permissions.read: there is no folder nowhere'],
  ])('check what a runtime would make of a configuration: %s', async (text, message) => {
    writeFileSync(join(folder, 'made.toml'), text);
    const { status, stdout, stderr } = await llmspell('config', 'check', '--config', 'made.toml');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error: made.toml: ${message}`);
  });

  it.each([
    ['[models]\noverride = "foo"', 'made.toml: models.override: expected provider/model'],
    ['[models]\nembedding_override = ""', 'made.toml: models.embedding_override: expected provider/model'],
    ['[models]\noverride = "foo/bar"', 'made.toml: models.override: unknown provider in "foo/bar"; known are local, mock,'],
    ['[hooks.redact]\ncustom = {a = "("}', 'made.toml: hooks.redact: custom.a: '],
    ['[permissions]\nread = ["nowhere"]', 'made.toml: permissions.read: there is no folder nowhere'],
    ['[permissions]\nwrite = ["new.toml"]', 'made.toml: permissions.write: there is no folder new.toml'],
  ])('refuse at its start to run with what cannot be used: %s', async (text, message) => {
    writeFileSync(join(folder, 'made.toml'), text);
    const { status, stdout, stderr } = await llmspell('exec', '--lang', 'lua', '--config', 'made.toml', 'print(1)');
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error: ${message}`);
  });

  it.each([
    ['--model', 'foo/bar', '--model: unknown provider in "foo/bar"; known are local, mock,'],
    ['--model', 'local/nosuch', '--model: there is no model "local/nosuch"; did you mean local/extractive?'],
    ['--embedding-model', 'foo/bar', '--embedding-model: unknown provider in "foo/bar"'],
  ])('refuse at their start a model that nobody has: %s %s', async (flag, name, message) => {
    for (const command of [
      ['exec', '--lang', 'lua', flag, name, 'print(1)'],
      ['repl', '--lang', 'js', flag, name],
      ['mcp', 'serve', '--tools', 'uuid', flag, name],
    ]) {
      const { status, stdout, stderr } = await llmspell(...command);
      expect([status, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`error: ${message}`);
    }
  });

  it('take a model of a provider that the configuration adds', async () => {
    writeFileSync(
      join(folder, 'own.toml'),
      '[models]\noverride = "foo/bar"\n[models.providers.foo]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9"\n',
    );
    expect((await llmspell('config', 'check', 'own.toml')).stdout).toBe('own.toml is fine\n');
    expect((await llmspell('exec', '--lang', 'lua', '--config', 'own.toml', 'print(1)')).stdout).toBe('1\n');
  });

  it('write and check a configuration', async () => {
    expect((await llmspell('config', 'init', 'new.toml')).stdout).toBe('wrote new.toml\n');
    expect(await llmspell('config', 'init', 'new.toml')).toMatchObject({ status: 2, stderr: 'error: new.toml: it exists already\n' });
    for (const file of [['new.toml'], ['--config', 'new.toml']]) expect((await llmspell('config', 'check', ...file)).stdout).toBe('new.toml is fine\n');
    expect(JSON.parse((await llmspell('config', 'show')).stdout)).toMatchObject({ limits: { cpu_ms: 10_000 } });
  });

  it('list tools and write types', async () => {
    expect((await llmspell('tools')).stdout).toMatch(/^calculator +Evaluates an arithmetic expression \(math\)$/m);
    expect((await llmspell('tools', 'web-search')).stdout).toContain('Tool.execute("web_search"');
    expect((await llmspell('types', '--out', 'editor')).status).toBe(0);
    expect(readFileSync(join(folder, 'editor/llmspell.d.lua'), 'utf8')).toBe(readFileSync(join(root, 'types/llmspell.d.lua'), 'utf8'));
    // Node's own way of making folders never returns there.
    const refused = await llmspell('types', '--out', '/proc/types');
    expect(refused).toMatchObject({ status: 1, stderr: 'error: /proc/types cannot be written: there is no such folder\n' });
  });

  it('print metrics with --json where they are on', async () => {
    writeFileSync(join(folder, 'metrics.toml'), '[hooks.metrics]\n');
    const run = async (...more: string[]) => JSON.parse((await llmspell('exec', '--lang', 'lua', '--json', ...more, 'Tool.execute("uuid")')).stdout);
    expect((await run('--config', 'metrics.toml')).metrics.operations).toMatchObject([{ kind: 'tool', name: 'uuid', count: 1, failures: 0 }]);
    expect(await run()).not.toHaveProperty('metrics');
  });

  it('refuse a data folder of a newer version, and one that is no database', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const run = () => llmspell('exec', '--lang', 'lua', '--data', 'future', 'State.save("global", "a", 1)');
    expect((await run()).status).toBe(0);
    const { readdirSync } = await import('node:fs');
    const file = join(folder, 'future/tenants', readdirSync(join(folder, 'future/tenants'))[0] as string, 'state.db');
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const commands = [run, () => llmspell('state', 'list', '--data', 'future'), () => llmspell('rag', 'stats', '--data', 'future')];
    for (const command of commands)
      expect(await command()).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/^error: the data folder .*[\\/]future was written by a newer llmspell \(format 99; this one knows 2\): /),
      });
    expect(await llmspell('state', 'list', '--data', 'future', '--json')).toMatchObject({ status: 2, stdout: expect.stringContaining('"code":"BAD_CONFIG"') });
    writeFileSync(file, 'this is no database, but it is long enough to be looked at as if it were one'.repeat(100));
    for (const command of commands)
      expect(await command()).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(/the database tenants\/[0-9a-f]{32}\/state\.db in the data folder .*future is not one of llmspell/),
      });
  });

  it('run the examples', async () => {
    for (const name of ['research.lua', 'research.js']) {
      const { status, stderr } = await llmspell('run', join(root, 'examples', name), ' ');
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^error: .*expected a question in words, got none \(SCRIPT_ERROR\)\n$/)]);
    }
    for (const [name, new_] of [
      ['research.lua', '[1-9]\\d'],
      ['research.js', '0'],
    ] as const) {
      const { status, stdout } = await llmspell('run', '--allow-read', join(root, 'docs'), join(root, 'examples', name));
      expect(status).toBe(0);
      expect(stdout).toContain('“A script that never ends is stopped when it has computed longer than limits.cpu_ms');
      expect(stdout).toMatch(new RegExp(`Knowledge  \\d+ documents in \\d+ passages; ${new_} documents are new`));
      expect(stdout).toContain(
        'Survived   the step web, which fails on purpose where it may not reach the network: web_fetch: this run may not reach example.org (grants.net or --allow-net example.org)',
      );
    }
    for (const name of ['research.lua', 'research.js']) {
      const asked = await llmspell('run', '--allow-read', join(root, 'docs'), join(root, 'examples', name), 'What is the best pizza in Naples?');
      expect(asked.stdout).toMatch(
        /^Nothing in the \d+ sentences of the given text answers “What is the best pizza in Naples\?”\. It does not mention “pizza”, “naples”\.$/m,
      );
    }
  });
});

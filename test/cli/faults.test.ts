import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { asProcess, BIN, environment, llmspell } from '../support/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'llmspell-faults-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const command = (lang: string, text: string, flags: readonly string[]) => ['exec', '--lang', lang, ...flags, text];
const exec = (lang: string, text: string, ...flags: string[]) => llmspell(folder, command(lang, text, flags));

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, [BIN, ...args], { cwd: folder, env: environment(folder), stdio: ['ignore', 'pipe', 'pipe'] });
}

const said = (child: ChildProcess, from: 'stdout' | 'stderr', text: string) =>
  new Promise<void>((done, fail) => {
    let all = '';
    child[from]?.on('data', (data) => {
      all += data;
      if (all.includes(text)) done();
    });
    child.once('exit', () => fail(new Error(`it ended having said ${JSON.stringify(all)}`)));
  });

const ended = (child: ChildProcess) => new Promise<number | string | null>((done) => child.once('close', (code, signal) => done(code ?? signal)));

describe('limits', () => {
  it.each([
    ['lua', 'an endless loop', 'while true do end', 'limits.'],
    ['js', 'an endless loop', 'for (;;);', 'limits.'],
    ['lua', 'a string of 1 GB', '("x"):rep(1e9)', 'limits.memory_mb'],
    ['js', 'a string of 1 GB', '"x".repeat(2 ** 29).length', 'limits.memory_mb'],
    ['lua', 'ten million entries', 'local t = {} for i = 1, 1e7 do t[i] = {i} end', 'limits.memory_mb'],
    ['js', 'ten million entries', 'const t = []; for (let i = 0; i < 1e7; i++) t.push({i})', 'limits.memory_mb'],
    ['lua', 'endless recursion', 'local function f() return 1 + f() end f()', 'nests its calls too deep'],
    ['js', 'endless recursion', '(function f() { return 1 + f() })()', 'nests its calls too deep'],
  ])('%s: %s ends with status 3', async (lang, _, text, message) => {
    const { status, stderr } = await exec(lang, text, '--timeout', text.includes('while true') || text.includes(';;') ? '300' : '60000');
    expect(stderr).toMatch(/^error: .*\(LIMIT_EXCEEDED\)/);
    expect(stderr).toContain(message);
    expect(status).toBe(3);
  });

  it.each([
    ['lua', 'local function f() return 1 + f() end print(pcall(f)) print(pcall(string.rep, "x", 1e9))', 'false'],
    ['js', 'function f() { return 1 + f() }; try { f() } catch { print("false") } try { "x".repeat(2 ** 29) } catch { print("false") }', 'false'],
  ])('%s: refused memory and depth can be caught', async (lang, text, out) => {
    const { status, stdout } = await exec(lang, text);
    expect(stdout.match(new RegExp(out, 'g'))).toHaveLength(2);
    expect(status).toBe(0);
  });

  it.each([
    ['lua', 'parallel({function() sleep(1) end}) coroutine.wrap(function() error({1}) end)()', 'the script threw [1]', 1],
    ['js', 'parallel([async () => await new Promise(() => {})])', 'the script awaits a promise that nothing can settle any more', 1],
    ['lua', 'Event.receive("never")', 'the script waits for something that can never happen', 1],
  ])('%s: %s ends with one sentence', (lang, text, message, code) => {
    const { status, stderr } = asProcess(folder, command(lang, text, []));
    expect(stderr).toContain(message);
    expect(status).toBe(code);
  });
});

describe.concurrent('interrupts', () => {
  it.each([
    ['lua', 'print("on") while true do pcall(sleep, 60000) end'],
    ['js', 'print("on"); for (;;) try { sleep(60000) } catch {}'],
  ])('%s: a script that catches everything ends all the same', async (lang, text) => {
    const child = start('exec', '--lang', lang, text);
    await said(child, 'stdout', 'on');
    child.kill('SIGINT');
    expect(await ended(child)).toBe(130);
  });

  it('a second Ctrl-C ends the process at once', async () => {
    // The handler of the run keeps it waiting for the drain; only the second signal gets past.
    const child = start('exec', '--lang', 'lua', '--timeout', '60000', 'print("on") while true do end');
    await said(child, 'stdout', 'on');
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await ended(child)).toBe(130);
  });

  /** As the process of a Node that does not fit starts it. */
  const startedByOther = () =>
    spawn(process.execPath, [BIN, 'exec', '--lang', 'lua', 'print("on") while true do end'], {
      cwd: folder,
      env: { ...environment(folder), LLMSPELL_STARTER: 'yes' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });

  it.each([
    ['told and felt, is one', ['told', 'felt'], 'interrupted\n'],
    ['felt and told, is one', ['felt', 'told'], 'interrupted\n'],
    ['only told, is one', ['told'], 'interrupted\n'],
  ])('a Ctrl-C that is %s, where another Node has started the process', async (_, ways, says) => {
    const child = startedByOther();
    let stderr = '';
    child.stderr?.on('data', (data) => {
      stderr += data;
    });
    await said(child, 'stdout', 'on');
    for (const way of ways) way === 'told' ? child.send(1) : child.kill('SIGINT');
    expect([await ended(child), stderr]).toEqual([130, says]);
  });

  it.each(['SIGKILL', 'SIGINT'] as const)('State survives %s in the middle of writes', async (signal) => {
    const data = join(folder, `data-${signal}`);
    const text = 'local n = 0 while true do n = n + 1 State.transaction(function() State.save("global", "a", n) State.save("global", "b", n) end) print(n) end';
    const child = start('exec', '--lang', 'lua', '--data', data, '--timeout', '60000', text);
    await said(child, 'stdout', '\n50\n');
    child.kill(signal);
    expect(await ended(child)).toBe(signal === 'SIGKILL' ? 'SIGKILL' : 130);
    const after = start(
      'exec',
      '--lang',
      'lua',
      '--data',
      data,
      'local a, b = State.load("global", "a"), State.load("global", "b") assert(a == b and a >= 50)',
    );
    expect(await ended(after)).toBe(0);
  });
});

describe.concurrent('output that nobody reads', () => {
  it.each(['', '--json'])('ends the process quietly %s', async (flag) => {
    const child = start('exec', '--lang', 'lua', ...(flag ? [flag] : []), 'for i = 1, 1e5 do print(("x"):rep(100)) end');
    let complaints = '';
    child.stderr?.on('data', (data) => {
      complaints += data;
    });
    if (flag) child.stdout?.destroy();
    else child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await ended(child)).toBe(1);
    expect(complaints).toBe('');
  });
});

describe.skipIf(process.platform === 'win32')('a full disk', () => {
  it('is one sentence, and nothing is half written', async () => {
    const script =
      'local ok, e = pcall(function() for i = 1, 1000 do State.save("global", "k" .. i, {i, ("x"):rep(1000)}) end end) print(ok, e.code, e.message)';
    const limited = (text: string, kilobytes: number) =>
      spawnSync('sh', ['-c', `ulimit -f ${kilobytes * 2}; exec "$0" "$@"`, process.execPath, BIN, 'exec', '--lang', 'lua', '--data', 'full', text], {
        cwd: folder,
        encoding: 'utf8',
        env: environment(folder),
      });
    expect(limited(script, 400)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^false\tSTORE_FAILED\tthe disk (?:is full|reports an input\/output error); nothing of this call was saved\n$/),
    });
    expect(limited('State.save("global", "big", ("x"):rep(1000000))', 400)).toMatchObject({ status: 1, stderr: expect.stringContaining('(STORE_FAILED)') });
    const { stdout } = await exec(
      'lua',
      'local keys = State.list_keys("global") for _, k in ipairs(keys) do local v = State.load("global", k) if "k" .. v[1] ~= k or #v[2] ~= 1000 then print("half written") end end print(#keys > 0)',
      '--data',
      'full',
    );
    expect(stdout).toBe('true\n');
  });
});

describe.skipIf(process.platform !== 'linux')('a standard output that cannot be written', () => {
  it.each([
    ['exec --lang js "print(1)"', 'error: standard output cannot be written (ENOSPC)\n', 1],
    ['tools --json', 'error: standard output cannot be written (ENOSPC)\n', 1],
    ['exec --lang lua "return 1"', '', 0],
  ])('%s >/dev/full', (args, stderr, status) => {
    const shell = ['-c', `exec "$0" "$1" ${args} >/dev/full`, process.execPath, BIN];
    expect(spawnSync('sh', shell, { cwd: folder, encoding: 'utf8', env: environment(folder) })).toMatchObject({ stderr, status });
  });
});

describe('a data folder that is none', () => {
  it.each(['file', 'file/below/it'])('is one sentence before the script runs: %s', async (data) => {
    writeFileSync(join(folder, 'file'), 'x');
    const said = { status: 2, stdout: '', stderr: `error: the data folder ${resolve(realpathSync(folder), data)} is not a folder (data.dir, --data)\n` };
    expect(await exec('lua', 'print(State.load("global", "a"))', '--data', data)).toEqual(said);
    expect(await llmspell(folder, ['state', 'list', '--data', data])).toEqual(said);
  });
});

describe.skipIf(process.platform !== 'linux')('a data folder that can never be', () => {
  it('is one sentence before the script runs, named by a flag or by the configuration', async () => {
    const said = { status: 2, stdout: '', stderr: 'error: the data folder /proc/nope cannot be used, ENOENT (data.dir, --data)\n' };
    expect(await exec('lua', 'print(State.load("global", "a"))', '--data', '/proc/nope')).toEqual(said);
    writeFileSync(join(folder, 'proc.toml'), '[data]\ndir = "/proc/nope"\n');
    expect(await exec('lua', 'print(State.load("global", "a"))', '--config', 'proc.toml')).toEqual(said);
    expect(await llmspell(folder, ['state', 'set', 'global', 'k', '1', '--data', '/proc/nope'])).toEqual(said);
  });

  it.each([[], ['--tenant', 'other']])('is told too where it is there and nothing can be in it: %j', async (...flags) => {
    const said = { status: 2, stdout: '', stderr: 'error: the data folder /proc cannot be used, ENOENT (data.dir, --data)\n' };
    expect(await exec('lua', 'print("began")', '--data', '/proc', ...flags)).toEqual(said);
  });
});

describe('a database that is damaged', () => {
  const damage = (data: string, from: number) => {
    const [tenant] = readdirSync(join(folder, data, 'tenants'));
    const file = join(folder, data, 'tenants', tenant as string, 'state.db');
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([bytes.subarray(0, from), Buffer.alloc(bytes.length - from, 0x5a)]));
    return file;
  };

  it.each([100, 103])('from its beginning is told before the script runs: %i', async (from) => {
    const data = `damaged-${from}`;
    expect((await exec('lua', 'State.save("global", "a", 1)', '--data', data)).status).toBe(0);
    expect((await exec('lua', 'print(State.load("global", "a"))', '--data', data)).stdout).toBe('1\n');
    const file = damage(data, from);
    for (const args of [command('lua', 'print("began")', ['--data', data]), ['state', 'list', '--data', data]])
      expect(await llmspell(folder, args)).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringMatching(/^error: the database tenants\/[0-9a-f]{32}\/state\.db in the data folder .* is damaged; restore the folder from a copy/),
      });
    // What a killed process had still to write may make it whole: then SQLite decides.
    writeFileSync(`${file}-wal`, 'x');
    expect((await exec('lua', 'print("began")', '--data', data)).stdout).toBe('began\n');
  });

  it('further on fails where the script needs it', async () => {
    expect((await exec('lua', 'State.save("global", "a", 1)', '--data', 'later')).status).toBe(0);
    damage('later', 4_096);
    const { status, stdout, stderr } = await exec('lua', 'print("began") State.save("global", "b", 1)', '--data', 'later');
    expect([status, stdout]).toEqual([1, 'began\n']);
    expect(stderr).toContain('(STORE_FAILED)');
  });
});

describe.concurrent('--watch', () => {
  /** A folder of its own with some scripts, and a watch of the first. */
  function watched(name: string, files: Record<string, string>, flags: readonly string[] = [], stdout: 'pipe' | number = 'pipe') {
    const own = join(folder, name);
    const write = (file: string, text: string) => {
      mkdirSync(dirname(join(own, file)), { recursive: true });
      writeFileSync(join(own, file), text);
    };
    for (const [file, text] of Object.entries(files)) write(file, text);
    const script = join(own, Object.keys(files)[0] ?? '');
    const child = spawn(process.execPath, [BIN, 'run', '--watch', ...flags, script], {
      cwd: folder,
      env: environment(folder),
      stdio: ['ignore', stdout, 'pipe'],
    });
    let errors = '';
    const told = new EventEmitter();
    child.stderr?.on('data', (data) => {
      errors += data;
      told.emit('more');
    });
    /** Resolves when so many runs have ended and it waits for a change. */
    const waits = async (runs: number) => {
      while ((errors.match(/^watching /gm)?.length ?? 0) < runs) await once(told, 'more');
    };
    return { child, own, write, waits, changes: () => errors.match(/^.* changed$/gm) };
  }

  it('runs again when the script changes, whatever it ended with', async () => {
    const { child, write, waits } = watched('whatever', { 'w.lua': 'print("first")' });
    const errors = [said(child, 'stderr', 'w.lua:1: bad (SCRIPT_ERROR)'), said(child, 'stderr', '(DEADLOCK)')];
    const third = said(child, 'stdout', 'third');
    await waits(1);
    write('w.lua', 'print("second") error("bad")');
    await waits(2);
    write('w.lua', 'Event.receive("never")');
    await waits(3);
    await Promise.all(errors);
    write('w.lua', 'print("third")');
    await waits(4);
    await third;
    child.kill('SIGINT');
    expect(await ended(child)).toBe(0);
  });

  it.each([
    ['lua', 'lua', 'print(require("parts.p"))', 'return "first"', 'return "second"', 'return "third"'],
    ['js', 'mjs', 'import p from "./parts/p.mjs"; print(p)', 'export default "first"', 'export default "second"', 'export default "third"'],
  ])('%s: runs again for what a module holds, names it, and takes no notice of the rest', async (ending, moduleEnding, main, first, second, third) => {
    const module = `parts/p.${moduleEnding}`;
    const other = ending === 'lua' ? 'other.js' : 'other.lua';
    const { child, own, write, waits, changes } = watched(`module-${ending}`, { [`w.${ending}`]: main, [module]: first, 'data/state': '' }, [
      '--data',
      join(folder, `module-${ending}/data`),
    ]);
    const printed = ['second', 'third'].map((text) => said(child, 'stdout', text));
    await waits(1);
    for (const [file, text] of [
      ['note.txt', 'x'],
      ['note.md', 'x'],
      ['note.json', '{}'],
      [other, 'x'],
      [`data/workspace/w.${ending}`, 'x'],
      [`node_modules/a/w.${ending}`, 'x'],
      [`.git/w.${ending}`, 'x'],
      [`w.${ending}`, main],
    ] as const)
      write(file, text);
    chmodSync(join(own, module), 0o600);
    utimesSync(join(own, module), 1, 1);
    write(module, second);
    await waits(2);
    rmSync(join(own, 'parts'), { recursive: true });
    write(module, third);
    await waits(3);
    write(`new/deep/q.${moduleEnding}`, third);
    await waits(4);
    await Promise.all(printed);
    child.kill('SIGINT');
    expect(await ended(child)).toBe(0);
    expect(changes()).toEqual([`${module} changed`, `${module} changed`, `new/deep/q.${moduleEnding} changed`]);
  });

  it('is not started again by what the script prints into its folder', async () => {
    mkdirSync(join(folder, 'printed'));
    const out = openSync(join(folder, 'printed/out.lua'), 'a');
    const { child, own, write, waits, changes } = watched('printed', { 'w.lua': 'print("one")' }, [], out);
    await waits(1);
    write('w.lua', 'print("two")');
    await waits(2);
    write('w.lua', '');
    await waits(3);
    child.kill('SIGINT');
    expect(await ended(child)).toBe(0);
    expect(readFileSync(join(own, 'out.lua'), 'utf8')).toBe('one\ntwo\n');
    expect(changes()).toEqual(['w.lua changed', 'w.lua changed']);
  });

  it('runs again what changes during a run, and ends with 130 when a run is interrupted', async () => {
    const { child, write } = watched('during', { 'w.lua': 'Logger.error("on") sleep(500)' });
    await said(child, 'stderr', 'on');
    write('w.lua', 'print("next") sleep(60000)');
    await said(child, 'stdout', 'next');
    child.kill('SIGINT');
    expect(await ended(child)).toBe(130);
  });

  it('ends at once where nothing can be run', async () => {
    expect(await llmspell(folder, ['run', '--watch', 'none/w.lua'])).toEqual({ status: 2, stdout: '', stderr: 'error: none/w.lua: there is no such script\n' });
    writeFileSync(join(folder, 'fine.lua'), '');
    expect(await llmspell(folder, ['run', '--watch', '--model', 'foo', 'fine.lua'])).toMatchObject({ status: 2 });
  });
});

describe('leftovers', () => {
  it('are none: no temporary file stays in the data folder', async () => {
    await exec('lua', 'State.save("global", "a", 1) State.restore(State.backup())', '--data', 'clean');
    const files = readdirSync(join(folder, 'clean'), { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.endsWith('.tmp'))).toEqual([]);
    expect(files.filter((file) => file.endsWith('.backup'))).toHaveLength(2);
  });
});

describe('a folder that a flag grants and that is not there', () => {
  it.each(['--allow-read', '--allow-write'])('is refused: %s', async (flag) => {
    expect(await exec('lua', 'print(1)', flag, 'nowhere')).toMatchObject({ status: 2, stdout: '', stderr: `error: ${flag}: there is no folder nowhere\n` });
    expect(await exec('lua', 'print(1)', flag, '.')).toMatchObject({ status: 0, stdout: '1\n' });
  });
});

describe.skipIf(process.platform === 'win32').concurrent('a process that was started by an older Node', () => {
  // What the start takes for the version of its own Node.
  const older = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.0.0'}})`;
  const begin = (text: string) =>
    spawn(process.execPath, ['--import', older, BIN, 'exec', '--lang', 'lua', text], {
      cwd: folder,
      env: environment(folder),
      stdio: ['pipe', 'pipe', 'pipe'],
    });

  it('ends when that one is killed, and not before', async () => {
    const child = begin('print("began") sleep(50000)');
    await said(child, 'stdout', 'began');
    child.kill('SIGKILL');
    // Its output is open as long as somebody may write to it.
    expect(await ended(child)).toBe('SIGKILL');
  });

  it('keeps its exit status, and what it waits for is told as ever', async () => {
    const child = begin('print("began") Event.receive("never")');
    await said(child, 'stderr', 'DEADLOCK');
    expect(await ended(child)).toBe(1);
  });
});

import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ScriptError } from '../../src/errors.ts';
import { tools } from '../../src/tool/registry.ts';
import { testHost, testRun } from '../support/run.ts';

const root = mkdtempSync(join(tmpdir(), 'llmspell-files-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const host = testHost();
let inside = '';
let outside = '';
let count = 0;

beforeEach(() => {
  const base = join(root, String(++count));
  inside = join(base, 'inside');
  outside = join(base, 'outside');
  for (const folder of [inside, outside]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(outside, 'secret.txt'), 'secret');
  writeFileSync(join(inside, 'a.txt'), 'one\ntwo\nThree');
  mkdirSync(join(inside, 'sub'));
  writeFileSync(join(inside, 'sub/b.md'), '# two');
});

async function tool(name: string, input: Record<string, unknown>) {
  const { run, context } = testRun({ host, grants: { read: [inside], write: [inside] } });
  return (await run.get(tools).execute(context, name, input as never)) as Record<string, unknown>;
}

const refusal = (work: Promise<unknown>): Promise<ScriptError> =>
  work.then(
    (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
    (error) => error,
  );

describe('reading', () => {
  it('gives text, parts and bytes', async () => {
    expect(await tool('file_read', { path: 'a.txt' })).toEqual({ content: 'one\ntwo\nThree', size: 13, path: 'a.txt' });
    expect((await tool('file_read', { path: join(inside, 'a.txt'), offset: 4, length: 3 })).content).toBe('two');
    writeFileSync(join(inside, 'raw'), Buffer.from([0, 255, 1]));
    expect((await tool('file_read', { path: 'raw', encoding: 'bytes' })).content).toEqual(new Uint8Array([0, 255, 1]));
    expect(await refusal(tool('file_read', { path: 'raw' }))).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'file_read: raw is no UTF-8 text; read it with encoding = "bytes"',
    });
  });

  it.each([
    ['a path that leads out', '../outside/secret.txt', 'NOT_ALLOWED'],
    ['an absolute path', '/etc/passwd', 'NOT_ALLOWED'],
    ['a link that leads out', 'link', 'NOT_ALLOWED'],
    ['a folder link that leads out', 'folder/secret.txt', 'NOT_ALLOWED'],
    ['a NUL in the name', 'a.txt\0.md', 'BAD_ARGUMENT'],
    ['no name', '', 'BAD_ARGUMENT'],
    ['a file that is not there', 'none.txt', 'NOT_FOUND'],
    ['a folder', 'sub', 'TOOL_FAILED'],
    ['a home that is not expanded', '~/x', 'NOT_FOUND'],
  ])('refuses %s', async (_, path, code) => {
    symlinkSync(join(outside, 'secret.txt'), join(inside, 'link'));
    symlinkSync(outside, join(inside, 'folder'));
    const error = await refusal(tool('file_read', { path }));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain(outside);
  });

  it('follows links that stay inside', async () => {
    symlinkSync(join(inside, 'a.txt'), join(inside, 'good'));
    expect((await tool('file_read', { path: 'good' })).content).toBe('one\ntwo\nThree');
  });

  it.skipIf(process.platform === 'win32')('does not wait for a pipe', async () => {
    execFileSync('mkfifo', [join(inside, 'pipe')]);
    expect(await refusal(tool('file_read', { path: 'pipe' }))).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'file_read: pipe: expected a file, found a device or pipe',
    });
  });

  it('never reads through a link that is swapped in between', { timeout: 20_000 }, async () => {
    const swapper = new Worker(
      `const { renameSync, symlinkSync, unlinkSync, mkdirSync } = require('node:fs'); const { workerData: [inside, outside] } = require('node:worker_threads');
       for (;;) { try { renameSync(inside + '/sub', inside + '/away'); symlinkSync(outside, inside + '/sub'); unlinkSync(inside + '/sub'); renameSync(inside + '/away', inside + '/sub') } catch {} }`,
      { eval: true, workerData: [inside, outside] },
    );
    writeFileSync(join(outside, 'b.md'), 'secret');
    const seen = new Set<string>();
    const until = Date.now() + 600;
    while (Date.now() < until) {
      seen.add(
        await tool('file_read', { path: 'sub/b.md' }).then(
          ({ content }) => String(content),
          (error: ScriptError) => error.code,
        ),
      );
      await tool('file_write', { path: 'sub/w.txt', content: 'written' }).catch(() => undefined);
    }
    await swapper.terminate();
    expect(seen.has('secret')).toBe(false);
    expect(seen.has('# two')).toBe(true);
    expect(readdirSync(outside).sort()).toEqual(['b.md', 'secret.txt']);
  });
});

describe('writing', () => {
  it('replaces, appends and makes files, whole or not at all', async () => {
    expect(await tool('file_write', { path: 'new.txt', content: 'äb' })).toEqual({ path: 'new.txt', bytes: 3 });
    await tool('file_write', { path: 'new.txt', content: '!', mode: 'append' });
    expect(readFileSync(join(inside, 'new.txt'), 'utf8')).toBe('äb!');
    expect(await refusal(tool('file_write', { path: 'new.txt', content: '', mode: 'create' }))).toMatchObject({ code: 'CONFLICT' });
    expect(readdirSync(inside).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('writes much in pieces, whole, and leaves others their turns', async () => {
    const text = 'ä😀 and more'.repeat(2 ** 20);
    const size = Buffer.byteLength(text);
    // How much was written whenever others had their turn.
    const seen = new Set<number>();
    let going = true;
    const look = () => {
      const name = readdirSync(inside).find((one) => one.includes('.tmp'));
      if (name) seen.add(statSync(join(inside, name)).size);
      if (going) setImmediate(look);
    };
    look();
    expect(await tool('file_write', { path: 'long.txt', content: text })).toEqual({ path: 'long.txt', bytes: size });
    going = false;
    expect([...seen].some((one) => one > 0 && one < size)).toBe(true);
    expect(readFileSync(join(inside, 'long.txt'), 'utf8') === text).toBe(true);
  });

  it('loses nothing of what several append at once, and lets one of several make a file', async () => {
    const line = (i: number) => `${String(i).repeat(200_000)}\n`;
    await Promise.all([1, 2, 3, 4, 5].map((i) => tool('file_write', { path: 'log.txt', content: line(i), mode: 'append' })));
    expect(readFileSync(join(inside, 'log.txt'), 'utf8') === [1, 2, 3, 4, 5].map(line).join('')).toBe(true);
    const made = await Promise.allSettled([1, 2, 3].map((i) => tool('file_write', { path: 'made.txt', content: line(i), mode: 'create' })));
    expect(made.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(readFileSync(join(inside, 'made.txt'), 'utf8') === line(1)).toBe(true);
  });

  it('appends to what another one wrote meanwhile', async () => {
    writeFileSync(join(inside, 'shared.txt'), 'a');
    const long = 'b'.repeat(8 * 2 ** 20);
    const writing = tool('file_write', { path: 'shared.txt', content: long, mode: 'append' });
    while (!readdirSync(inside).some((name) => name.includes('.tmp'))) await new Promise((done) => setImmediate(done));
    appendFileSync(join(inside, 'shared.txt'), 'c');
    expect(await writing).toMatchObject({ bytes: long.length });
    expect(readFileSync(join(inside, 'shared.txt'), 'utf8') === `ac${long}`).toBe(true);
    expect(readdirSync(inside).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('gives up on a file that others change all the time, which stays as they left it', async () => {
    writeFileSync(join(inside, 'busy.txt'), 'a');
    let going = true;
    const change = () => {
      appendFileSync(join(inside, 'busy.txt'), 'c');
      if (going) setImmediate(change);
    };
    change();
    expect(await refusal(tool('file_write', { path: 'busy.txt', content: 'b'.repeat(2 ** 21), mode: 'append' }))).toMatchObject({ code: 'CONFLICT' });
    going = false;
    expect(readFileSync(join(inside, 'busy.txt'), 'utf8')).toMatch(/^ac+$/);
    expect(readdirSync(inside).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('appends to a large file that the run may write, not read', async () => {
    const large = Buffer.alloc(20 * 2 ** 20, 'x');
    writeFileSync(join(inside, 'large.txt'), large);
    const { run, context } = testRun({ host, grants: { read: [], write: [inside] } });
    await run.get(tools).execute(context, 'file_write', { path: 'large.txt', content: '!', mode: 'append' });
    await run[Symbol.asyncDispose]();
    expect(readFileSync(join(inside, 'large.txt')).equals(Buffer.concat([large, Buffer.from('!')]))).toBe(true);
  });

  it('keeps the permissions of a file, and takes a name of as many bytes as the file system does', async () => {
    const name = `${'é'.repeat(125)}.md`;
    await tool('file_write', { path: name, content: 'a' });
    chmodSync(join(inside, name), 0o750);
    await tool('file_write', { path: name, content: 'b' });
    expect(readFileSync(join(inside, name), 'utf8')).toBe('b');
    expect(statSync(join(inside, name)).mode & 0o777).toBe(0o750);
  });

  it('says of a folder that it is one, the allowed one too', async () => {
    mkdirSync(join(inside, 'a-folder'));
    for (const path of ['.', 'a-folder', 'a-folder/..', inside])
      expect(await refusal(tool('file_write', { path, content: 'a' }))).toMatchObject({
        code: 'TOOL_FAILED',
        message: `file_write: ${path} is a folder; nothing was written`,
      });
    expect(await refusal(tool('file_write', { path: '..', content: 'a' }))).toMatchObject({ code: 'NOT_ALLOWED' });
  });

  it('makes no file where another one came to be meanwhile', async () => {
    const writing = refusal(tool('file_write', { path: 'raced.txt', content: 'new'.repeat(4 * 2 ** 20), mode: 'create' }));
    while (!readdirSync(inside).some((name) => name.includes('.tmp'))) await new Promise((done) => setImmediate(done));
    writeFileSync(join(inside, 'raced.txt'), 'first');
    expect(await writing).toMatchObject({ code: 'CONFLICT' });
    expect(readFileSync(join(inside, 'raced.txt'), 'utf8')).toBe('first');
    expect(readdirSync(inside).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('leaves the old file where a call is cancelled in the middle', async () => {
    await tool('file_write', { path: 'kept.txt', content: 'old' });
    const { run, context } = testRun({ host, grants: { read: [inside], write: [inside] } });
    const abort = new AbortController();
    const writing = run.get(tools).execute(context.with({ signal: abort.signal }), 'file_write', { path: 'kept.txt', content: 'new'.repeat(4 * 2 ** 20) });
    abort.abort(new ScriptError('CANCELLED', 'enough'));
    expect(await refusal(Promise.resolve(writing))).toMatchObject({ code: 'CANCELLED' });
    await run[Symbol.asyncDispose]();
    await tool('file_write', { path: 'kept.txt', content: '!', mode: 'append' });
    expect(readFileSync(join(inside, 'kept.txt'), 'utf8')).toBe('old!');
    expect(readdirSync(inside).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it.each([
    ['out of the folder', '../outside/x.txt', 'NOT_ALLOWED'],
    ['through a link to a folder', 'folder/x.txt', 'NOT_ALLOWED'],
    ['onto a link', 'link', 'TOOL_FAILED'],
    ['onto a folder', 'sub', 'TOOL_FAILED'],
    ['into a folder that is not there', 'none/x.txt', 'NOT_FOUND'],
    ['onto the folder itself', '.', 'TOOL_FAILED'],
    ['an absolute path', '/tmp/llmspell-x.txt', 'NOT_ALLOWED'],
    ['a name that is too long', 'x'.repeat(300), 'TOOL_FAILED'],
  ])('refuses to write %s', async (_, path, code) => {
    symlinkSync(join(outside, 'secret.txt'), join(inside, 'link'));
    symlinkSync(outside, join(inside, 'folder'));
    expect((await refusal(tool('file_write', { path, content: 'bad' }))).code).toBe(code);
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('secret');
    expect(readdirSync(outside)).toEqual(['secret.txt']);
  });
});

describe('making folders to write in', () => {
  const make = (path: string, content = 'new') => tool('file_write', { path, content, create_folders: true });

  it('makes those that are missing, of relative and absolute paths', async () => {
    await make('q/r/n.txt');
    await make('q/r/n.txt', 'again');
    await make('top.txt');
    await make(join(inside, 'abs/n.txt'));
    await make(join(inside, 'abs.txt'));
    await make('none/../near.txt');
    expect(['q/r/n.txt', 'top.txt', 'abs/n.txt', 'abs.txt', 'near.txt'].map((path) => readFileSync(join(inside, path), 'utf8'))).toEqual([
      'again',
      'new',
      'new',
      'new',
      'new',
    ]);
    expect(readdirSync(inside).sort()).toEqual(['a.txt', 'abs', 'abs.txt', 'near.txt', 'q', 'sub', 'top.txt']);
  });

  it('makes them one after the other for several at once', async () => {
    await Promise.all([1, 2, 3].map((i) => make(`p/q/${i}.txt`)));
    expect(readdirSync(join(inside, 'p/q'))).toEqual(['1.txt', '2.txt', '3.txt']);
  });

  it('follows a link to a folder inside', async () => {
    symlinkSync(join(inside, 'sub'), join(inside, 'good'));
    await make('good/q/n.txt');
    expect(readFileSync(join(inside, 'sub/q/n.txt'), 'utf8')).toBe('new');
  });

  it.each([
    ['out of the folder', '../outside/q/n.txt', 'NOT_ALLOWED'],
    ['beside the folder', '../q/n.txt', 'NOT_ALLOWED'],
    ['out of a folder that is not there', 'q/../../outside/r/n.txt', 'NOT_ALLOWED'],
    ['through a link to a folder outside', 'folder/q/n.txt', 'NOT_ALLOWED'],
    ['deep through a link to a folder outside', 'folder/q/r/n.txt', 'NOT_ALLOWED'],
    ['through a link to what is not there outside', 'dangling/n.txt', 'TOOL_FAILED'],
    ['below a link to what is not there outside', 'dangling/q/n.txt', 'TOOL_FAILED'],
    ['below a file', 'a.txt/q/n.txt', 'TOOL_FAILED'],
    ['in a file', 'a.txt/n.txt', 'TOOL_FAILED'],
    ['at an absolute path outside', '/tmp/llmspell-q/n.txt', 'NOT_ALLOWED'],
    ['in a folder whose name is too long', `${'x'.repeat(300)}/n.txt`, 'TOOL_FAILED'],
    ['very deep', `${'q/'.repeat(2_000)}n.txt`, 'LIMIT_EXCEEDED'],
    ['with a NUL in a folder', 'q\0/n.txt', 'BAD_ARGUMENT'],
  ])('makes none %s', async (_, path, code) => {
    symlinkSync(outside, join(inside, 'folder'));
    symlinkSync(join(outside, 'none'), join(inside, 'dangling'));
    const error = await refusal(make(path));
    expect(error.code).toBe(code);
    expect(error.message.length).toBeLessThan(400);
    expect(error.message).not.toContain(outside);
    expect(readdirSync(outside)).toEqual(['secret.txt']);
    expect(readdirSync(join(inside, '..')).sort()).toEqual(['inside', 'outside']);
    expect(readdirSync(inside).sort()).toEqual(['a.txt', 'dangling', 'folder', 'sub']);
  });

  it('makes none elsewhere where a folder is swapped for a link in between', { timeout: 20_000 }, async () => {
    const swapper = new Worker(
      `const { renameSync, symlinkSync, unlinkSync } = require('node:fs'); const { workerData: [inside, outside] } = require('node:worker_threads');
       for (;;) { try { renameSync(inside + '/sub', inside + '/away'); symlinkSync(outside, inside + '/sub'); unlinkSync(inside + '/sub'); renameSync(inside + '/away', inside + '/sub') } catch {} }`,
      { eval: true, workerData: [inside, outside] },
    );
    const seen = new Set<string>();
    const until = Date.now() + 500;
    for (let i = 0; Date.now() < until; i++) {
      seen.add(
        await make(`sub/q${i}/r/w.txt`).then(
          () => 'made',
          (error: ScriptError) => error.code,
        ),
      );
    }
    await swapper.terminate();
    expect(seen.has('made')).toBe(true);
    expect(readdirSync(outside)).toEqual(['secret.txt']);
  });
});

describe('listing and searching', () => {
  it('lists by pattern and depth', async () => {
    symlinkSync(outside, join(inside, 'link'));
    expect(((await tool('file_list', {})).entries as { path: string; kind: string }[]).map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      'a.txt file',
      'link link',
      'sub folder',
    ]);
    expect(((await tool('file_list', { recursive: true, pattern: '**/*.md' })).entries as { path: string }[]).map(({ path }) => path)).toEqual(['sub/b.md']);
    expect(await tool('file_list', { recursive: true, limit: 1 })).toMatchObject({ truncated: true });
  });

  it('finds lines by text and by expression', async () => {
    expect(await tool('file_search', { query: 'TWO' })).toEqual({
      matches: [
        { path: 'a.txt', line: 2, text: 'two' },
        { path: 'sub/b.md', line: 1, text: '# two' },
      ],
      files: 2,
      truncated: false,
    });
    expect((await tool('file_search', { query: '^T.*e$', regex: true, ignore_case: false })).matches).toEqual([{ path: 'a.txt', line: 3, text: 'Three' }]);
    expect((await tool('file_search', { query: '(a+)+$', regex: true })).matches).toEqual([]);
    expect(await refusal(tool('file_search', { query: '(', regex: true }))).toMatchObject({ code: 'BAD_ARGUMENT' });
  });

  it('tells of files', async () => {
    expect(await tool('file_info', { path: 'sub' })).toMatchObject({ exists: true, kind: 'folder' });
    expect(await tool('file_info', { path: 'none' })).toEqual({ exists: false });
    expect((await refusal(tool('file_info', { path: '../outside/secret.txt' }))).code).toBe('NOT_ALLOWED');
  });
});

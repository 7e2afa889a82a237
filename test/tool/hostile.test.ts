import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileGlob } from '../../src/tool/files/glob.ts';
import { isPublic } from '../../src/tool/net/rules.ts';
import { tryRun } from '../../src/tool/work/html.ts';
import { workspace } from '../support/workspace.ts';

const work = workspace();
afterAll(() => work[Symbol.dispose]());

describe('globs', () => {
  it.each([
    ['*.md', ['a.md', '.md'], ['a.txt', 'sub/a.md']],
    ['**/*.md', ['a.md', 'x/a.md', 'x/y/a.md'], ['a.mdx']],
    ['docs/**', ['docs/a', 'docs/x/y', 'docs/'], ['doc/a', 'x/docs/a']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/xb', 'b']],
    ['?[0-9][!x]', ['a1b', 'é9y'], ['a1x', 'ab1', 'a1']],
    ['*.{js,ts}', ['a.js', 'a.ts'], ['a.tsx']],
    ['{a,b/{c,d}}', ['a', 'b/c', 'b/d'], ['b', 'c']],
    ['[', ['['], ['a']],
    ['**', ['a', 'a/b'], []],
  ])('%s', (pattern, fitting, other) => {
    const fits = compileGlob(pattern);
    expect(fitting.filter((path) => !fits(path))).toEqual([]);
    expect(other.filter(fits)).toEqual([]);
  });

  it('agree with the expression that they stand for', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 }), (pattern, path) => {
        if (pattern === '**') return;
        const expression = new RegExp(`^${pattern.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`);
        expect(compileGlob(pattern)(path.join(''))).toBe(expression.test(path.join('')));
      }),
      { numRuns: 150 },
    );
  });

  it('take no time that grows with their twists', () => {
    expect(compileGlob(`${'*a'.repeat(400)}c`)('a'.repeat(5_000))).toBe(false);
    expect(compileGlob(`${'**/'.repeat(300)}c`)('a/'.repeat(1_000))).toBe(false);
    expect(() => compileGlob('{a,b}'.repeat(30))).toThrow('pattern: expected at most 64 alternatives in braces');
  });
});

describe('work on hostile texts', { timeout: 90_000 }, () => {
  it('is refused in a sentence or done, and never on the event loop', async () => {
    expect(await work.refusal('html_text', { html: '<div>'.repeat(300_000) })).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'html_text: the elements of the page are nested deeper than 512',
    });
    const siblings = { html: `${'<div><p>a<br>'.repeat(200)}${'<ul><li>b<li>c</ul>'.repeat(600)}` };
    expect(await work.tool('html_text', siblings)).toMatchObject({ text: expect.stringMatching(/^a.*c$/s) });
    expect(await work.tool('html_text', { html: `<p>${'x'.repeat(10_000)}</p>` })).toMatchObject({ text: 'x'.repeat(10_000) });
    expect(await work.refusal('text', { operation: 'replace', text: 'a'.repeat(100_000), find: 'a', with: 'b'.repeat(1_000) })).toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    expect(await work.refusal('text', { operation: 'split', text: 'a'.repeat(200_000), separator: '' })).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await work.refusal('regex', { operation: 'replace', pattern: 'a', text: 'a'.repeat(50_000), replacement: 'b'.repeat(1_000) })).toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    expect(await work.refusal('regex', { pattern: `${'()'.repeat(490)}x`, text: 'x'.repeat(10_000), limit: 10_000 })).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringMatching(/^regex: more than 100000 groups in all matches/),
    });
    expect(await work.tool('regex', { pattern: '(a|aa)+$', text: `${'a'.repeat(50_000)}b` })).toMatchObject({ matched: false });
    const wide = { data: Array.from({ length: 50 }, () => Array.from({ length: 50 }, () => [1, 2, 3])), query: '..*..*..*..*' };
    expect(await work.refusal('json_query', wide)).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect((await work.refusal('datetime', { timezone: 'x'.repeat(1_000) })).message.length).toBeLessThan(300);
  });
});

describe('pages', () => {
  const read = (html: string) => tryRun({ method: 'html_text', html, format: 'text', base: undefined });

  it.each([
    ['of marks that are never closed', '<a><b><i><u><s>'.repeat(60) + '<p>x'.repeat(300)],
    ['of few marks that the parser opens again in every paragraph', `<p>${Array.from({ length: 20 }, (_, at) => `<b a${at}>`).join('')}${'<p>x'.repeat(50)}`],
    ['of one mark with long attributes', `<p><b title="${'x'.repeat(2_000)}">${'<p>x'.repeat(200)}`],
    ['of elements in elements', `${'<blockquote>'.repeat(60)}${'<br>x'.repeat(300)}`],
  ])('%s are read in a thread, however short', async (_, html) => {
    expect(html.length).toBeLessThan(4_000);
    expect(await read(html)).toBeUndefined();
    expect(await work.tool('html_text', { html })).toMatchObject({ text: expect.stringContaining('x') });
  });

  it('of the usual kind are read at once', async () => {
    const part = '<h2>Title</h2><p>Some <b>bold</b> text with <a href="/x">a link</a> and more.</p><ul><li>one</li><li>two</li></ul>';
    expect((await read(part.repeat(30)))?.links).toHaveLength(30);
  });
});

describe('folders', () => {
  it.skipIf(process.platform !== 'linux')('that are swapped meanwhile list nothing of what is elsewhere', { timeout: 60_000 }, async () => {
    mkdirSync(join(work.inside, 'sub'));
    writeFileSync(join(work.inside, 'sub/inner'), '');
    writeFileSync(join(work.outside, 'secret'), '');
    const swapper = new Worker(
      `const { renameSync, symlinkSync, unlinkSync } = require('node:fs'); const { workerData: [inside, outside] } = require('node:worker_threads');
       for (;;) { try { renameSync(inside + '/sub', inside + '/away'); symlinkSync(outside, inside + '/sub'); unlinkSync(inside + '/sub'); renameSync(inside + '/away', inside + '/sub') } catch {} }`,
      { eval: true, workerData: [work.inside, work.outside] },
    );
    const seen = new Set<string>();
    for (let round = 0; round < 500; round++) {
      const listed = await work.tool('file_list', { path: 'sub' }).catch(() => ({ entries: [] }));
      for (const { path } of listed.entries as { path: string }[]) seen.add(path);
    }
    await swapper.terminate();
    expect([...seen]).toEqual(['inner']);
  });

  it('that are files are told as such when something is written below', async () => {
    writeFileSync(join(work.inside, 'file'), '');
    expect(await work.refusal('file_write', { path: 'file/x', content: '' })).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'file_write: what file/x should lie in is no folder',
    });
  });

  it('with names that are long, looped or not text are refused', async () => {
    symlinkSync('loop', join(work.inside, 'loop'));
    symlinkSync('/dev/zero', join(work.inside, 'zero'));
    for (const [path, code] of [
      ['loop', 'NOT_FOUND'],
      ['zero', 'NOT_ALLOWED'],
      ['x'.repeat(300), 'NOT_FOUND'],
      ['x/'.repeat(2_000), 'NOT_FOUND'],
      ['x/'.repeat(5_000), 'BAD_ARGUMENT'],
      ['\ud800', 'NOT_FOUND'],
    ] as const)
      expect((await work.refusal('file_read', { path })).code).toBe(code);
    renameSync(join(work.inside, 'loop'), join(work.inside, 'loop2'));
  });
});

describe('addresses and headers', () => {
  const server = createServer((request, response) => {
    if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' });
    response.end('ok');
  });
  let net: string[] = [];
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    net = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  });
  afterAll(() => server.close());
  const get = (more: Record<string, unknown>, path = '/') => work.refusal('http_request', { url: `http://${net[0]}${path}`, ...more }, { net });

  it.each(['::127.0.0.1', '::7f00:1', '::', '64:ff9b::7f00:1', '2002:7f00:1::', '::ffff:7f00:1', '100::1', '2001:db8::1', '5f00::1', '4000::1', '::1:2'])(
    '%s is not public',
    (address) => {
      expect(isPublic(address)).toBe(false);
    },
  );

  it.each(['http://[::127.0.0.1]/', 'http://[64:ff9b::7f00:1]/', 'http://0177.0.0.1/', 'http://127.1/', 'http://①②⑦.⓪.⓪.①/'])(
    '%s is refused when everything is granted',
    async (url) => {
      expect(await work.refusal('http_request', { url }, { net: ['*'] })).toMatchObject({ code: 'NOT_ALLOWED' });
    },
  );

  it('of a refused IPv6 host name the flag as it works', async () => {
    expect((await work.refusal('http_request', { url: 'http://[::1]:8080/' }, { net: ['*'] })).message).toContain('(grants.net or --allow-net [::1]:8080)');
  });

  it.each([
    [{ headers: { 'a\r\nb': 'c' } }, 'expected the name of a header'],
    [{ headers: { a: 'b\r\nc: d' } }, 'headers: a: expected one line of text'],
    [{ headers: { Host: 'evil' } }, 'headers: Host cannot be set'],
    [{ headers: { 'content-length': '5' } }, 'cannot be set'],
    [{ headers: { 'Transfer-Encoding': 'chunked' } }, 'cannot be set'],
    [{ body: 'x' }, 'a request with GET has no body'],
  ])('%j are refused before anything is sent', async (more, message) => {
    expect(await get(more)).toMatchObject({ code: 'BAD_ARGUMENT', message: expect.stringContaining(message) });
  });

  it('are not followed to files', async () => {
    expect(await get({}, '/file')).toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining('redirects to something that is no address') });
  });
});

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'llmspell-package-'));

/** What `npm pack` would put in, without the sources. */
beforeAll(() => {
  const { stdout, status } = spawnSync(process.execPath, [join(root, 'tools/build.mjs'), join(folder, 'dist')], { cwd: root, encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '']);
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] };
  for (const path of ['package.json', 'README.md', ...files.filter((name) => name !== 'dist')])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
}

describe('the published package', () => {
  it('has a command line', () => {
    const { stdout, stderr } = node('bin/llmspell', 'exec', '--lang', 'lua', 'print(Tool.execute("calculator", {expression = "6 * 7"}).result)');
    expect([stdout, stderr]).toEqual(['42\n', '']);
  });

  it('has its licence, and whatever its pages link to', () => {
    expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toContain('Apache License\n                           Version 2.0');
    const pages = ['README.md', ...readdirSync(join(folder, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name))];
    const links = pages
      .filter((page) => page.endsWith('.md'))
      .flatMap((page) => [...readFileSync(join(folder, page), 'utf8').matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, to = '']) => join(dirname(page), to)));
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !existsSync(join(folder, link)))).toEqual([]);
  });

  it('is a library whose threads, processes and databases work', () => {
    const script = `
local long = ("x\\n"):rep(1500)
Tool.execute("diff", {before = long, after = ("y\\n"):rep(1500)})
RAG.ingest_documents("global", {{content = "The ferry leaves at noon."}})
return {State.increment("global", "runs"), RAG.retrieve("global", "When does the ferry leave?").chunks[1].content}`;
    writeFileSync(
      join(folder, 'try.mjs'),
      `import { ScriptRuntime } from 'llmspell';
await using runtime = await ScriptRuntime.create({ dataDir: ${JSON.stringify(join(folder, 'data'))} });
console.log(JSON.stringify((await runtime.execute(${JSON.stringify(script)}, { language: 'lua' })).value));`,
    );
    const { stdout, stderr } = node('try.mjs');
    expect([stdout, stderr]).toEqual(['[1,"The ferry leaves at noon."]\n', '']);
  });
});

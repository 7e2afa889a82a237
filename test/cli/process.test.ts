import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { asProcess, llmspell } from '../support/command-line.ts';

const folders = ['within', 'beside'].map((name) => mkdtempSync(join(tmpdir(), `llmspell-${name}-`))) as [string, string];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));
for (const folder of folders) writeFileSync(join(folder, 'note.md'), '# Ferry\n\nIt leaves at noon.');

// Most tests of the command line run it within their own process; here both ways must say the same.
it.each([
  ['a script that prints', ['exec', '--lang', 'lua', 'print("ä", 1, nil) return 2']],
  ['one that fails', ['exec', '--lang', 'js', 'print("before"); throw new Error("bad")']],
  ['one that takes too long', ['exec', '--lang', 'lua', '--timeout', '100', 'sleep(60000)']],
  ['wrong usage', ['run', '--nope', 'x.lua']],
  ['a list', ['tools']],
  ['State', ['state', 'get', 'global', 'k']],
  ['documents', ['rag', 'ingest', 'note.md', 'none.md']],
])('a command is the same as a process of its own: %s', async (_, args) => {
  const [within, beside] = folders;
  expect(await llmspell(within, args)).toEqual(asProcess(beside, args));
});

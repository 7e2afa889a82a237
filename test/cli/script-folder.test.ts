import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { ScriptFolder } from '../../src/cli/script-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'llmspell-watch-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folder(name: string, except = 'none') {
  const own = join(root, name);
  mkdirSync(own);
  writeFileSync(join(own, 'w.lua'), 'print(1)');
  return { own, open: () => new ScriptFolder(own, { main: 'w.lua', endings: ['.lua'], except: join(own, except) }) };
}

it.each([
  ['of another file', 'note.txt'],
  ['of the script', 'w.lua'],
])('the signal ends the waiting right behind a change %s too', async (_, changed) => {
  const { own, open } = folder(`signal-${changed}`);
  using scripts = open();
  const abort = new AbortController();
  const change = scripts.change(abort.signal);
  writeFileSync(join(own, changed), 'x');
  await setTimeout(20);
  abort.abort();
  expect(await change).toBeUndefined();
});

it('modules behind a link are looked at, the data folder behind one is not, and no circle is without end', async () => {
  const { own, open } = folder('links', 'data');
  const elsewhere = mkdtempSync(join(root, 'elsewhere-'));
  for (const name of ['modules', 'kept']) {
    mkdirSync(join(elsewhere, name));
    writeFileSync(join(elsewhere, name, 'm.lua'), '');
  }
  symlinkSync(join(elsewhere, 'modules'), join(own, 'parts'));
  symlinkSync(join(elsewhere, 'kept'), join(own, 'data'));
  symlinkSync(own, join(own, 'circle'));
  symlinkSync('nowhere', join(own, 'broken'));
  using scripts = open();
  const { signal } = new AbortController();
  const change = scripts.change(signal);
  writeFileSync(join(elsewhere, 'kept/m.lua'), 'x');
  writeFileSync(join(elsewhere, 'modules/m.lua'), 'x');
  expect(await change).toBe('parts/m.lua');
});

it('a folder that has gone is told in one sentence', async () => {
  const { own, open } = folder('gone');
  using scripts = open();
  const change = scripts.change(new AbortController().signal);
  rmSync(own, { recursive: true });
  await expect(change).rejects.toMatchObject({ code: 'NOT_FOUND', message: `${own}: the folder of the script cannot be watched (ENOENT)` });
});

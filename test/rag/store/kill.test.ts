import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FAILPOINTS, killOnce, problemsAfter } from './kill.ts';

const folders: string[] = [];
const folder = () => folders[folders.push(mkdtempSync(join(tmpdir(), 'llmspell-kill-'))) - 1] as string;
afterAll(() => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

describe.concurrent('kill -9 of a process that ingests', { timeout: 300_000 }, () => {
  it('between any two steps leaves rows, full text, vectors and index in agreement', async () => {
    const dataDir = folder();
    for (const at of FAILPOINTS) {
      const index = at === 'rows' || at === 'built' || at === 'published';
      expect([at, await problemsAfter(dataDir, await killOnce(dataDir, { at }), index)]).toEqual([at, []]);
    }
  });

  it('at any moment does so too', async () => {
    const dataDir = folder();
    for (let kill = 0; kill < 2; kill++) expect(await problemsAfter(dataDir, await killOnce(dataDir, {}), kill === 1)).toEqual([]);
  });

  it('is noticed by this test where the full text is not in the transaction', async () => {
    const dataDir = folder();
    const problems = await problemsAfter(dataDir, await killOnce(dataDir, { at: 'text', sabotaged: true }));
    expect(problems.join('\n')).toContain('the full text does not agree with the chunks');
  });
});

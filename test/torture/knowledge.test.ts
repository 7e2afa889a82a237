import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAILPOINTS, killOnce, problemsAfter } from '../rag/store/kill.ts';

it('500 kills of a process that ingests leave everything in agreement', async () => {
  for (let round = 0; round < 50; round++) {
    const dataDir = mkdtempSync(join(tmpdir(), 'llmspell-torture-'));
    for (const at of [...FAILPOINTS, undefined]) expect([round, at, await problemsAfter(dataDir, await killOnce(dataDir, { at }))]).toEqual([round, at, []]);
    rmSync(dataDir, { recursive: true, force: true });
    console.log(`${(round + 1) * (FAILPOINTS.length + 1)} kills`);
  }
});

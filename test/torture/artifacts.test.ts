import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { killAtRandom, problems } from '../support/artifact-kill.ts';

it('300 kills in the middle of artifacts leave none half stored and lose none', async () => {
  const root = mkdtempSync(join(tmpdir(), 'llmspell-kill-'));
  for (let round = 0; round < 15; round++) {
    const folder = join(root, String(round));
    const told: string[] = [];
    for (let i = 0; i < 20; i++) told.push(...(await killAtRandom(folder)));
    expect(await problems(folder, told)).toEqual([]);
    rmSync(folder, { recursive: true, force: true });
  }
  rmSync(root, { recursive: true, force: true });
});

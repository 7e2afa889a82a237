import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { killAtRandom, problems } from '../support/artifact-kill.ts';

const root = mkdtempSync(join(tmpdir(), 'llmspell-kill-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.concurrent('kill -9 in the middle of artifacts', () => {
  it('leaves none half stored, loses none that was told, and leaves nothing behind', { timeout: 300_000 }, async () => {
    const folder = join(root, 'data');
    const told: string[] = [];
    for (let i = 0; i < 4; i++) told.push(...(await killAtRandom(folder)));
    expect(told.length).toBeGreaterThan(4);
    expect(await problems(folder, told)).toEqual([]);
  });

  it('is noticed by this test where a file is named before it is whole', { timeout: 300_000 }, async () => {
    const folder = join(root, 'sabotaged');
    let found: string[] = [];
    for (let i = 0; i < 30 && found.length === 0; i++) found = await problems(folder, await killAtRandom(folder, true));
    expect(found.some((one) => one.startsWith('half'))).toBe(true);
  });
});

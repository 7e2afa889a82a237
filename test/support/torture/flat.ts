import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Language } from '../../../src/call/context.ts';

const KILL_MANY = fileURLToPath(new URL('./kill-many.ts', import.meta.url));

/**
 * What a process of its own grows by from so many kills of a run, with a suspended fiber and one that computes, to as many more, MB. Half as many go
 * before; for a control each kill may leave some bytes behind.
 */
export async function grownBy(language: Language, kills: number, leaves = 0): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [KILL_MANY, language, String(kills), String(leaves)]);
  return Number(stdout);
}

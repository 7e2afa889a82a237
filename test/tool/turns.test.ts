import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testRuntime } from '../support/runtime.ts';
import { turnsDuring } from '../support/turns.ts';
import { workspace } from '../support/workspace.ts';

const FILES = 3_000;
const SIZE = 8 * 2 ** 20;
const space = workspace();
let runs: Awaited<ReturnType<typeof testRuntime>>;
beforeAll(async () => {
  runs = await testRuntime();
  for (const folder of ['many', 'few']) mkdirSync(join(space.inside, folder));
  writeFileSync(join(space.inside, 'few', 'a.txt'), '');
  for (let i = 0; i < FILES; i++) writeFileSync(join(space.inside, 'many', `${i}.txt`), '');
});
afterAll(async () => {
  space[Symbol.dispose]();
  await runs[Symbol.asyncDispose]();
});

/** Inputs that cost little and much. */
const WORK: Readonly<Record<string, readonly [tool: string, little: Record<string, unknown>, much: Record<string, unknown>]>> = {
  'a folder is listed': ['file_list', { path: 'few' }, { path: 'many', limit: 5 }],
  'bytes are hashed': ['hash', { data: 'abc' }, { data: new Uint8Array(SIZE) }],
};

describe('others have their turns', () => {
  it.each(Object.entries(WORK))('while %s', async (_, [tool, little, much]) => {
    await space.tool(tool, little);
    const { turns: few } = await turnsDuring(() => space.tool(tool, little));
    expect((await turnsDuring(() => space.tool(tool, much))).turns).toBeGreaterThan(few + 1);
  });
});

/** Each gives the hash of a long text and how many files there are. */
const SCRIPTS = {
  lua: `return {Tool.execute("hash", {data = string.rep("ab\\u{e4}", 300000)}).hash, #Tool.execute("file_list", {path = "many", limit = 5000}).entries}`,
  javascript: `return [Tool.execute("hash", {data: "abä".repeat(300000)}).hash, Tool.execute("file_list", {path: "many", limit: 5000}).entries.length]`,
} as const;

it.each(['lua', 'javascript'] as const)('what is done in several turns is whole in %s', async (language) => {
  const grants = { ...runs.grants, read: [space.inside] };
  const { value } = await runs.runtime.execute(SCRIPTS[language], { language, grants });
  expect(value).toEqual([createHash('sha256').update('abä'.repeat(300_000)).digest('hex'), FILES]);
});

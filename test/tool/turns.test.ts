import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sourcesOf } from '../../src/rag/sources.ts';
import { testRun } from '../support/run.ts';
import { testRuntime } from '../support/runtime.ts';
import { turnsDuring } from '../support/turns.ts';
import { workspace } from '../support/workspace.ts';

const FILES = 3_000;
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

it('others have their turns while a folder is listed', async () => {
  const list = (input: Record<string, unknown>) => turnsDuring(() => space.tool('file_list', input));
  await list({ path: 'few' });
  const { turns: few } = await list({ path: 'few' });
  expect((await list({ path: 'many', limit: 5 })).turns).toBeGreaterThan(few + 1);
});

it('others have their turns while much is hashed, and the hash is that of the whole', async () => {
  const data = new Uint8Array(15 * 2 ** 20).map((_, i) => i % 251);
  const hash = (bytes: Uint8Array) => turnsDuring(() => space.tool('hash', { data: bytes }));
  const { turns: few } = await hash(data.subarray(0, 10));
  const { result, turns } = await hash(data);
  expect(result).toMatchObject({ hash: createHash('sha256').update(data).digest('hex') });
  expect(turns).toBeGreaterThan(few + 1);
});

it('a text is hashed in pieces as its bytes', async () => {
  const text = 'ä😀 and more'.repeat(200_000);
  expect(await space.tool('hash', { data: text })).toMatchObject({ hash: createHash('sha256').update(text).digest('hex') });
});

it('others have their turns while the documents of a folder are looked for', async () => {
  const { run, context } = testRun({ grants: { read: [space.inside] } });
  const find = (folder: string) => turnsDuring(() => sourcesOf(context, { file_path: join(space.inside, folder), metadata: {} }));
  const { turns: few } = await find('few');
  const { result, turns } = await find('many');
  expect(result).toHaveLength(FILES);
  expect(turns).toBeGreaterThan(few + 1);
  await run[Symbol.asyncDispose]();
});

/** Each tells how many files there are. */
const SCRIPTS = {
  lua: 'return #Tool.execute("file_list", {path = "many", limit = 5000}).entries',
  javascript: 'return Tool.execute("file_list", {path: "many", limit: 5000}).entries.length',
} as const;

it.each(['lua', 'javascript'] as const)('what is done in several turns is whole in %s', async (language) => {
  const grants = { ...runs.grants, read: [space.inside] };
  const { value } = await runs.runtime.execute(SCRIPTS[language], { language, grants });
  expect(value).toBe(FILES);
});

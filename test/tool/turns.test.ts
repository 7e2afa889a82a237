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
  'Base64 is written': ['base64', { operation: 'encode', data: 'abc' }, { operation: 'encode', data: new Uint8Array(SIZE) }],
  'Base64 is read': ['base64', { operation: 'decode', data: 'YWJj' }, { operation: 'decode', data: new Uint8Array(SIZE).fill(65) }],
};

describe('others have their turns', () => {
  it.each(Object.entries(WORK))('while %s', async (_, [tool, little, much]) => {
    await space.tool(tool, little);
    const { turns: few } = await turnsDuring(() => space.tool(tool, little));
    expect((await turnsDuring(() => space.tool(tool, much))).turns).toBeGreaterThan(few + 1);
  });
});

/** Each gives the hash of a long text, how many letters its Base64 has, what comes back of it, and how many files there are. */
const SCRIPTS = {
  lua: `local t = string.rep("ab\\u{e4}", 300000)
local packed = Tool.execute("base64", {operation = "encode", data = t}).data
return {Tool.execute("hash", {data = t}).hash, #packed, Tool.execute("base64", {operation = "decode", data = packed:gsub(("."):rep(76), "%0\\n")}).data == t, #Tool.execute("file_list", {path = "many", limit = 5000}).entries}`,
  javascript: `const t = "abä".repeat(300000)
const packed = Tool.execute("base64", {operation: "encode", data: t}).data
return [Tool.execute("hash", {data: t}).hash, packed.length, Tool.execute("base64", {operation: "decode", data: packed.replaceAll(/.{76}/g, "$&\\n")}).data === t, Tool.execute("file_list", {path: "many", limit: 5000}).entries.length]`,
} as const;

it.each(['lua', 'javascript'] as const)('what is done in several turns is whole in %s', async (language) => {
  const grants = { ...runs.grants, read: [space.inside] };
  const { value } = await runs.runtime.execute(SCRIPTS[language], { language, grants });
  expect(value).toEqual([createHash('sha256').update('abä'.repeat(300_000)).digest('hex'), 1_600_000, true, FILES]);
});

it.each(['Y', 'YWJj*', 'YW=Jj', '====', `${'A'.repeat(400_000)}=`.padEnd(500_000, 'A')])(
  'Base64 that is none is refused, wherever it stops to be one: %.8s…',
  async (data) => {
    expect(await space.refusal('base64', { operation: 'decode', data })).toMatchObject({ code: 'BAD_ARGUMENT', message: 'base64: data: expected Base64 text' });
  },
);

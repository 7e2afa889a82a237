import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  const hash = (bytes: Uint8Array) => turnsDuring(() => space.tool('hash', { data: bytes, algorithm: 'md5' }));
  await hash(data.subarray(0, 10));
  const { turns: few } = await hash(data.subarray(0, 10));
  const { result, turns } = await hash(data);
  expect(result).toMatchObject({ hash: createHash('md5').update(data).digest('hex') });
  expect(turns).toBeGreaterThan(few + 1);
});

it('others have their turns while a long key of an HMAC is hashed', async () => {
  const sign = (algorithm: string, size: number) => {
    const key = new Uint8Array(size).map((_, i) => i % 251);
    return { signed: turnsDuring(() => space.tool('hash', { data: 'a', key, algorithm })), hash: createHmac(algorithm, key).update('a').digest('hex') };
  };
  for (const algorithm of ['md5', 'sha256', 'sha512'])
    for (const size of [64, 65, 128, 129, 1_000]) {
      const { signed, hash } = sign(algorithm, size);
      expect((await signed).result).toMatchObject({ hash });
    }
  const { turns: few } = await sign('md5', 10).signed;
  const { signed, hash } = sign('md5', 15 * 2 ** 20);
  const { result, turns } = await signed;
  expect(result).toMatchObject({ hash });
  expect(turns).toBeGreaterThan(few + 1);
});

it('a text is hashed in pieces as its bytes', async () => {
  const text = 'ä😀 and more'.repeat(200_000);
  expect(await space.tool('hash', { data: text })).toMatchObject({ hash: createHash('sha256').update(text).digest('hex') });
});

describe('long Base64', () => {
  const decode = (data: string) => turnsDuring(() => space.tool('base64', { operation: 'decode', data }));

  it('is decoded in pieces, wherever these end, and leaves others their turns', async () => {
    for (const size of [2 ** 16, 2 ** 18 + 1, 2 ** 20 + 2]) {
      const plain = Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 9)) % 256);
      const text = Buffer.from(plain).toString('base64');
      for (const given of [text, text.replaceAll(/.{76}/g, '$&\r\n'), text.replace(/=+$/, '')]) {
        const { data } = (await decode(given)).result as { data: Uint8Array };
        expect(Buffer.compare(data, plain)).toBe(0);
      }
    }
    const { turns: few } = await decode('aGVsbG8=');
    expect((await decode('aGVs'.repeat(3 * 2 ** 20))).turns).toBeGreaterThan(few + 1);
  });

  it.each([
    ['padding in the middle', `${'aGVs'.repeat(2 ** 15)}aA==${'aGVs'.repeat(2 ** 15)}`],
    ['another character', `${'aGVs'.repeat(2 ** 15)}$$$$${'aGVs'.repeat(2 ** 15)}`],
    ['one character too many', `${'aGVs'.repeat(2 ** 15)}a`],
    ['too much padding', `${'aGVs'.repeat(2 ** 15)}aG===`],
  ])('is refused with %s', async (_, data) => {
    await expect(decode(data)).rejects.toThrow('base64: data: expected Base64 text');
  });
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

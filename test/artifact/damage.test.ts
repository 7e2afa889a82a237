import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { deleteArtifact, queryArtifacts, storeArtifact } from '../../src/artifact/artifact.ts';
import { storeFile } from '../../src/artifact/file.ts';
import { readArtifact, streamArtifact } from '../../src/artifact/read.ts';
import { HostContainer } from '../../src/call/run.ts';
import { parseConfig } from '../../src/config/config.ts';
import { createSession } from '../../src/session/session.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { testHost, testRun } from '../support/run.ts';

const text = Buffer.from('some text '.repeat(30_000));
const noise = randomBytes(200_000);

async function stored(content: Uint8Array) {
  const host = testHost();
  const { context } = testRun({ host });
  const { id } = await createSession(context, {});
  const info = await storeArtifact(context, { session_id: id, type: 't', name: 'mine' }, content);
  const folder = tenantFolder(host.dataDir, 'default');
  const files = () =>
    existsSync(join(folder, 'blobs'))
      ? readdirSync(join(folder, 'blobs'), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [];
  return {
    host,
    context,
    info,
    folder,
    files,
    file: files()[0] ?? '',
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      rmSync(host.dataDir, { recursive: true, force: true });
    },
  };
}

const DAMAGED = { code: 'STORE_FAILED', message: 'the content of the artifact mine is damaged on disk (its checksum does not hold)' };

describe('content on disk', () => {
  it('is compressed where that helps, inline up to 64 kB and else in a file', async () => {
    await using small = await stored(Buffer.alloc(65_536, 'x'));
    expect(small.files()).toEqual([]);
    await using compressible = await stored(text);
    expect(statSync(compressible.file).size).toBeLessThan(5_000);
    await using incompressible = await stored(noise);
    expect(readFileSync(incompressible.file).equals(noise)).toBe(true);
    expect(Buffer.from(await readArtifact(compressible.context, compressible.info)).equals(text)).toBe(true);
  });

  it('is stored once, and goes with the last artifact', async () => {
    await using one = await stored(noise);
    const { context, info, files } = one;
    const again = await storeArtifact(context, { session_id: info.session_id, type: 't', name: 'again' }, noise);
    expect(files()).toEqual([one.file]);
    await deleteArtifact(context, info.session_id, info.id);
    expect(files()).toEqual([one.file]);
    await deleteArtifact(context, info.session_id, again.id);
    expect(files()).toEqual([]);
  });

  it.each([
    ['a flipped bit in a plain file', noise],
    ['a flipped bit in a compressed file', text],
  ])('%s is an error that names the artifact, never wrong bytes', async (_, content) => {
    await using one = await stored(content);
    const bytes = readFileSync(one.file);
    for (const at of [0, 4, bytes.length >> 1, bytes.length - 1]) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      writeFileSync(one.file, flipped);
      const outcome = await Promise.resolve(readArtifact(one.context, one.info)).then(
        (read) => Buffer.from(read).equals(content),
        (error) => error,
      );
      // A bit that the decompressor ignores does no harm.
      if (outcome !== true) expect(outcome).toMatchObject(DAMAGED);
      if (content === noise || at === bytes.length >> 1) expect(outcome).not.toBe(true);
    }
    const pieces: Uint8Array[] = [];
    const stream = async () => {
      for await (const piece of streamArtifact(one.context, one.info)) pieces.push(piece);
    };
    const middle = bytes.length >> 1;
    writeFileSync(one.file, Buffer.concat([bytes.subarray(0, middle), Buffer.from([(bytes[middle] ?? 0) ^ 255]), bytes.subarray(middle + 1)]));
    await expect(stream()).rejects.toMatchObject(DAMAGED);
    expect(pieces).toEqual([]);
  });

  it('a file that is cut, longer or gone is one too', async () => {
    await using one = await stored(noise);
    writeFileSync(one.file, Buffer.concat([noise, Buffer.from('x')]));
    await expect(readArtifact(one.context, one.info)).rejects.toMatchObject(DAMAGED);
    truncateSync(one.file, 1_000);
    await expect(readArtifact(one.context, one.info)).rejects.toMatchObject(DAMAGED);
    rmSync(one.file);
    await expect(readArtifact(one.context, one.info)).rejects.toMatchObject(DAMAGED);
    // The control: what was written comes back.
    mkdirSync(join(one.file, '..'), { recursive: true });
    writeFileSync(one.file, noise);
    expect(Buffer.from(await readArtifact(one.context, one.info)).equals(noise)).toBe(true);
  });

  it.each([
    ['plain', randomBytes(100)],
    ['compressed', Buffer.from('x'.repeat(1_000))],
  ])('a changed record is one too: %s', async (_, content) => {
    await using one = await stored(content);
    const db = new DatabaseSync(join(one.folder, 'state.db'));
    const data = (db.prepare('SELECT data FROM blobs').get() as { data: Uint8Array }).data;
    const changed = new Uint8Array(data);
    changed[changed.length - 2] = (changed[changed.length - 2] ?? 0) ^ 1;
    db.prepare('UPDATE blobs SET data = ?').run(changed);
    db.close();
    expect(() => readArtifact(one.context, one.info)).toThrow(DAMAGED.message);
  });

  it('a file that is stored is read piece by piece and has a bound', async () => {
    const host = testHost({ artifacts: { max_size: 30_000_000 } });
    const folder = mkdtempSync(join(tmpdir(), 'llmspell-'));
    const { context } = testRun({ host, grants: { read: [folder] } });
    const { id } = await createSession(context, {});
    const big = randomBytes(20_000_000);
    writeFileSync(join(folder, 'big.bin'), big);
    writeFileSync(join(folder, 'huge.bin'), Buffer.alloc(30_000_001));
    const info = await storeFile(context, id, 'big.bin', 'application/octet-stream');
    expect(() => readArtifact(context, info)).toThrow(
      'test: big.bin has 20000000 bytes, more than the 15728640 that are given at once; give offset and length',
    );
    expect(Buffer.from(await readArtifact(context, info, { offset: 9_999_000, length: 2_000 })).equals(big.subarray(9_999_000, 10_001_000))).toBe(true);
    await expect(storeFile(context, id, 'huge.bin', 't')).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'test: content: expected at most artifacts.max_size = 30000000 bytes, got 30000001',
    });
    await host[Symbol.asyncDispose]();
    for (const path of [folder, host.dataDir]) rmSync(path, { recursive: true, force: true });
  });
});

describe.skipIf(process.platform === 'win32')('a disk that takes no more', () => {
  const WRITER = `
    import { randomBytes } from 'node:crypto';
    import { storeArtifact } from '${new URL('../../src/artifact/artifact.ts', import.meta.url).href}';
    import { HostContainer } from '${new URL('../../src/call/run.ts', import.meta.url).href}';
    import { parseConfig } from '${new URL('../../src/config/config.ts', import.meta.url).href}';
    import { createSession } from '${new URL('../../src/session/session.ts', import.meta.url).href}';
    import { testRun } from '${new URL('../support/run.ts', import.meta.url).href}';
    const host = new HostContainer(parseConfig(), process.argv[2]);
    const { context } = testRun({ host });
    const { id } = await createSession(context, {});
    const store = (name, size) => Promise.resolve(storeArtifact(context, { session_id: id, type: 't', name }, randomBytes(size))).then(() => 'stored', (error) => error.code + ': ' + error.message);
    console.log(JSON.stringify([await store('large', 3_000_000), await store('small', 1_000)]));
    await host[Symbol.asyncDispose]();`;

  it.each([
    [
      'is one clear error and nothing is half written',
      'ulimit -f 1024; ',
      'STORE_FAILED: a file of the data folder would become larger than the system allows; nothing of this call was saved',
      1,
    ],
    ['and is no error where there is room', '', 'stored', 2],
  ])('%s', { timeout: 60_000 }, async (_, limit, outcome, count) => {
    const folder = mkdtempSync(join(tmpdir(), 'llmspell-'));
    const script = join(folder, 'writer.ts');
    writeFileSync(script, WRITER);
    const data = join(folder, 'data');
    const { stdout } = spawnSync('bash', ['-c', `${limit}exec "$0" "$1" "$2"`, process.execPath, script, data], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toEqual([outcome, 'stored']);
    await using host = new HostContainer(parseConfig(), data);
    const { context } = testRun({ host });
    const there = await queryArtifacts(context, {});
    expect(there.length).toBe(count);
    for (const one of there) expect((await readArtifact(context, one)).length).toBe(one.size);
    const blobs = join(tenantFolder(data, 'default'), 'blobs');
    const files = existsSync(blobs) ? readdirSync(blobs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()) : [];
    expect(files.length).toBe(count - 1);
    rmSync(folder, { recursive: true, force: true });
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { encode } from '../../src/call/codec.ts';
import { uncharged } from '../../src/call/cpu.ts';
import { sha256 } from '../../src/call/digest.ts';
import type { Value } from '../../src/call/value.ts';
import { backup, deleteBackup, listBackups, restore, validateBackup } from '../../src/state/backup.ts';
import { load, save } from '../../src/state/state.ts';
import { Database } from '../../src/store/database.ts';
import { backupPath, placeWhole } from '../../src/store/files.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import { SqliteStore } from '../../src/store/sqlite.ts';
import { restoreBackup, stageBackup } from '../../src/store/sqlite-backups.ts';
import { applyWrite } from '../../src/store/sqlite-state.ts';
import type { Store } from '../../src/store/store.ts';
import { testHost, testRun } from '../support/run.ts';

const root = mkdtempSync(join(tmpdir(), 'llmspell-backups-'));
const undo: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const one of undo) await one();
  rmSync(root, { recursive: true, force: true });
});
let folders = 0;
const folder = () => join(root, String(++folders));

const note = (created_at: number) => ({ id: `bak_${created_at}`, created_at });
const writes = (count: number, text: string) => Array.from({ length: count }, (_, at) => ({ scope: 's', key: `k${at}`, put: { value: Buffer.from(text) } }));

describe.each<[string, number, (folder: string) => Store]>([
  ['sqlite', 1_000, (path) => new SqliteStore(path, 'normal')],
  ['memory', 30_000, () => new MemoryStore()],
])('a call that is cancelled: %s', (_, many, open) => {
  it('leaves neither a backup nor what it has restored, nor half of one', async () => {
    const path = folder();
    const store = open(path);
    await store.commit(writes(1_000, 'old'), 0);
    await store.backups.make(note(1));
    const abort = new AbortController();
    const charge = { run: uncharged('test'), signal: abort.signal };
    // What others change meanwhile is waited for.
    const changing = store.commit(writes(many, 'new'), 0);
    const restoring = Promise.resolve(store.backups.restore('bak_1', note(2), charge)).catch(({ code }) => code);
    abort.abort();
    expect([await changing, await restoring]).toEqual([true, 'CANCELLED']);
    await expect((async () => store.backups.make(note(3), charge))()).rejects.toMatchObject({ code: 'CANCELLED' });
    expect([Buffer.from((await store.get('s', 'k0', 0))?.value ?? []).toString(), (await store.usage(0)).entries]).toEqual(['new', many]);
    expect((await store.backups.heads()).map(({ id }) => id)).toEqual(['bak_1']);
    if (existsSync(path)) expect(readdirSync(join(path, 'backups'))).toEqual(['bak_1.backup']);
    store.close();
  });
});

it('a restore puts large values last, for each would be read for many of the small ones that come after it', async () => {
  const path = folder();
  const db = new Database(`${path}.db`, { durability: 'normal' });
  // What a thread may keep, which it needs where large values are there already.
  expect(db.one('PRAGMA cache_size')).toEqual({ cache_size: -32_768 });
  const put = (key: string, size: number) => applyWrite(db, { scope: 's', key, put: { value: new Uint8Array(size) } });
  const sizes: Record<string, number> = { a: 5_000, b: 1, c: 4_097, d: 4_096 };
  for (const [key, size] of Object.entries(sizes)) put(key, size);
  db.read(() => stageBackup(db, path, note(1)));
  placeWhole(backupPath(path, 'bak_1'));
  const keys: unknown[] = [];
  const run = vi.spyOn(db, 'run').mockImplementation((sql, values) => {
    const { key } = values ?? {};
    if (key !== undefined) keys.push(key);
    return Database.prototype.run.call(db, sql, values);
  });
  expect(await restoreBackup(db, path, 'bak_1', note(2))).toBe(true);
  run.mockRestore();
  expect(keys).toEqual(['b', 'd', 'a', 'c']);
  expect(db.all('SELECT key, length(value) AS size FROM state')).toEqual(Object.entries(sizes).map(([key, size]) => ({ key, size })));
  db.close();
});

it('a backup that a thread has begun leaves no file when it is cancelled', async () => {
  const path = folder();
  const store = new SqliteStore(path, 'normal');
  await store.commit(writes(8, 'x'.repeat(1_000_000)), 0);
  for (let round = 1; round <= 3; round++) {
    const abort = new AbortController();
    const making = Promise.resolve(store.backups.make(note(round), { run: uncharged('test'), signal: abort.signal })).catch(({ code }) => code);
    const began = () => existsSync(join(path, 'backups')) && readdirSync(join(path, 'backups')).length > 0;
    while (!began()) await new Promise((done) => setImmediate(done));
    abort.abort();
    await making;
  }
  expect(readdirSync(join(path, 'backups')).filter((name) => !name.endsWith('.backup'))).toEqual([]);
  store.close();
});

it('what processes have left half written goes with the next backup, when it is old', async () => {
  const path = folder();
  const store = new SqliteStore(path, 'normal');
  await store.backups.make(note(1));
  const names = ['bak_2.backup.123.tmp', 'bak_3.backup.124.tmp'];
  for (const name of names) writeFileSync(join(path, 'backups', name), 'half');
  utimesSync(join(path, 'backups', names[0] as string), 1, 1);
  await store.backups.make(note(4));
  expect(readdirSync(join(path, 'backups')).sort()).toEqual(['bak_1.backup', names[1], 'bak_4.backup'].sort());
  store.close();
});

it('backups of many small values are made and restored in a thread, those of few at once', async () => {
  const store = new SqliteStore(folder(), 'normal');
  await store.commit(writes(5, 'x'), 0);
  expect([store.backups.make(note(1)), store.backups.check('bak_1')]).toEqual([undefined, true]);
  await store.commit(writes(400, 'x'), 0);
  const making = store.backups.make(note(2));
  expect(making).toBeInstanceOf(Promise);
  await making;
  expect(await store.clear('s', 0)).toBe(400);
  const restoring = store.backups.restore('bak_2', note(3));
  expect(restoring).toBeInstanceOf(Promise);
  expect([await restoring, (await store.usage(0)).entries]).toEqual([true, 400]);
  expect([store.backups.restore('bak_1', note(4)), store.backups.check('bak_2')]).toEqual([expect.any(Promise), expect.any(Promise)]);
  store.close();
});

/** A State with one value and one backup of it, and its folder of backups. */
async function saved() {
  const host = testHost();
  undo.push(async () => {
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });
  const { context } = testRun({ host });
  await save(context, 'global', 'a', 'now');
  const whole = await backup(context);
  return { context, whole, backups: join(tenantFolder(host.dataDir, 'default'), 'backups') };
}

const ID = 'bak_1700000000000_0123abcd';

/** The bytes of a backup: a right first line with some fields changed, and a body. */
function fileOf(change: object, body: Uint8Array = encode({ meta: {}, entries: [] })): Buffer {
  const line = { format: 'llmspell-backup-1', id: ID, created_at: 1, size_bytes: body.length, entries: 0, sha256: sha256(body), ...change };
  return Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`), body]);
}

const entry = (value: Value) => encode({ meta: {}, entries: [value] });
const CHECKSUM = `the backup ${ID} is damaged (its checksum does not hold); nothing was changed`;
const FORM = `the backup ${ID} is damaged (its content is not that of a backup); nothing was changed`;

describe('a file that is no good backup', () => {
  it('is left out, is not valid and is not restored, and says why', async () => {
    const { context, whole, backups } = await saved();
    const listed = async () => (await listBackups(context)).map(({ id }) => id);
    const damaged: [string, Buffer][] = [
      ['', Buffer.from('{"format":"llmspell-backup-1"}\n')],
      ['', fileOf({ created_at: 'yesterday' })],
      ['', fileOf({ created_at: 1e300 })],
      ['', fileOf({ entries: -1 })],
      ['', fileOf({ size_bytes: undefined })],
      ['', fileOf({ description: 7 })],
      ['', fileOf({}).subarray(0, -1)],
      ['', fileOf({ sha256: 'x' })],
      ['', Buffer.from('null\n')],
      ['', Buffer.from('no line')],
      ['listed', fileOf({ sha256: '0'.repeat(64) })],
    ];
    for (const [isListed, bytes] of damaged) {
      writeFileSync(join(backups, `${ID}.backup`), bytes);
      expect(await listed()).toEqual(isListed ? [whole, ID] : [whole]);
      expect(await validateBackup(context, ID)).toBe(false);
      await expect((async () => restore(context, ID))()).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining(CHECKSUM) });
    }
    const bodies = [
      encode([]),
      encode({ meta: {}, entries: {} }),
      entry(['global', 'a', 'no bytes', null]),
      entry(['global', 'a', new Uint8Array(1)]),
      Buffer.concat([encode({ meta: {}, entries: [] }), Buffer.of(0)]),
      encode({ meta: {}, entries: [] }).subarray(0, -1),
      // An array of 2^63 entries, and a text as long.
      Buffer.concat([encode({ meta: {}, entries: [] }).subarray(0, -1), Buffer.from('9b8000000000000000', 'hex')]),
      Buffer.concat([encode({ meta: {}, entries: [] }).subarray(0, -1), Buffer.from('81847b8000000000000000', 'hex')]),
      Buffer.concat([encode({ meta: {}, entries: [] }).subarray(0, -1), Buffer.of(0x9f)]),
    ];
    for (const body of bodies) {
      writeFileSync(join(backups, `${ID}.backup`), fileOf({}, body));
      expect(await validateBackup(context, ID)).toBe(false);
      await expect((async () => restore(context, ID))()).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining(FORM) });
    }
    expect([await load(context, 'global', 'a'), readdirSync(backups).length]).toEqual(['now', 2]);
    writeFileSync(join(backups, `${ID}.backup`), fileOf({}));
    expect([await listed(), await validateBackup(context, ID)]).toEqual([[whole, ID], true]);
  });

  it('is told of as one of a newer version where it is that', async () => {
    const { context, whole, backups } = await saved();
    writeFileSync(join(backups, `${ID}.backup`), fileOf({ format: 'llmspell-backup-2', more: true }));
    const said = {
      code: 'STORE_FAILED',
      message: expect.stringContaining(`the backup ${ID} was made by a newer llmspell (this one knows format 1): update llmspell`),
    };
    await expect((async () => restore(context, ID))()).rejects.toMatchObject(said);
    await expect((async () => validateBackup(context, ID))()).rejects.toMatchObject(said);
    expect((await listBackups(context)).map(({ id }) => id)).toEqual([whole]);
  });

  it.skipIf(process.platform === 'win32').each(['folder', 'pipe'])('counts as none where it is a %s', async (kind) => {
    const { context, whole, backups } = await saved();
    const path = join(backups, `${ID}.backup`);
    if (kind === 'folder') mkdirSync(path);
    else execFileSync('mkfifo', [path]);
    expect((await listBackups(context)).map(({ id }) => id)).toEqual([whole]);
    for (const work of [validateBackup, restore]) await expect((async () => work(context, ID))()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await deleteBackup(context, ID)).toBe(kind === 'pipe');
    expect(readFileSync(join(backups, `${whole}.backup`)).length).toBeGreaterThan(0);
  });
});

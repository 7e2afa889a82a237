import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { uncharged } from '../../src/call/cpu.ts';
import { Kept } from '../../src/call/kept.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import { SqliteStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { Stores } from '../../src/store/stores.ts';

const root = mkdtempSync(join(tmpdir(), 'llmspell-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(root, String(++folders));
const bytes = (text: string) => new TextEncoder().encode(text);
const put = (scope: string, key: string, text: string, expect?: number, expiresAt?: number) => ({ scope, key, expect, put: { value: bytes(text), expiresAt } });

const note = (created_at: number) => ({ id: `bak_${created_at}`, created_at });

describe.each<[string, () => Store]>([
  ['sqlite', () => new SqliteStore(folder(), 'normal')],
  ['memory', () => new MemoryStore()],
])('the contract of stores: %s', (_, open) => {
  it('keeps, lists, counts and removes', async () => {
    const store = open();
    for (const key of ['b', 'a', 'a2', 'é', 'z']) await store.commit([put('s', key, key)], 0);
    await store.commit([put('t', 'x', '1')], 0);
    expect(Buffer.from((await store.get('s', 'a', 0))?.value ?? []).toString()).toBe('a');
    expect(await store.list('s', {}, 0)).toEqual(['a', 'a2', 'b', 'z', 'é']);
    expect(await store.list('s', { prefix: 'a' }, 0)).toEqual(['a', 'a2']);
    expect(await store.list('s', { prefix: '%' }, 0)).toEqual([]);
    expect(await store.list('s', { after: 'a2', limit: 2 }, 0)).toEqual(['b', 'z']);
    expect(await store.scopes(0)).toEqual(['s', 't']);
    expect(await store.usage(0)).toEqual({ entries: 6, scopes: 2, bytes: 22 });
    await store.commit([{ scope: 's', key: 'b', remove: true }], 0);
    expect(await store.get('s', 'b', 0)).toBeUndefined();
    expect(await store.clear('s', 0)).toBe(4);
    expect(await store.scopes(0)).toEqual(['t']);
    store.close();
  });

  it('lists no more than may be kept, which counts until the list is made', async () => {
    const store = open();
    const keys = Array.from({ length: 1_500 }, (_, at) => String(at).padStart(900, '0'));
    await store.commit(
      keys.map((key) => put('s', key, '')),
      0,
    );
    await store.commit([put('t', 'k', '')], 0);
    expect(await store.list('s', { bytes: 9_000 }, 0)).toEqual(keys.slice(0, 11));
    const kept = new Kept(1);
    kept.count('State.test', 3 * 2 ** 20);
    const charge = { run: { ...uncharged('test'), kept }, method: 'State.list_keys' };
    const message = 'State.list_keys: what the run keeps beside its script comes to more than 4 times limits.memory_mb = 1 MB';
    for (let i = 0; i < 3; i++) {
      await expect((async () => store.list('s', {}, 0, charge))()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message });
      expect((await store.list('s', { limit: 1_000 }, 0, charge)).length).toBe(1_000);
    }
    kept.count('State.test', 2 ** 20);
    await expect((async () => store.scopes(0, charge))()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message });
    kept.release(2 ** 20);
    expect(await store.scopes(0, charge)).toEqual(['s', 't']);
    store.close();
  });

  it('commits all or nothing, by revision', async () => {
    const store = open();
    await store.commit([put('s', 'a', '1')], 0);
    const revision = (await store.get('s', 'a', 0))?.revision ?? 0;
    expect(await store.commit([put('s', 'a', '2', revision), put('s', 'b', '2', 0)], 0)).toBe(true);
    expect(await store.commit([put('s', 'c', '3', 0), put('s', 'a', '3', revision)], 0)).toBe(false);
    expect(await store.commit([put('s', 'c', '3', 0), { scope: 's', key: 'b', expect: 0 }], 0)).toBe(false);
    expect(await store.get('s', 'c', 0)).toBeUndefined();
    expect(await store.commit([], 0, { meta: [{ name: 'v', value: '2', expect: '' }] })).toBe(true);
    expect(await store.commit([put('s', 'c', '3')], 0, { meta: [{ name: 'v', value: '3', expect: '1' }] })).toBe(false);
    expect([await store.meta('v'), await store.get('s', 'c', 0)]).toEqual(['2', undefined]);
    store.close();
  });

  it('keeps large values whole, all or nothing as small ones', async () => {
    const store = open();
    const large = (fill: number) => ({ value: new Uint8Array(2 ** 21).fill(fill), expiresAt: undefined });
    expect(await store.commit([{ scope: 's', key: 'a', put: large(1) }, put('s', 'b', '1')], 0)).toBe(true);
    const { value, revision = 0 } = (await store.get('s', 'a', 0)) ?? {};
    expect(Buffer.compare(value ?? bytes(''), large(1).value)).toBe(0);
    expect(await store.commit([{ scope: 's', key: 'a', put: large(2), expect: revision + 1 }, put('s', 'b', '2')], 0)).toBe(false);
    expect(Buffer.from((await store.get('s', 'b', 0))?.value ?? []).toString()).toBe('1');
    expect(await store.commit([{ scope: 's', key: 'a', put: large(2), expect: revision }, put('s', 'b', '2')], 0)).toBe(true);
    expect(Buffer.compare((await store.get('s', 'a', 0))?.value ?? bytes(''), large(2).value)).toBe(0);
    expect(await store.get('s', 'a', 0)).toMatchObject({ expiresAt: undefined });
    store.close();
  });

  it('forgets what has expired', async () => {
    const store = open();
    await store.commit([put('s', 'a', '1', undefined, 100), put('s', 'b', '1', undefined, 200)], 0);
    expect(await store.list('s', {}, 99)).toEqual(['a', 'b']);
    expect(await store.list('s', {}, 100)).toEqual(['b']);
    expect(await store.commit([put('s', 'a', '2', 0)], 150)).toBe(true);
    expect((await store.usage(300)).entries).toBe(1);
    store.close();
  });

  it('replaces everything by a backup, and makes one of what was there', async () => {
    const store = open();
    await store.commit([put('s', 'a', '1', undefined, 500)], 0, { meta: [{ name: 'v', value: '7' }] });
    await store.backups.make(note(1), undefined);
    await store.clear('s', 0);
    await store.commit([put('s', 'b', '2')], 0, { meta: [{ name: 'v', value: '8' }] });
    expect([await store.backups.check('bak_1'), await store.backups.check('bak_2')]).toEqual([true, undefined]);
    expect([await store.backups.restore('bak_1', note(2)), await store.backups.restore('bak_9', note(3))]).toEqual([true, undefined]);
    expect([await store.list('s', {}, 0), await store.list('s', {}, 500), await store.meta('v')]).toEqual([['a'], [], '7']);
    expect((await store.backups.heads()).map(({ id, entries }) => [id, entries]).sort()).toEqual([
      ['bak_1', 1],
      ['bak_2', 1],
    ]);
    await store.backups.restore('bak_2', note(4));
    expect([await store.list('s', {}, 0), await store.meta('v')]).toEqual([['b'], '8']);
    expect([store.backups.remove('bak_2'), store.backups.remove('bak_2')]).toEqual([true, false]);
    store.close();
  });
});

describe('a data folder', () => {
  it('is shared by two stores at once', async () => {
    const path = folder();
    const [one, two] = [new SqliteStore(path, 'normal'), new SqliteStore(path, 'normal')];
    for (let i = 0; i < 50; i++) await Promise.all([one.commit([put('s', `one${i}`, 'x')], 0), two.commit([put('s', `two${i}`, 'x')], 0)]);
    expect((await one.list('s', {}, 0)).length).toBe(100);
    one.close();
    two.close();
  });

  it('that another process holds is waited for without blocking, then told in one sentence', async () => {
    const path = folder();
    const store = new SqliteStore(path, 'normal');
    const other = new DatabaseSync(join(path, 'state.db'));
    other.exec('BEGIN IMMEDIATE');
    const writing = store.commit([put('s', 'a', '1')], 0);
    expect(writing).toBeInstanceOf(Promise);
    setTimeout(() => other.exec('COMMIT'), 50);
    expect(await writing).toBe(true);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.commit([put('s', 'a', '2')], 0)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: 'another process is writing to the data folder and does not let go',
    });
    other.exec('ROLLBACK');
    expect(Buffer.from((await store.get('s', 'a', 0))?.value ?? []).toString()).toBe('1');
    other.close();
    store.close();
  });

  it.skipIf(process.getuid?.() === 0)('that may not be written is told in one sentence', () => {
    const path = folder();
    new SqliteStore(path, 'normal').close();
    chmodSync(path, 0o500);
    expect(() => new SqliteStore(join(path, 'below'), 'normal')).toThrow('permission denied');
    chmodSync(path, 0o700);
  });

  it('on a full disk loses nothing of what was there', async () => {
    const path = folder();
    const store = new SqliteStore(path, 'normal');
    await store.commit([put('s', 'a', 'kept')], 0);
    store.close();
    const full = new SqliteStore(path, 'normal', { most_pages: 40 });
    const big = put('s', 'big', 'x'.repeat(200_000));
    expect(() => full.commit([big, put('s', 'a', 'lost')], 0)).toThrow('the disk is full; nothing of this call was saved');
    expect(Buffer.from((await full.get('s', 'a', 0))?.value ?? []).toString()).toBe('kept');
    expect(await full.list('s', {}, 0)).toEqual(['a']);
    full.close();
  });

  it('does not grow by what has expired, whatever is saved alone or with others', async () => {
    const path = folder();
    const store = new SqliteStore(path, 'normal');
    const value = 'x'.repeat(20_000);
    for (let at = 0; at < 60; at++) await store.commit([put('s', `k${at}`, value, undefined, at + 1)], at);
    for (let at = 60; at < 80; at++)
      await store.commit(
        Array.from({ length: 5 }, (_, i) => put('s', `k${at}-${i}`, value, undefined, at + 1)),
        at,
      );
    await store.commit([put('s', 'last', value)], 100);
    expect([await store.list('s', {}, 0), await store.list('s', {}, 101)]).toEqual([['last'], ['last']]);
    store.close();
    // All of it would be 3.2 MB.
    expect(statSync(join(path, 'state.db')).size).toBeLessThan(600_000);
  });

  it.each([
    ['alone', 1, 400_000],
    ['with others', 5, 80_000],
    ['in a thread', 400, 400],
  ])('that is full of what has expired has room for what is saved %s', async (_, count, size) => {
    const store = new SqliteStore(folder(), 'normal', { max_bytes: 2_000_000 });
    const save = (name: string, now: number, expiresAt?: number) =>
      store.commit(
        Array.from({ length: count }, (_, at) => put(name, `k${at}`, 'x'.repeat(size), undefined, expiresAt)),
        now,
      );
    let saved = 0;
    await expect(
      (async () => {
        for (; ; saved++) await save(`s${saved}`, 0, 100);
      })(),
    ).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(saved).toBeGreaterThan(2);
    for (let i = 0; i < saved; i++) expect(await save(`t${i}`, 100)).toBe(true);
    await expect((async () => save('u', 100))()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect((await store.usage(0)).entries).toBe(saved * count);
    store.close();
  });

  it('has room for a session where values have expired', async () => {
    const store = new SqliteStore(folder(), 'normal', { max_bytes: 1_000_000 });
    const fill = async () => {
      for (let i = 0; ; i++) await store.commit([put('s', `k${i}`, 'x'.repeat(2_000), undefined, 100)], 0);
    };
    await expect(fill()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    const session = {
      id: 'a',
      name: undefined,
      description: undefined,
      tags: [],
      metadata: bytes('x'.repeat(100_000)),
      forked_from: undefined,
      expires_in: undefined,
    };
    expect(await store.sessions.create(session, { sessions: 10, turns: 10, artifacts: 10, artifact_bytes: 10 }, 0)).toMatchObject({ id: 'a' });
    store.close();
  });

  it('has a short log after large commits', async () => {
    const path = folder();
    const store = new SqliteStore(path, 'normal');
    await store.commit(
      Array.from({ length: 30 }, (_, at) => put('s', `k${at}`, 'x'.repeat(50_000))),
      0,
    );
    expect(statSync(join(path, 'state.db-wal')).size).toBe(0);
    store.close();
  });

  it.skipIf(process.platform === 'win32')('that cannot be opened for want of files is told so', async () => {
    const script = join(root, 'files.ts');
    writeFileSync(
      script,
      `import { openSync, closeSync } from 'node:fs';
import { SqliteStore } from '${new URL('../../src/store/sqlite.ts', import.meta.url).href}';
new SqliteStore(process.argv[2], 'normal').close();
const open = [];
try { for (;;) open.push(openSync(process.execPath, 'r')); } catch {}
for (const left of [0, 1, 2]) {
  try { new SqliteStore(process.argv[2], 'normal'); } catch (error) { process.stdout.write(error.message + '\\n'); }
  closeSync(open.pop());
}`,
    );
    const child = spawn('sh', ['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath, script, folder()], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    for await (const text of child.stdout) told += text;
    expect(told).toBe('the process, or the machine, has too many open files (ulimit -n)\n'.repeat(3));
  });

  it('that is damaged or no folder is told in one sentence', () => {
    const path = folder();
    new SqliteStore(path, 'normal').close();
    writeFileSync(join(path, 'state.db'), Buffer.alloc(4_096, 7));
    expect(() => new SqliteStore(path, 'normal')).toThrow('the database state.db in the data folder is not one of llmspell');
    const file = folder();
    writeFileSync(file, '');
    expect(() => new SqliteStore(join(file, 'x'), 'normal')).toThrow('the data folder is not a folder');
  });

  it('has a folder for each tenant whatever its name, and refuses names that are none', () => {
    const stores = new Stores({ backend: 'sqlite', durability: 'normal', dataDir: root });
    for (const name of ['a', 'A', '.', '..', 'x'.repeat(128)]) expect(stores.of(name)).toBe(stores.of(name));
    for (const name of ['', 'a/b', 'ä', "a'b", 'x'.repeat(129), 'a\0']) expect(() => stores.of(name)).toThrow('tenant: expected 1 to 128 of A-Z a-z 0-9 _ . -');
    expect(readdirSync(join(root, 'tenants')).every((name) => /^[0-9a-f]{32}$/.test(name))).toBe(true);
    stores.close();
  });

  it('closes the databases that were used longest ago', async () => {
    const stores = new Stores({ backend: 'sqlite', durability: 'normal', dataDir: folder() });
    for (let i = 0; i < 100; i++) await stores.of(`t${i}`).commit([put('s', 'a', String(i))], 0);
    for (let i = 0; i < 100; i++) expect(Buffer.from((await stores.of(`t${i}`).get('s', 'a', 0))?.value ?? []).toString()).toBe(String(i));
    stores.close();
  });
});

describe('a database that something is under way of', () => {
  it('is not closed when many others are used, but later', async () => {
    const stores = new Stores({ backend: 'sqlite', durability: 'normal', dataDir: folder() });
    const busy = stores.of('busy');
    const many = Array.from({ length: 301 }, (_, at) => put('s', `k${at}`, 'old'));
    const writing = busy.commit(many, 0);
    const open = () => ['busy', ...Array.from({ length: 70 }, (_, at) => `t${at}`)].filter((tenant) => stores.has(tenant));
    for (let i = 0; i < 70; i++) stores.of(`t${i}`);
    expect([open().length, open()[0], stores.of('busy') === busy]).toEqual([64, 'busy', true]);
    expect([await writing, (await busy.usage(0)).entries]).toEqual([true, 301]);
    for (let i = 0; i < 70; i++) stores.of(`t${i}`);
    expect([open().length, open()[0]]).toEqual([64, 't6']);
    stores.close();
  });

  it('counts among those that are open, which become fewer once it is done', async () => {
    const stores = new Stores({ backend: 'sqlite', durability: 'normal', dataDir: folder() });
    const all = vi.spyOn(SqliteStore.prototype, 'isBusy', 'get').mockReturnValue(true);
    const open = () => Array.from({ length: 70 }, (_, at) => `t${at}`).filter((tenant) => stores.has(tenant)).length;
    for (let i = 0; i < 70; i++) stores.of(`t${i}`);
    expect(open()).toBe(70);
    all.mockRestore();
    stores.of('t0');
    expect(open()).toBe(64);
    stores.close();
  });
});

/** A process that writes pairs, each in one commit or (sabotaged) in two, and tells of every commit it has returned from. */
const WRITER = `
import { SqliteStore } from '${new URL('../../src/store/sqlite.ts', import.meta.url).href}';
const [folder, sabotaged] = process.argv.slice(2);
const store = new SqliteStore(folder, 'normal');
const value = new Uint8Array(300);
for (let i = Number(store.meta('next') ?? 0); ; i++) {
  const write = (key) => ({ scope: 's', key: key + String(i).padStart(7, '0'), put: { value } });
  if (sabotaged) { await store.commit([write('a')], 0); await store.commit([write('b')], 0, { meta: [{ name: 'next', value: String(i + 1) }] }); }
  else await store.commit([write('a'), write('b')], 0, { meta: [{ name: 'next', value: String(i + 1) }] });
  process.stdout.write(i + '\\n');
}`;

const SCRIPT = join(root, 'writer.ts');
writeFileSync(SCRIPT, WRITER);

async function killAtRandom(path: string, sabotaged: boolean): Promise<number> {
  const child = spawn(process.execPath, [SCRIPT, path, ...(sabotaged ? ['yes'] : [])], { stdio: ['ignore', 'pipe', 'ignore'] });
  let told = '';
  child.stdout.on('data', (text) => {
    told += text;
  });
  await new Promise((done) => child.stdout.once('data', done));
  await new Promise((done) => setTimeout(done, Math.random() * 30));
  child.kill('SIGKILL');
  await new Promise((done) => child.once('exit', done));
  return Number(told.trim().split('\n').slice(0, -1).at(-1) ?? -1);
}

/** What is there must be whole, and everything that was told must be there. */
async function problems(path: string, told: number): Promise<string[]> {
  const store = new SqliteStore(path, 'normal');
  const keys = new Set(await store.list('s', {}, 0));
  const halves = [...keys].filter((key) => !keys.has((key[0] === 'a' ? 'b' : 'a') + key.slice(1)));
  const lost = told >= 0 && !keys.has(`b${String(told).padStart(7, '0')}`) ? [`lost ${told}`] : [];
  store.close();
  return [...halves, ...lost];
}

describe.concurrent('kill -9', () => {
  it('leaves nothing half written and loses nothing that was told', { timeout: 60_000 }, async () => {
    const path = folder();
    for (let i = 0; i < 3; i++) expect(await problems(path, await killAtRandom(path, false))).toEqual([]);
  });

  it('is noticed by this test where writing is not atomic', { timeout: 120_000 }, async () => {
    const path = folder();
    let found: string[] = [];
    for (let i = 0; i < 60 && found.length === 0; i++) found = await problems(path, await killAtRandom(path, true));
    expect(found.length).toBeGreaterThan(0);
  });
});

describe('backups', () => {
  it('that were changed on disk are noticed and never restored', async () => {
    const { testRuntime } = await import('../support/runtime.ts');
    await using test = await testRuntime();
    const run = async (lua: string) => (await test.runtime.execute(lua, { language: 'lua', grants: test.grants })).value;
    const id = (await run('State.save("global", "a", "before") return State.backup()')) as string;
    const file = join(tenantFolder(join(test.folder, 'data'), 'default'), 'backups', `${id}.backup`);
    const content = readFileSync(file);
    content[content.length - 3] = (content[content.length - 3] ?? 0) ^ 1;
    writeFileSync(file, content);
    await run('State.save("global", "a", "now")');
    expect(await run(`return State.validate_backup("${id}")`)).toBe(false);
    await expect(run(`State.restore("${id}")`)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('its checksum does not hold); nothing was changed'),
    });
    expect(await run('return State.load("global", "a")')).toBe('now');
  });
});

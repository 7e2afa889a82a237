import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import type { StagedContent } from '../../src/store/artifacts.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { NewSession, Quotas } from '../../src/store/sessions.ts';
import { SqliteStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

const root = mkdtempSync(join(tmpdir(), 'llmspell-sessions-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(root, String(++folders));
const bytes = (text: string) => new TextEncoder().encode(text);
const QUOTAS: Quotas = { sessions: 100, turns: 100, artifacts: 100, artifact_bytes: 1_000_000 };
const HASH = 'ab'.repeat(32);

const session = (id: string, more: Partial<NewSession> = {}): NewSession => ({
  id,
  name: undefined,
  description: undefined,
  tags: [],
  metadata: bytes(''),
  forked_from: undefined,
  expires_in: undefined,
  ...more,
});
const artifact = (session_id: string, id: string, name = 'n') => ({ id, session_id, name, type: 't', metadata: bytes('') });
const inline = (text: string, hash = HASH): StagedContent => ({
  hash,
  size: text.length,
  encoding: 'raw',
  stored: text.length,
  content: { data: bytes(text) },
});

async function inFile(store: Store, text: string, hash = HASH): Promise<StagedContent> {
  async function* pieces() {
    yield bytes(text.slice(0, 3));
    yield bytes(text.slice(3));
  }
  return { hash, size: text.length, encoding: 'raw', stored: text.length, content: await store.blobs.stage(pieces()) };
}

async function textOf(store: Store, file: string): Promise<string> {
  let text = '';
  for await (const piece of store.blobs.read(file)) text += Buffer.from(piece).toString();
  return text;
}

describe.each<[string, () => Store]>([
  ['sqlite', () => new SqliteStore(folder(), 'normal')],
  ['memory', () => new MemoryStore()],
])('the contract of sessions and artifacts: %s', (_, open) => {
  it('makes, finds and lists sessions', async () => {
    const { sessions, close } = bound(open());
    expect(await sessions.create(session('a', { name: 'n', tags: ['x', 'y'] }), QUOTAS, 10)).toMatchObject({
      id: 'a',
      name: 'n',
      status: 'active',
      turns: 0,
      created_at: 10,
    });
    expect(await sessions.create(session('a'), QUOTAS, 11)).toEqual({ refused: 'taken' });
    await sessions.create(session('b', { tags: ['x'] }), QUOTAS, 10);
    expect((await sessions.list({ limit: 9 }, 20)).map(({ id }) => id)).toEqual(['b', 'a']);
    expect((await sessions.list({ limit: 1 }, 20)).map(({ id }) => id)).toEqual(['b']);
    expect((await sessions.list({ tags: ['y', 'x'], limit: 9 }, 20)).map(({ id }) => id)).toEqual(['a']);
    expect((await sessions.list({ status: 'completed', limit: 9 }, 20)).length).toBe(0);
    expect(await sessions.create(session('c'), { ...QUOTAS, sessions: 2 }, 20)).toEqual({ refused: 'full', quota: 'sessions' });
    close();
  });

  it('changes the status only from what it must be', async () => {
    const { sessions, close } = bound(open());
    await sessions.create(session('a'), QUOTAS, 10);
    expect(await sessions.change('a', ['active'], { status: 'suspended' }, 11)).toMatchObject({ status: 'active' });
    expect(await sessions.change('a', ['active'], { status: 'suspended' }, 12)).toEqual({ refused: 'suspended' });
    expect(await sessions.change('z', ['active'], { status: 'suspended' }, 12)).toEqual({ refused: 'absent' });
    await sessions.change('a', ['suspended'], 'saved', 13);
    expect(await sessions.get('a', 14)).toMatchObject({ status: 'suspended', saved_at: 13, updated_at: 13 });
    close();
  });

  it('adds turns all or none, in order', async () => {
    const { sessions, close } = bound(open());
    await sessions.create(session('a'), QUOTAS, 10);
    expect(await sessions.append('a', [bytes('1'), bytes('2')], QUOTAS, 11)).toBe(2);
    expect(await sessions.append('a', [bytes('3')], QUOTAS, 12)).toBe(3);
    expect(await sessions.append('a', [bytes('4'), bytes('5')], { ...QUOTAS, turns: 4 }, 12)).toEqual({ refused: 'full', quota: 'turns' });
    const numbers = async (range: Parameters<typeof sessions.turns>[1]) => (await sessions.turns('a', range)).map(({ number }) => number);
    expect([
      await numbers({}),
      await numbers({ last: 2 }),
      await numbers({ last: 0 }),
      await numbers({ after: 1 }),
      await numbers({ after: 1, limit: 1 }),
    ]).toEqual([[1, 2, 3], [2, 3], [], [2, 3], [2]]);
    await sessions.change('a', ['active'], { status: 'completed' }, 13);
    expect(await sessions.append('a', [bytes('4')], QUOTAS, 14)).toEqual({ refused: 'completed' });
    expect(await sessions.append('z', [bytes('4')], QUOTAS, 14)).toEqual({ refused: 'absent' });
    close();
  });

  it('forgets what has expired, and every change puts that off', async () => {
    const store = open();
    const { sessions, artifacts } = store;
    await sessions.create(session('a', { expires_in: 100 }), QUOTAS, 0);
    await sessions.append('a', [bytes('1')], QUOTAS, 50);
    await artifacts.add(artifact('a', 'art1'), inline('x'), QUOTAS, 99);
    expect(await sessions.get('a', 198)).toMatchObject({ expires_at: 199 });
    expect([await sessions.get('a', 199), await artifacts.query({ limit: 9 }, 199), await artifacts.find('a', { id: 'art1' }, 199)]).toEqual([
      undefined,
      [],
      undefined,
    ]);
    expect(await sessions.append('a', [bytes('1')], QUOTAS, 199)).toEqual({ refused: 'absent' });
    await sessions.create(session('a'), QUOTAS, 300);
    expect([await sessions.turns('a', {}), await artifacts.content(HASH)]).toEqual([[], undefined]);
    store.close();
  });

  it('keeps values of active sessions', async () => {
    const { sessions, close } = bound(open());
    await sessions.create(session('a'), QUOTAS, 0);
    await sessions.setValue('a', 'b', bytes('1'), 1);
    await sessions.setValue('a', 'a', bytes('2'), 1);
    await sessions.setValue('a', 'c', bytes('3'), 1);
    await sessions.setValue('a', 'c', undefined, 1);
    expect((await sessions.values('a')).map(({ key }) => key)).toEqual(['a', 'b']);
    expect([Buffer.from((await sessions.value('a', 'b')) ?? []).toString(), await sessions.value('a', 'c')]).toEqual(['1', undefined]);
    await sessions.change('a', ['active'], { status: 'suspended' }, 2);
    expect(await sessions.setValue('a', 'b', bytes('9'), 3)).toEqual({ refused: 'suspended' });
    close();
  });

  it('stores equal content once and drops it with the last artifact', async () => {
    const store = open();
    const { sessions, artifacts } = store;
    await sessions.create(session('a'), QUOTAS, 0);
    const [first, second] = [await inFile(store, 'content'), await inFile(store, 'content')];
    expect(await artifacts.add(artifact('a', 'art1'), first, QUOTAS, 1)).toMatchObject({ version: 1, size: 7 });
    expect(await artifacts.add(artifact('a', 'art2'), second, QUOTAS, 2)).toMatchObject({ version: 2 });
    for (const { content } of [first, second]) if ('discard' in content) content.discard();
    const { file = '' } = (await artifacts.content(HASH)) ?? {};
    expect(await textOf(store, file)).toBe('content');
    expect(await artifacts.totals()).toEqual({ artifacts: 2, bytes: 14 });
    expect([await artifacts.remove('a', 'art1', 3), await artifacts.remove('a', 'art1', 3), await artifacts.remove('z', 'art2', 3)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await textOf(store, file)).toBe('content');
    await artifacts.remove('a', 'art2', 4);
    expect(await artifacts.content(HASH)).toBeUndefined();
    await expect(textOf(store, file)).rejects.toMatchObject({ code: 'ENOENT' });
    store.close();
  });

  it('finds artifacts and keeps to quotas', async () => {
    const store = open();
    const { sessions, artifacts } = store;
    await sessions.create(session('a'), QUOTAS, 0);
    await artifacts.add(artifact('a', 'art1', 'x'), inline('1', 'aa'), QUOTAS, 1);
    await artifacts.add(artifact('a', 'art2', 'x'), inline('22', 'bb'), QUOTAS, 2);
    await artifacts.add(artifact('a', 'art3', 'y'), inline('333', 'cc'), QUOTAS, 2);
    expect(await artifacts.find('a', { name: 'x' }, 3)).toMatchObject({ id: 'art2', version: 2 });
    expect(await artifacts.find('a', { name: 'x', version: 1 }, 3)).toMatchObject({ id: 'art1' });
    const ids = async (filter: object) => (await artifacts.query({ limit: 9, ...filter }, 3)).map(({ id }) => id);
    expect([
      await ids({}),
      await ids({ latest: true }),
      await ids({ limit: 1, offset: 1 }),
      await ids({ content_hash: 'aa' }),
      await ids({ created_before: 2 }),
    ]).toEqual([['art3', 'art2', 'art1'], ['art3', 'art2'], ['art2'], ['art1'], ['art1']]);
    expect(await artifacts.add(artifact('a', 'art4'), inline('1'), { ...QUOTAS, artifacts: 3 }, 4)).toEqual({ refused: 'full', quota: 'artifacts' });
    expect(await artifacts.add(artifact('a', 'art4'), inline('1'), { ...QUOTAS, artifact_bytes: 6 }, 4)).toEqual({ refused: 'full', quota: 'artifact_bytes' });
    expect(await artifacts.content(HASH)).toBeUndefined();
    store.close();
  });

  it('forks all of a session or nothing', async () => {
    const store = open();
    const { sessions, artifacts } = store;
    await sessions.create(session('a'), QUOTAS, 0);
    await sessions.append('a', [bytes('1')], QUOTAS, 1);
    await sessions.setValue('a', 'k', bytes('v'), 1);
    await artifacts.add(artifact('a', 'art1'), inline('12345'), QUOTAS, 1);
    expect(await sessions.fork('a', session('b', { forked_from: 'a' }), { ...QUOTAS, artifact_bytes: 9 }, 2)).toEqual({
      refused: 'full',
      quota: 'artifact_bytes',
    });
    expect(await sessions.get('b', 2)).toBeUndefined();
    expect(await sessions.fork('a', session('b', { forked_from: 'a' }), QUOTAS, 2)).toMatchObject({ id: 'b', turns: 1, forked_from: 'a' });
    expect(await sessions.remove('a', 3)).toMatchObject({ id: 'a' });
    expect([
      (await sessions.turns('b', {})).length,
      (await sessions.values('b')).length,
      (await artifacts.query({ session_id: 'b', limit: 9 }, 4)).length,
    ]).toEqual([1, 1, 1]);
    expect(await artifacts.content(HASH)).toBeDefined();
    expect([await artifacts.totals(), await sessions.remove('a', 5)]).toEqual([{ artifacts: 1, bytes: 5 }, undefined]);
    store.close();
  });

  it('finds the newest across sessions, and the highest version of each name as versions come and go', async () => {
    const store = open();
    const { sessions, artifacts } = store;
    await sessions.create(session('b'), QUOTAS, 0);
    await sessions.create(session('a'), QUOTAS, 0);
    await sessions.create(session('c', { expires_in: 5 }), QUOTAS, 0);
    const added = [
      ['a', 'a1', 'x'],
      ['b', 'b1', 'x'],
      ['c', 'c1', 'x'],
      ['a', 'a2', 'x'],
      ['b', 'b2', 'y'],
      ['a', 'a3', 'x'],
    ] as const;
    for (const [at, id, name] of added) await artifacts.add(artifact(at, id, name), inline('12', `${id}`.repeat(32)), QUOTAS, 1);
    const ids = async (filter: object, now = 2) => (await artifacts.query({ limit: 9, ...filter }, now)).map(({ id }) => id);
    expect([await ids({}), await ids({ latest: true }), await ids({ latest: true, limit: 1, offset: 1 })]).toEqual([
      ['a3', 'b2', 'a2', 'c1', 'b1', 'a1'],
      ['a3', 'b2', 'c1', 'b1'],
      ['b2'],
    ]);
    await artifacts.remove('a', 'a2', 2);
    expect([await ids({ latest: true, session_id: 'a' }), await artifacts.find('a', { name: 'x', version: 2 }, 2)]).toEqual([['a3'], undefined]);
    await artifacts.remove('a', 'a3', 2);
    expect(await ids({ latest: true, name: 'x' })).toEqual(['c1', 'b1', 'a1']);
    expect(await artifacts.add(artifact('a', 'a4', 'x'), inline('12', 'a4'.repeat(32)), QUOTAS, 0)).toMatchObject({ version: 2 });
    expect([await ids({ session_id: 'a' }), await ids({ session_id: 'a', latest: true })]).toEqual([['a1', 'a4'], ['a4']]);
    await sessions.fork('a', session('d'), QUOTAS, 3);
    const forked = await artifacts.query({ session_id: 'd', latest: true, limit: 9 }, 3);
    expect(forked.map(({ version, created_at }) => [version, created_at])).toEqual([[2, 0]]);
    await sessions.remove('a', 3);
    expect([(await ids({ name: 'x' }, 9)).length, await ids({ type: 't', session_id: 'b' }), await ids({ session_id: 'a' })]).toEqual([3, ['b2', 'b1'], []]);
    // What has expired makes room.
    expect(await artifacts.add(artifact('b', 'b3'), inline('1', 'b3'.repeat(32)), { ...QUOTAS, artifacts: 5, artifact_bytes: 9 }, 9)).toMatchObject({
      id: 'b3',
    });
    expect([await artifacts.totals(), await artifacts.content('a1'.repeat(32)), await artifacts.content('c1'.repeat(32))]).toEqual([
      { artifacts: 5, bytes: 9 },
      expect.objectContaining({ size: 2 }),
      undefined,
    ]);
    store.close();
  });

  it('gives turns by their numbers', async () => {
    const { sessions, close } = bound(open());
    await sessions.create(session('a'), QUOTAS, 0);
    await sessions.append('a', ['1', '2', '3', '4', '5'].map(bytes), QUOTAS, 0);
    const ranges = [
      {},
      { after: 3 },
      { limit: 2 },
      { last: 2 },
      { last: 0 },
      { last: 3, limit: 1 },
      { last: 4, after: 3 },
      { after: 9, last: 2 },
      { after: 1, limit: 2 },
    ];
    const numbers = [];
    for (const range of ranges) numbers.push((await sessions.turns('a', range)).map(({ number }) => number).join(''));
    expect(numbers).toEqual(['12345', '45', '12', '45', '', '5', '45', '', '23']);
    close();
  });

  it('is no part of what State backs up and restores', async () => {
    const store = open();
    await store.sessions.create(session('a'), QUOTAS, 0);
    await store.commit([{ scope: 's', key: 'k', put: { value: bytes('1') } }], 0);
    await store.backups.make({ id: 'bak_1', created_at: 0 });
    expect((await store.backups.heads())[0]?.entries).toBe(1);
    await store.sessions.create(session('b'), QUOTAS, 1);
    expect(await store.backups.restore('bak_1', { id: 'bak_2', created_at: 1 })).toBe(true);
    expect((await store.sessions.list({ limit: 9 }, 2)).length).toBe(2);
    store.close();
  });
});

/** A store in parts, with what closes it. */
function bound(store: Store) {
  return { sessions: store.sessions, close: () => store.close() };
}

describe('the files of a data folder', () => {
  const files = (path: string) =>
    (existsSync(join(path, 'blobs')) ? readdirSync(join(path, 'blobs'), { recursive: true }).map(String) : []).filter((name) => /-|tmp/.test(name));

  it('go when a session with artifacts is deleted or expires', async () => {
    const path = folder();
    const store = new SqliteStore(path, 'normal');
    for (const [id, hash, expires_in] of [
      ['a', 'aa'.repeat(32), undefined],
      ['b', 'bb'.repeat(32), 10],
    ] as const) {
      store.sessions.create(session(id, { expires_in }), QUOTAS, 0);
      store.artifacts.add(artifact(id, id), await inFile(store, 'content', hash), QUOTAS, 0);
    }
    expect(files(path).length).toBe(2);
    await store.sessions.remove('a', 1);
    await store.artifacts.collect();
    expect(files(path).length).toBe(1);
    await store.sessions.create(session('c'), QUOTAS, 100);
    await store.artifacts.collect();
    expect(files(path)).toEqual([]);
    store.close();
  });

  it('that a killed process has left are swept, and no others', async () => {
    const path = folder();
    const store = new SqliteStore(path, 'normal');
    store.sessions.create(session('a'), QUOTAS, 0);
    store.artifacts.add(artifact('a', 'art1'), await inFile(store, 'kept'), QUOTAS, 0);
    const [kept] = files(path);
    // Placed, but its row was never written; begun long ago; begun just now.
    const orphan = await inFile(store, 'orphan', 'cd'.repeat(32));
    if ('place' in orphan.content) orphan.content.place(orphan.hash);
    writeFileSync(join(path, 'blobs', 'old.tmp'), 'x');
    utimesSync(join(path, 'blobs', 'old.tmp'), new Date(0), new Date(0));
    writeFileSync(join(path, 'blobs', 'new.tmp'), 'x');
    expect(files(path).length).toBe(4);
    expect(await store.artifacts.sweep(Date.now())).toBe(2);
    expect(files(path).sort()).toEqual([kept, 'new.tmp'].sort());
    store.close();
  });

  it('are tidied away by the next process when one ended between dropping a record and its file', async () => {
    const path = folder();
    const store = new SqliteStore(path, 'normal');
    store.sessions.create(session('a'), QUOTAS, 0);
    store.artifacts.add(artifact('a', 'art1'), await inFile(store, 'content'), QUOTAS, 0);
    store.sessions.remove('a', 1);
    store.close();
    expect(files(path).length).toBe(1);
    const next = new SqliteStore(path, 'normal');
    await next.artifacts.collect();
    expect(files(path)).toEqual([]);
    next.close();
  });

  it('of format 1 is upgraded in place with everything that was in it', async () => {
    const path = folder();
    new SqliteStore(path, 'normal').close();
    rmSync(join(path, 'state.db'));
    const old = new DatabaseSync(join(path, 'state.db'));
    old.exec(readFileSync(join(import.meta.dirname, 'format-1.sql'), 'utf8'));
    old.close();
    const [one, two] = [new SqliteStore(path, 'normal'), new SqliteStore(path, 'normal')];
    expect(Buffer.from((await one.get('global', 'k', 0))?.value ?? []).toString()).toBe('kept');
    expect(two.meta('schema:global')).toBe('3');
    expect(two.sessions.create(session('a'), QUOTAS, 0)).toMatchObject({ id: 'a' });
    expect(one.sessions.get('a', 1)).toMatchObject({ id: 'a' });
    one.close();
    two.close();
  });

  it('stays of format 1, whole, when the upgrade fails midway', () => {
    const path = folder();
    new SqliteStore(path, 'normal').close();
    rmSync(join(path, 'state.db'));
    const old = new DatabaseSync(join(path, 'state.db'));
    old.exec(readFileSync(join(import.meta.dirname, 'format-1.sql'), 'utf8'));
    // A table in the way of the last step.
    old.exec('CREATE TABLE totals (x)');
    old.close();
    expect(() => new SqliteStore(path, 'normal')).toThrow();
    const after = new DatabaseSync(join(path, 'state.db'));
    expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 });
    expect(after.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'sessions'").get()).toEqual({ n: 0 });
    after.close();
  });

  it('is told to have been removed to whoever has it open, and begins anew', async () => {
    const path = folder();
    const [one, two] = [new SqliteStore(path, 'normal'), new SqliteStore(path, 'normal')];
    one.commit([{ scope: 's', key: 'k', put: { value: bytes('1') } }], 0);
    await two.abandon();
    expect(one.isRemoved).toBe(false);
    expect(() => one.get('s', 'k', 0)).toThrow('the tenant was removed; the next call begins anew');
    expect(one.isRemoved).toBe(true);
    one.close();
    two.close();
  });

  it('writes large turns beside the event loop, under the rules of small ones', async () => {
    const store = new SqliteStore(folder(), 'normal', { max_bytes: 6 * 2 ** 20 });
    store.sessions.create(session('a'), QUOTAS, 0);
    const large = new Uint8Array(2 ** 20).fill(7);
    expect(store.sessions.append('a', [bytes('1')], QUOTAS, 1)).toBe(1);
    const appended = store.sessions.append('a', [large, large], QUOTAS, 2);
    expect(appended).toBeInstanceOf(Promise);
    expect(await appended).toBe(3);
    expect(await store.sessions.turns('a', { last: 1 })).toEqual([{ number: 3, turn: large, created_at: 2 }]);
    expect(await store.sessions.append('b', [large, large], QUOTAS, 3)).toEqual({ refused: 'absent' });
    expect(await store.sessions.append('a', [large, large], { ...QUOTAS, turns: 4 }, 3)).toEqual({ refused: 'full', quota: 'turns' });
    await expect(store.sessions.append('a', [large, large, large, large], QUOTAS, 3)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'the tenant would take more than tenants.max_bytes = 6291456; nothing of this call was saved',
    });
    expect(store.sessions.append('a', [bytes('4')], QUOTAS, 4)).toBe(4);
    store.close();
  });

  it.each<[string, () => Store]>([
    ['sqlite', () => new SqliteStore(folder(), 'normal', { max_bytes: 400_000 })],
    ['memory', () => new MemoryStore(400_000)],
  ])('keeps to max_bytes, values, sessions and files together: %s', async (_, open) => {
    const store = open();
    await store.sessions.create(session('a'), QUOTAS, 0);
    const put = async (key: string, size: number) => store.commit([{ scope: 's', key, put: { value: new Uint8Array(size).fill(1) } }], 0);
    await store.artifacts.add(artifact('a', 'art1'), await inFile(store, 'x'.repeat(150_000)), QUOTAS, 0);
    await put('a', 50_000);
    const full = { code: 'LIMIT_EXCEEDED', message: 'the tenant would take more than tenants.max_bytes = 400000; nothing of this call was saved' };
    const more = await inFile(store, 'y'.repeat(220_000), 'cd'.repeat(32));
    await expect((async () => store.artifacts.add(artifact('a', 'art2'), more, QUOTAS, 0))()).rejects.toMatchObject(full);
    await expect(put('b', 220_000)).rejects.toMatchObject(full);
    await expect((async () => store.sessions.append('a', [new Uint8Array(220_000)], QUOTAS, 0))()).rejects.toMatchObject(full);
    await expect((async () => store.sessions.setValue('a', 'v', new Uint8Array(220_000), 0))()).rejects.toMatchObject(full);
    expect([await store.list('s', {}, 0), await store.sessions.turns('a', {}), await store.sessions.values('a')]).toEqual([['a'], [], []]);
    await store.artifacts.remove('a', 'art1', 1);
    await put('b', 220_000);
    await store.commit([{ scope: 's', key: 'b', remove: true }], 1);
    await store.sessions.append('a', [new Uint8Array(220_000)], QUOTAS, 1);
    await store.sessions.remove('a', 2);
    await put('b', 220_000);
    expect(await store.list('s', {}, 0)).toEqual(['a', 'b']);
    store.close();
  });
});

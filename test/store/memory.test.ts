import { expect, it } from 'vitest';
import { doneAtOnce } from '../../src/call/breath.ts';
import { idOf } from '../../src/store/changes.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import { commitInSteps, MemoryValues } from '../../src/store/memory-values.ts';
import { turnsDuring } from '../support/turns.ts';

const value = new Uint8Array(10);
const QUOTAS = { sessions: 100, turns: 100, artifacts: 100_000, artifact_bytes: 1_000_000 };
const session = { id: 'a', name: undefined, description: undefined, tags: [], metadata: value, forked_from: undefined, expires_in: undefined };
const put = (key: string, expiresAt?: number) => ({ scope: 's', key, put: { value, expiresAt } });

it('what has expired goes as others write', () => {
  const values = MemoryValues.empty();
  const commit = (key: string, now: number, expiresAt?: number) => doneAtOnce(commitInSteps(values, [put(key, expiresAt)], now, {}, () => undefined));
  commit('stays', 0);
  for (let i = 0; i < 1_000; i++) commit(`k${i}`, i, i + 5);
  expect(values.count).toBeLessThan(10);
  // A later time of the same key counts, not the earlier one.
  commit('k1', 2_000, 9_000);
  commit('k1', 2_000, 3_000);
  commit('k1', 2_000, 4_000);
  commit('other', 3_500);
  expect([values.count, values.get(idOf('s', 'k1'), 3_500)?.expiresAt]).toEqual([3, 4_000]);
  commit('other', 4_000);
  expect([values.count, values.bytes]).toEqual([2, 'sstays'.length + 'sother'.length + 2 * value.length]);
});

it('large work in memory leaves others their turns', async () => {
  const store = new MemoryStore();
  const keys = Array.from({ length: 20_000 }, (_, at) => `k${at}`);
  const filling = await turnsDuring(() =>
    store.commit(
      keys.map((key) => put(key)),
      0,
    ),
  );
  const lists = keys.slice(0, 8_000).map((after) => ({ scope: 's', options: { prefix: 'k', after, limit: 1 }, keys: [] as string[] }));
  for (const list of lists) list.keys = (await store.list('s', list.options, 0)) as string[];
  const checking = await turnsDuring(() => store.commit([put('x')], 0, { lists }));
  const clearing = await turnsDuring(() => store.clear('s', 0));
  expect([filling.result, checking.result, clearing.result]).toEqual([true, true, 20_001]);
  for (const { turns } of [filling, checking, clearing]) expect(turns).toBeGreaterThan(1);
});

it('many expired values are no reason to refuse others in memory', async () => {
  const store = new MemoryStore(1_000_000);
  for (let i = 0; i < 1_500; i++) await store.commit([put(`k${i}`, 100)], 0);
  const large = { scope: 's', key: 'large', put: { value: new Uint8Array(900_000) } };
  await expect((async () => store.commit([large], 50))()).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    message: 'the tenant would take more than tenants.max_bytes = 1000000; nothing of this call was saved',
  });
  expect([store.get('s', 'large', 50), store.get('s', 'k0', 50)?.value.length]).toEqual([undefined, 10]);
  expect(await store.commit([large], 100)).toBe(true);
  // Less is always possible.
  expect(await store.commit([{ ...large, put: { value } }], 100)).toBe(true);
});

it('backups count until they are deleted, whatever has become of the values', async () => {
  const store = new MemoryStore(1_000_000);
  const save = async (bytes: number) => store.commit([{ scope: 's', key: 'k', put: { value: new Uint8Array(bytes) } }], 0);
  const full = { code: 'LIMIT_EXCEEDED', message: 'the tenant would take more than tenants.max_bytes = 1000000; nothing of this call was saved' };
  const make = async (id: string) => store.backups.make({ id, created_at: 0 });
  await save(300_000);
  await make('one');
  await make('two');
  await expect(make('three')).rejects.toMatchObject(full);
  await expect((async () => store.backups.restore('one', { id: 'before', created_at: 0 }))()).rejects.toMatchObject(full);
  expect((await store.backups.heads()).map(({ id }) => id)).toEqual(['one', 'two']);
  await store.clear('s', 0);
  await expect(save(500_000)).rejects.toMatchObject(full);
  await store.sessions.create(session, QUOTAS, 0);
  await expect((async () => store.sessions.append('a', [new Uint8Array(500_000)], QUOTAS, 0))()).rejects.toMatchObject(full);
  expect(await store.backups.restore('two', { id: 'empty', created_at: 0 })).toBe(true);
  expect([store.backups.remove('one'), store.backups.remove('one'), await save(600_000)]).toEqual([true, false, true]);
});

it('forking and removing a session with many artifacts leaves others their turns, who see all or nothing', async () => {
  const store = new MemoryStore();
  const { sessions, artifacts } = store;
  const count = 5_000;
  await sessions.create(session, QUOTAS, 0);
  for (let i = 0; i < count; i++) {
    const content = { hash: `${i % 10}`, size: 1, stored: 1, encoding: 'raw', content: { data: new Uint8Array(1) } } as const;
    await artifacts.add({ id: `art${i}`, session_id: 'a', name: `n${i % 1_000}`, type: 't', metadata: new Uint8Array() }, content, QUOTAS, i);
  }
  const all = async () => (await artifacts.query({ limit: 3 * count }, count)).length;
  const seen: number[] = [];
  const forking = await turnsDuring(async () => {
    const forked = sessions.fork('a', { ...session, id: 'b', forked_from: 'a' }, QUOTAS, count);
    const removed = Promise.resolve(artifacts.remove('a', 'art0', count));
    seen.push(await all(), (await artifacts.query({ session_id: 'b', latest: true, limit: count }, count)).length);
    return [await forked, await removed];
  });
  expect([forking.result[1], seen, await artifacts.totals()]).toEqual([true, [2 * count - 1, 1_000], { artifacts: 2 * count - 1, bytes: 2 * count - 1 }]);
  const removing = await turnsDuring(async () => [await sessions.remove('a', count), await sessions.remove('b', count)]);
  for (const { turns } of [forking, removing]) expect(turns).toBeGreaterThan(1);
  expect([await all(), artifacts.totals(), artifacts.content('1')]).toEqual([0, { artifacts: 0, bytes: 0 }, undefined]);
});

import { expect, it } from 'vitest';
import { doneAtOnce } from '../../src/call/breath.ts';
import { idOf } from '../../src/store/changes.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import { commitInSteps, MemoryValues } from '../../src/store/memory-values.ts';
import { turnsDuring } from '../support/turns.ts';

const value = new Uint8Array(10);
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

import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { encode } from '../../src/call/codec.ts';
import { stateManager } from '../../src/state/manager.ts';
import { exists, listKeys, load, remove, save, transact, update } from '../../src/state/state.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { SqliteStore } from '../../src/store/sqlite.ts';
import { testHost, testRun } from '../support/run.ts';
import { turnsDuring } from '../support/turns.ts';

const hosts: ReturnType<typeof testHost>[] = [];
afterAll(async () => {
  for (const host of hosts) {
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  }
});

type Change = (key: string, value: number | undefined) => Promise<unknown>;

/** A run, and what changes its State: another run of the process, or another process. */
function open(backend: 'sqlite' | 'memory', who: 'run' | 'process') {
  const host = testHost({ data: { backend } });
  hosts.push(host);
  const { context } = testRun({ host });
  const other = testRun({ host }).context;
  const run: Change = async (key, value) => (value === undefined ? remove(other, 'global', key) : save(other, 'global', key, value));
  const elsewhere: Change = async (key, value) => {
    const store = new SqliteStore(tenantFolder(host.dataDir, 'default'), 'normal');
    await store.commit([value === undefined ? { scope: 'global', key, remove: true } : { scope: 'global', key, put: { value: encode(value) } }], Date.now());
    store.close();
  };
  return { host, context, change: who === 'run' ? run : elsewhere };
}

describe.each([
  ['sqlite', 'run'],
  ['memory', 'run'],
  ['sqlite', 'process'],
] as const)('a transaction: %s, changed by another %s', (backend, who) => {
  it('begins again when what it has read is of another moment than what it reads', async () => {
    const { context, change } = open(backend, who);
    for (const key of ['a', 'b', 'c']) await save(context, 'global', key, 1);
    const seen: unknown[] = [];
    let attempts = 0;
    await transact(context, async (inside) => {
      attempts++;
      const [a, b] = [await load(inside, 'global', 'a'), await load(inside, 'global', 'b')];
      if (attempts === 1) for (const key of ['b', 'c']) await change(key, 2);
      seen.push([a, b, await load(inside, 'global', 'c')]);
    });
    expect([attempts, seen]).toEqual([2, [[1, 2, 2]]]);
  });

  it('goes on when others change what it has not read, or a value becomes another one that it has not read yet', async () => {
    const { context, change } = open(backend, who);
    for (const key of ['a', 'b', 'c']) await save(context, 'global', key, 1);
    let attempts = 0;
    const sum = await transact(context, async (inside) => {
      attempts++;
      let total = 0;
      for (const key of ['a', 'b', 'c']) {
        total += (await load(inside, 'global', key)) as number;
        await change('other', total);
        if (key === 'b') await change('c', 5);
      }
      return total;
    });
    expect([attempts, sum]).toEqual([1, 7]);
  });

  it('begins again when a value that it reads twice, or the keys that it has listed, have changed', async () => {
    const { context, change } = open(backend, who);
    for (const key of ['a', 'b']) await save(context, 'global', key, 1);
    let attempts = 0;
    const seen: unknown[] = [];
    await transact(context, async (inside) => {
      const attempt = ++attempts;
      seen.push(await load(inside, 'global', 'a'));
      if (attempt === 1) await change('a', 2);
      seen.push(await load(inside, 'global', 'a'));
      const keys = await listKeys(inside, 'global', {});
      if (attempt === 2) await change('b', undefined);
      // Absent, and of the moment at which the list was another one.
      seen.push(keys, await exists(inside, 'global', 'none'));
    });
    expect([attempts, seen]).toEqual([3, [1, 2, 2, 2, 2, ['a'], false]]);
  });

  it('is not saved when a key has come to what it has listed', async () => {
    const { context, change } = open(backend, who);
    await save(context, 'global', 'a', 1);
    let attempts = 0;
    await transact(context, async (inside) => {
      attempts++;
      const keys = await listKeys(inside, 'global', { limit: 2 });
      if (attempts === 1) await change('b', 1);
      await save(inside, 'user:x', 'count', keys.length);
    });
    expect([attempts, await load(context, 'user:x', 'count')]).toEqual([2, 2]);
  });
});

it('a value is read from the store once for each time that the function reads it, whatever was read before', async () => {
  const { host, context } = open('sqlite', 'run');
  const store = host.get(stateManager).store('default') as SqliteStore;
  const get = store.get.bind(store);
  let gets = 0;
  store.get = (...args) => {
    gets++;
    return get(...args);
  };
  await transact(context, async (inside) => {
    for (let i = 0; i < 100; i++) await load(inside, 'global', `k${i}`);
  });
  expect(gets).toBe(100);
  gets = 0;
  await update(context, 'global', 'n', { call: 1 } as never).catch(() => undefined);
  expect(gets).toBe(1);
});

it('transactions of a run that are open at once count together, and no longer when they have ended', async () => {
  const { context } = testRun({ host: open('memory', 'run').host, limits: { memory_mb: 1 } });
  const value = 'x'.repeat(900_000);
  const saving = (scope: string) => async (inside: typeof context) => {
    for (const key of ['a', 'b', 'c']) await save(inside, scope, key, value);
  };
  await transact(context, async (inside) => {
    await saving('user:one')(inside);
    await expect(transact(context, saving('user:two'))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
  await transact(context, saving('user:two'));
  expect([await listKeys(context, 'user:one', {}), await listKeys(context, 'user:two', {})]).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
});

it('what many reads saw is looked at again in turns where a process has changed something', async () => {
  const { context, change } = open('sqlite', 'process');
  const { turns, result } = await turnsDuring(() =>
    transact(context, async (inside) => {
      for (let i = 0; i < 4_000; i++) await exists(inside, 'global', `k${i}`);
      await change('other', 1);
      return exists(inside, 'global', 'last');
    }),
  );
  expect([result, turns > 2]).toEqual([false, true]);
});

it('lists in a transaction hold its own keys in byte order, by prefix, by pages and behind a key', async () => {
  const { context } = open('sqlite', 'run');
  for (const key of ['a1', 'a3', 'a5', 'b', 'é', '\u{ffff}', '\u{1f600}']) await save(context, 'global', key, 1);
  await transact(context, async (inside) => {
    for (const key of ['a1', 'a5']) await remove(inside, 'global', key);
    for (const key of ['a2', 'a4', 'b', '\u{1f601}']) await save(inside, 'global', key, 1);
    expect(await listKeys(inside, 'global', { prefix: 'a' })).toEqual(['a2', 'a3', 'a4']);
    expect(await listKeys(inside, 'global', { prefix: 'a', limit: 2 })).toEqual(['a2', 'a3']);
    expect(await listKeys(inside, 'global', { after: 'a3', limit: 3 })).toEqual(['a4', 'b', 'é']);
    expect(await listKeys(inside, 'global', { after: '\u{ffff}' })).toEqual(['\u{1f600}', '\u{1f601}']);
    expect(await listKeys(inside, 'global', { prefix: '\u{1f600}' })).toEqual(['\u{1f600}']);
  });
  expect(await listKeys(context, 'global', { prefix: 'a', after: 'a2' })).toEqual(['a3', 'a4']);
  expect(await listKeys(context, 'global', { prefix: 'b', after: 'a2' })).toEqual(['b']);
  expect(await listKeys(context, 'global', { prefix: 'a', after: 'b' })).toEqual([]);
});

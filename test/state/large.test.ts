import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { decode, encode } from '../../src/call/codec.ts';
import type { Context } from '../../src/call/context.ts';
import { sha256 } from '../../src/call/digest.ts';
import type { Value } from '../../src/call/value.ts';
import { backup, listBackups, restore, validateBackup } from '../../src/state/backup.ts';
import { createStateManager, stateManager } from '../../src/state/manager.ts';
import { migrate } from '../../src/state/migrate.ts';
import { clear, listKeys, listScopes, load, save, transact, usage } from '../../src/state/state.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { SqliteStore } from '../../src/store/sqlite.ts';
import { testHost, testRun } from '../support/run.ts';
import { testRuntime } from '../support/runtime.ts';
import { turnsDuring } from '../support/turns.ts';

const BACKENDS = ['sqlite', 'memory'] as const;
const KEYS = 1_000;
/** So many that each piece of work is one for several turns. */
const MANY = { sqlite: 3_000, memory: 8_000 } as const;

const folders: string[] = [];
const hosts: AsyncDisposable[] = [];
afterAll(async () => {
  for (const host of hosts) await host[Symbol.asyncDispose]();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function open(backend: (typeof BACKENDS)[number]) {
  const host = testHost({ data: { backend } });
  hosts.push(host);
  folders.push(host.dataDir);
  return { host, context: testRun({ host }).context };
}

/** Saves so many keys with the same value. */
async function fill(context: Context, value: Value, count = KEYS): Promise<void> {
  await transact(context, async (inside) => {
    for (let i = 0; i < count; i++) await save(inside, 'global', `k${i}`, value);
  });
}

/** The values of all keys at one moment, each once. */
function valuesAtOnce(context: Context): Promise<Value[]> {
  return transact(context, async (inside) => {
    const found = new Set<Value>();
    for (const key of await listKeys(inside, 'global', { prefix: 'k' })) found.add(await load(inside, 'global', key));
    return [...found];
  });
}

describe.each(BACKENDS)('a list of keys that no script can take: %s', (backend) => {
  it('is not read to its end', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'llmspell-'));
    folders.push(dir);
    await using manager = createStateManager({ data: { backend, dir } });
    await using made = await testRuntime({}, { state: manager });
    const { runtime } = made;
    const keys = Array.from({ length: 17_500 }, (_, at) => String(at).padStart(1_000, '0'));
    await manager.store('default').commit(
      keys.map((key) => ({ scope: 'global', key, put: { value: encode(1) } })),
      0,
    );
    const list = vi.spyOn(manager.store('default'), 'list');
    for (const [language, source] of [
      ['lua', 'local ok, e = pcall(State.list_keys, "global") return e.message'],
      ['javascript', 'let e; try { State.list_keys("global") } catch (error) { e = error } e.message'],
    ] as const)
      expect((await runtime.execute(source, { language })).value).toMatch(/^State.list_keys: .*more than 16 MB in one value$/);
    for (const { value } of list.mock.results) expect((await value).length).toBe(Math.floor(2 ** 24 / 1_000) + 1);
    expect(list.mock.calls.map(([, { limit }]) => limit)).toEqual([100_000, 100_000]);
  });
});

describe.each(BACKENDS)('large State: %s', (backend) => {
  it('leaves others their turns, whatever is done with it', async () => {
    const { context } = open(backend);
    const many = MANY[backend];
    const filling = await turnsDuring(() => fill(context, { n: 1, text: 'x'.repeat(backend === 'sqlite' ? 2_000 : 20) }, many));
    const migration = { from_version: 1, to_version: 2, transformations: [{ field: 'n', transform: 'set', value: 2 } as const] };
    const dry = await turnsDuring(() => migrate(context, { ...migration, dry_run: true }));
    const migrating = await turnsDuring(() => migrate(context, migration));
    const backing = await turnsDuring(() => backup(context));
    const validating = await turnsDuring(() => validateBackup(context, backing.result));
    const restoring = await turnsDuring(() => restore(context, backing.result));
    expect(migrating.result).toMatchObject({ migrated: many, skipped: 0 });
    expect(validating.result).toBe(true);
    expect((await listBackups(context)).map(({ entries }) => entries)).toEqual([many, many]);
    expect([await usage(context), await listScopes(context)]).toMatchObject([{ entries: many, scopes: 1 }, ['global']]);
    expect(await valuesAtOnce(context)).toHaveLength(many);
    // In one go it would be one; in memory backups are copies, which take no time.
    for (const { turns } of [filling, dry, migrating, ...(backend === 'sqlite' ? [backing, validating, restoring] : [])]) expect(turns).toBeGreaterThan(1);
    expect(await clear(context, 'global')).toBe(many);
    expect(await listKeys(context, 'global', {})).toEqual([]);
  });

  it('a restore is one moment for others, and loses nothing that they save meanwhile', async () => {
    const { host, context } = open(backend);
    await fill(context, 'a');
    const first = await backup(context);
    await fill(context, 'b');
    const other = testRun({ host }).context;
    const seen: Value[][] = [];
    let [going, saved] = [true, 0];
    const looking = (async () => {
      while (going) seen.push(await valuesAtOnce(other));
    })();
    const saving = (async () => {
      for (; going; saved++) {
        await save(other, 'user:w', String(saved), true);
        await new Promise((done) => setImmediate(done));
      }
    })();
    const before = await restore(context, first);
    going = false;
    await Promise.all([looking, saving]);
    for (const values of seen) expect([['a'], ['b']]).toContainEqual(values);
    // What the other one has saved is in what was there before, or came behind it.
    const behind = await listKeys(context, 'user:w', {});
    await restore(context, before);
    const kept = await listKeys(context, 'user:w', {});
    expect(new Set([...kept, ...behind]).size).toBe(saved);
    expect(kept.length + behind.length).toBe(saved);
    expect(await valuesAtOnce(context)).toEqual(['b']);
  });

  it('a large transaction is saved as a whole or not at all, and again when others have changed what it has read', async () => {
    const { host, context } = open(backend);
    await save(context, 'global', 'seen', 1);
    const other = testRun({ host }).context;
    let attempts = 0;
    await transact(context, async (inside) => {
      attempts++;
      const seen = (await load(inside, 'global', 'seen')) as number;
      for (let i = 0; i < KEYS; i++) await save(inside, 'global', `k${i}`, seen);
      if (attempts === 1) await save(other, 'global', 'seen', 2);
    });
    expect([attempts, await valuesAtOnce(context)]).toEqual([2, [2]]);
    attempts = 0;
    const counted = await transact(context, async (inside) => {
      attempts++;
      const keys = await listKeys(inside, 'global', {});
      for (let i = 0; i < KEYS; i++) await save(inside, 'global', `k${i}`, attempts);
      if (attempts === 1) await save(other, 'global', 'one more', 2);
      return keys.length;
    });
    expect([attempts, counted, await valuesAtOnce(context)]).toEqual([2, KEYS + 2, [2]]);
  });

  it('a migration that comes between looking at the version and reading the values is noticed', async () => {
    const { host, context } = open(backend);
    await save(context, 'global', 'k', { n: 1 });
    const other = testRun({ host }).context;
    const migration = { from_version: 1, to_version: 2, transformations: [{ field: 'n', transform: 'set', value: 2 } as const] };
    const store = host.get(stateManager).store('default');
    const { list } = store;
    Object.assign(store, {
      async list(...args: Parameters<typeof list>) {
        Object.assign(store, { list });
        await migrate(other, migration);
        return list.apply(store, args);
      },
    });
    await expect(migrate(context, migration)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('a migration of many values is undone by one that comes meanwhile', async () => {
    const { host, context } = open(backend);
    await fill(context, { n: 1 }, MANY[backend]);
    const other = testRun({ host }).context;
    const work = migrate(context, { from_version: 1, to_version: 2, transformations: [{ field: 'n', transform: 'set', value: 2 }] });
    await new Promise((done) => setImmediate(done));
    await save(other, 'global', 'later', { n: 1 });
    await expect(work).rejects.toMatchObject({ code: 'CONFLICT', message: 'State.migrate: values of global were changed meanwhile; nothing was migrated' });
    expect(await load(context, 'global', 'k0')).toEqual({ n: 1 });
  });
});

describe.each(['lua', 'javascript'] as const)('a script with large State: %s', (language) => {
  const texts = {
    lua: `State.transaction(function() for i = 1, 5000 do State.save("global", "k" .. i, {n = i}) end end)
local id = State.backup() State.clear("global") State.restore(id)
State.migrate({from_version = 1, to_version = 2, transformations = {{field = "m", transform = "copy", to = "x"}}})
return {State.validate_backup(id), #State.list_keys("global"), State.load("global", "k5000").n}`,
    javascript: `State.transaction(() => { for (let i = 1; i <= 5000; i++) State.save("global", "k" + i, {n: i}) })
const id = State.backup(); State.clear("global"); State.restore(id)
State.migrate({from_version: 1, to_version: 2, transformations: [{field: "m", transform: "copy", to: "x"}]});
[State.validate_backup(id), State.list_keys("global").length, State.load("global", "k5000").n]`,
  };

  it('works as with small', async () => {
    await using test = await testRuntime();
    expect((await test.runtime.execute(texts[language], { language, grants: test.grants })).value).toEqual([true, 5_000, 5_000]);
  });

  it('that is cancelled in the middle of a restore leaves a whole State, which can be written', async () => {
    await using test = await testRuntime();
    const run = async (text: string, signal?: AbortSignal) =>
      (await test.runtime.execute(text, { language: 'lua', grants: test.grants, ...(signal && { signal }) })).value;
    const saveAll = (value: string) => `State.transaction(function() for i = 1, 5000 do State.save("global", "k" .. i, "${value}") end end)`;
    const id = await run(`${saveAll('a')} return State.backup()`);
    await run(saveAll('b'));
    const abort = new AbortController();
    const restoring = test.runtime.execute(`State.restore("${id}")`, { language, grants: test.grants, signal: abort.signal });
    setTimeout(() => abort.abort(), 5 + Math.random() * 60);
    await restoring.catch(({ code }) => expect(code).toBe('CANCELLED'));
    const seen = await run(
      `return State.transaction(function() local n = {} for i = 1, 5000 do local v = State.load("global", "k" .. i) n[v] = (n[v] or 0) + 1 end State.save("global", "k1", "w") return n end)`,
    );
    expect([{ a: 5_000 }, { b: 5_000 }]).toContainEqual(seen);
  });
});

describe('a backup', () => {
  it('is a line of JSON and one value in the stored form, however large', async () => {
    const { host, context } = open('sqlite');
    await fill(context, 'x'.repeat(300), 2_000);
    await save(context, 'user:ada', 'large', new Uint8Array(900_000).fill(7), { ttl_ms: 1e9 });
    const id = await backup(context, 'ä description');
    const file = readFileSync(join(tenantFolder(host.dataDir, 'default'), 'backups', `${id}.backup`));
    const end = file.indexOf(10);
    const line = JSON.parse(file.toString('utf8', 0, end));
    const body = file.subarray(end + 1);
    expect(line).toMatchObject({ id, description: 'ä description', entries: 2_001, size_bytes: body.length, sha256: sha256(body) });
    const { entries, meta } = decode(body) as { entries: [string, string, Uint8Array, number | null][]; meta: object };
    expect([entries.length, entries[2_000]?.[1], entries[2_000]?.[2].length, typeof entries[2_000]?.[3], meta]).toEqual([
      2_001,
      'large',
      900_005,
      'number',
      {},
    ]);
  });

  it.each([10, 20_000])('of an earlier version, whose line has no blanks, is restored: values of %i bytes', async (size) => {
    const { host, context } = open('sqlite');
    const undo = await backup(context);
    const value = encode('x'.repeat(size));
    const entries: [string, string, Uint8Array, number | null][] = Array.from({ length: 50 }, (_, at) => ['global', `é${at}`, value, at ? null : 4e12]);
    const body = encode({ meta: { 'schema:global': '3' }, entries });
    const id = 'bak_1700000000000_0123abcd';
    const line = { format: 'llmspell-backup-1', id, created_at: 1, size_bytes: body.length, entries: 50, sha256: sha256(body) };
    const folder = join(tenantFolder(host.dataDir, 'default'), 'backups');
    writeFileSync(join(folder, `${id}.backup`), Buffer.concat([Buffer.from(`${JSON.stringify(line)}\n`), body]));
    await restore(context, id);
    expect([(await listKeys(context, 'global', {})).length, await load(context, 'global', 'é49')]).toEqual([50, 'x'.repeat(size)]);
    await restore(context, undo);
    expect(await listKeys(context, 'global', {})).toEqual([]);
    expect(readdirSync(folder).every((name) => name.endsWith('.backup'))).toBe(true);
  });
});

/** Goes on restoring two backups in turn. */
const RESTORER = `
import { SqliteStore } from '${new URL('../../src/store/sqlite.ts', import.meta.url).href}';
const store = new SqliteStore(process.argv[2], 'normal');
for (let i = 0; ; i++) {
  await store.backups.restore(i % 2 ? 'bak_a' : 'bak_b', { id: 'bak_before', created_at: 1 });
  process.stdout.write('.');
}`;

it('kill -9 in the middle of a restore leaves one whole State', { timeout: 60_000 }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'llmspell-restore-'));
  folders.push(root);
  const folder = join(root, 'data');
  const script = join(root, 'restorer.ts');
  writeFileSync(script, RESTORER);
  const store = new SqliteStore(folder, 'normal');
  for (const letter of ['a', 'b']) {
    const value = new Uint8Array(300).fill(letter.charCodeAt(0));
    await store.commit(
      Array.from({ length: 1_500 }, (_, at) => ({ scope: 's', key: `k${at}`, put: { value } })),
      0,
    );
    await store.backups.make({ id: `bak_${letter}`, created_at: 1 });
  }
  store.close();
  for (let i = 0; i < 2; i++) {
    const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((done) => child.stdout.once('data', done));
    await new Promise((done) => setTimeout(done, Math.random() * 100));
    child.kill('SIGKILL');
    await new Promise((done) => child.once('exit', done));
    const after = new SqliteStore(folder, 'normal');
    const keys = await after.list('s', {}, 0);
    expect(keys).toHaveLength(1_500);
    expect(new Set(keys.map((key) => after.get('s', key, 0)?.value[0])).size).toBe(1);
    after.close();
  }
});

it('a commit that turns out to take long is made in a thread, and is seen at once', async () => {
  const { context } = open('sqlite');
  const large = new Uint8Array(1_000_000);
  for (let i = 0; i < 25; i++) await save(context, 'global', `k${i}`, large);
  for (let round = 0; round < 3; round++) {
    const count = await transact(context, async (inside) => {
      const keys = await listKeys(inside, 'global', {});
      await save(inside, 'global', `new ${round}`, round);
      return keys.length;
    });
    expect([count, await load(context, 'global', `new ${round}`), (await listKeys(context, 'global', {})).length]).toEqual([25 + round, round, 26 + round]);
    await save(context, 'user:x', 'n', round);
    expect(await load(context, 'user:x', 'n')).toBe(round);
  }
});

it('a small write waits for a large one and is not lost', async () => {
  const { host, context } = open('sqlite');
  await fill(context, 'x');
  const id = await backup(context);
  const store = host.get(stateManager).store('default');
  const restoring = restore(context, id);
  const writes = Array.from({ length: 20 }, async (_, at) => {
    await new Promise((done) => setTimeout(done, at * 10));
    await save(context, 'user:w', String(at), at);
    return (await store.get('user:w', String(at), 0)) !== undefined || 'restored since';
  });
  expect((await Promise.all(writes)).every(Boolean)).toBe(true);
  await restoring;
});

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { storeArtifact } from '../../src/artifact/artifact.ts';
import type { Context } from '../../src/call/context.ts';
import { uncharged } from '../../src/call/cpu.ts';
import { sha256 } from '../../src/call/digest.ts';
import { HostContainer } from '../../src/call/run.ts';
import type { EmbeddingModel } from '../../src/model/embedding.ts';
import { embeddings } from '../../src/model/embeddings.ts';
import { ingest } from '../../src/rag/ingest.ts';
import { openPipeline } from '../../src/rag/pipeline.ts';
import { retrieve } from '../../src/rag/retrieve.ts';
import { createSession } from '../../src/session/session.ts';
import { addTurns, setValue } from '../../src/session/turns.ts';
import { backup } from '../../src/state/backup.ts';
import { createStateManager, stateManager } from '../../src/state/manager.ts';
import { load, save } from '../../src/state/state.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { listTenants, removeTenant, tenantOwners } from '../../src/tenant/tenants.ts';
import { testHost, testRun } from '../support/run.ts';
import { testRuntime } from '../support/runtime.ts';
import { filesOf } from '../support/tenants.ts';

const SECRET = 'canary-of-the-removed';

/** Its vectors are kept in the tenant's cache. */
const kept: EmbeddingModel = { name: 'own/kept', dimensions: 2, batch: 8, embed: async (texts) => texts.map((text) => Float32Array.of(text.length, 1)) };

const knowledgeOf = (context: Context) =>
  openPipeline(context, context.run.tenant, { tenant: undefined, name: 'main', chunking: undefined, embedder: kept.name, storage: {} });

async function fill(host: HostContainer, tenant: string, secret: string): Promise<void> {
  const { context } = testRun({ host, tenant });
  host.get(embeddings).register(kept.name, kept);
  const knowing = testRun({ host, tenant, grants: { models: ['own/*'] } }).context;
  const documents = ['one', 'two'].map((id) => ({
    content: `${id} holds ${secret}`,
    name: `${secret}.txt`,
    metadata: { document_id: `${id} ${secret}`, secret },
  }));
  await ingest(knowing, knowledgeOf(knowing), documents);
  expect((await retrieve(knowing, knowledgeOf(knowing), { query: 'holds' })).length).toBe(2);
  await save(context, 'global', secret, secret);
  await backup(context, secret);
  const { id } = await createSession(context, { name: secret, tags: [secret], metadata: { secret } });
  await addTurns(context, id, [{ role: 'user', content: secret }]);
  await setValue(context, id, 'k', secret);
  await storeArtifact(context, { session_id: id, type: 't', name: secret, metadata: { secret } }, Buffer.from(secret));
  // Noise is not compressed, so the secret in it can be found.
  const noise = Buffer.concat([Buffer.from(secret), crypto.getRandomValues(new Uint8Array(60_000)), crypto.getRandomValues(new Uint8Array(60_000))]);
  await storeArtifact(context, { session_id: id, type: 't', name: 'noise' }, noise);
}

const holding = (folder: string, text: string) => filesOf(folder).filter((file) => readFileSync(file).includes(text));

describe('tenants of what is no host', () => {
  it('are refused in one sentence', async () => {
    await using test = await testRuntime();
    for (const [none, found] of [
      [test.runtime, 'a ScriptRuntime'],
      [undefined, 'nothing'],
    ] as unknown as [HostContainer, string][]) {
      const message = `: host: expected the host of a runtime (runtime.host), got ${found}`;
      await expect(listTenants(none)).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: `listTenants${message}` });
      await expect(removeTenant(none, 'a')).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: `removeTenant${message}` });
    }
  });
});

describe('removing a tenant', () => {
  it('leaves no byte of it, and all of the others', async () => {
    const host = testHost();
    await fill(host, SECRET, SECRET);
    await fill(host, 'other', 'canary-of-the-other');
    for (const part of ['blobs', 'knowledge.db', 'state.db']) expect(holding(host.dataDir, SECRET).some((file) => file.includes(part))).toBe(true);
    expect(filesOf(host.dataDir).filter((file) => file.endsWith('embeddings.db')).length).toBe(2);
    expect(holding(host.dataDir, SECRET).length).toBeGreaterThan(3);
    expect((await listTenants(host)).map(({ id }) => id)).toEqual([SECRET, 'other']);
    expect(await removeTenant(host, SECRET)).toBe(true);
    expect(holding(host.dataDir, SECRET)).toEqual([]);
    expect(existsSync(tenantFolder(host.dataDir, SECRET))).toBe(false);
    expect(holding(host.dataDir, 'canary-of-the-other').length).toBeGreaterThan(2);
    expect(await listTenants(host)).toEqual([{ id: 'other', folder: expect.stringMatching(/^[0-9a-f]{32}$/), size_bytes: expect.any(Number) }]);
    expect(await removeTenant(host, SECRET)).toBe(false);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });

  it('gives each a folder that is the hash of its id, the default one too', () => {
    for (const id of ['default', 'other', '..']) expect(tenantFolder('data', id)).toBe(join('data', 'tenants', sha256(id).slice(0, 32)));
  });

  it('leaves no byte of a tenant that is being filled meanwhile, and what goes on begins anew', async () => {
    const host = testHost();
    await fill(host, 'a', SECRET);
    const { context } = testRun({ host, tenant: 'a', grants: { models: ['own/*'] } });
    const documents = Array.from({ length: 200 }, (_, at) => ({ content: `${at} ${SECRET} ${'word '.repeat(100)}`, metadata: { document_id: `d${at}` } }));
    const filling = ingest(context, knowledgeOf(context), documents);
    while ((await listTenants(host))[0] === undefined || knowledgeOf(context).base.stats().document_count < 20) await new Promise((done) => setImmediate(done));
    expect(await removeTenant(host, 'a')).toBe(true);
    expect(await filling).toMatchObject({ documents: 200, failed: [] });
    expect(knowledgeOf(context).base.stats().document_count).toBeLessThan(190);
    expect(await knowledgeOf(context).base.verify()).toEqual([]);
    await removeTenant(host, 'a');
    expect(holding(host.dataDir, SECRET)).toEqual([]);
    await ingest(context, knowledgeOf(context), documents.slice(0, 1));
    expect(knowledgeOf(context).base.stats().document_count).toBe(1);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });

  it('asks every owner first, and removes nothing when one cannot let go', async () => {
    const host = testHost();
    await fill(host, 'a', SECRET);
    const asked: string[] = [];
    let held = true;
    host.get(tenantOwners).add({
      async release(tenant) {
        if (held) throw new Error('still held');
        asked.push(tenant);
      },
    });
    await expect(removeTenant(host, 'a')).rejects.toThrow('still held');
    expect(await load(testRun({ host, tenant: 'a' }).context, 'global', SECRET)).toBe(SECRET);
    held = false;
    await removeTenant(host, 'a');
    expect(asked).toEqual(['a']);
    expect(await load(testRun({ host, tenant: 'a' }).context, 'global', SECRET)).toBeNull();
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });

  it('removes a damaged one too', async () => {
    const host = testHost();
    await fill(host, 'a', SECRET);
    await host[Symbol.asyncDispose]();
    writeFileSync(join(tenantFolder(host.dataDir, 'a'), 'state.db'), Buffer.alloc(8_192, 7));
    const again = new HostContainer(host.config, host.dataDir);
    expect(() => load(testRun({ host: again, tenant: 'a' }).context, 'global', 'k')).toThrow(
      /^the database tenants\/[0-9a-f]{32}\/state\.db in the data folder is not one of llmspell/,
    );
    expect(await removeTenant(again, 'a')).toBe(true);
    expect(filesOf(host.dataDir)).toEqual([]);
    await again[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });

  it('works in memory and refuses names that are none', async () => {
    const host = testHost({ data: { backend: 'memory' } });
    await fill(host, 'a', SECRET);
    expect(await removeTenant(host, 'a')).toBe(true);
    expect(await load(testRun({ host, tenant: 'a' }).context, 'global', SECRET)).toBeNull();
    for (const name of ['', '../x', 'a/b', "a'; DROP TABLE state; --", 'ä', 'a\0', 'x'.repeat(129)])
      await expect(removeTenant(host, name)).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: expect.stringContaining('tenant: expected 1 to 128 of') });
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });

  it('is told to what was under way of it, whatever that was', async () => {
    const host = testHost();
    const store = host.get(stateManager).store('a');
    const charge = { run: uncharged('a') };
    const writes = Array.from({ length: 400 }, (_, at) => ({ scope: 's', key: `k${at}`, put: { value: Buffer.from(SECRET) } }));
    expect(await store.commit(writes, 0)).toBe(true);
    await store.backups.make({ id: 'bak_1', created_at: 1 });
    let go = () => {};
    const reading = new Promise<void>((done) => (go = done));
    const works: (() => unknown)[] = [
      () => store.commit(writes, 0),
      () => store.clear('s', 0),
      () => store.backups.make({ id: 'bak_2', created_at: 2 }),
      () => store.backups.restore('bak_1', { id: 'bak_3', created_at: 3 }),
      () => reading.then(() => store.list('s', {}, 0, charge)),
      () => reading.then(() => store.commit(writes.slice(1), 0)),
    ];
    const told = works.map((work) => Promise.resolve(work()).catch(({ code, message }) => `${code} ${message}`));
    expect(await removeTenant(host, 'a')).toBe(true);
    go();
    expect(await Promise.all(told)).toEqual(works.map(() => 'STORE_FAILED the tenant was removed; the next call begins anew'));
    expect(filesOf(host.dataDir)).toEqual([]);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });

  it('is told to another process that has it open, which begins anew', async () => {
    const host = testHost();
    await save(testRun({ host, tenant: 'a' }).context, 'global', 'k', SECRET);
    const script = join(host.dataDir, 'other.ts');
    const src = new URL('../../src/', import.meta.url).href;
    writeFileSync(
      script,
      `import { createStateManager } from '${src}state/manager.ts';
       const state = createStateManager({ data: { dir: process.argv[2] } });
       console.log(await state.load('global', 'k', { tenant: 'a' }));
       for await (const _ of process.stdin) {
         console.log(await state.load('global', 'k', { tenant: 'a' }).catch((error) => error.message));
         await state.save('global', 'new', 1, { tenant: 'a' });
         console.log(String(await state.load('global', 'k', { tenant: 'a' })), await state.load('global', 'new', { tenant: 'a' }));
         break;
       }`,
    );
    const child = spawn(process.execPath, [script, host.dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    await new Promise((done) => child.stdout.once('data', done));
    await removeTenant(host, 'a');
    child.stdin.end('go\n');
    await new Promise((done) => child.once('exit', done));
    expect(said.trim().split('\n')).toEqual([SECRET, 'the tenant was removed; the next call begins anew', 'undefined 1']);
    await host[Symbol.asyncDispose]();
    rmSync(host.dataDir, { recursive: true, force: true });
  });
});

describe('tenants of hosts', () => {
  it('are named by the scope, or else by the option', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'llmspell-'));
    await using state = createStateManager({ data: { dir } });
    await state.save('tenant:b', 'k', 'of b');
    await state.save('tenant:b', 'l', 'of b', { tenant: 'c' });
    expect([await state.load('tenant:b', 'k', { tenant: 'b' }), await state.load('tenant:b', 'l'), await state.list_scopes({ tenant: 'c' })]).toEqual([
      'of b',
      'of b',
      [],
    ]);
    expect(readdirSync(join(dir, 'tenants')).length).toBe(2);
    rmSync(dir, { recursive: true, force: true });
  });

  it('keep to tenants.max_bytes', async () => {
    await using test = await testRuntime({ tenants: { max_bytes: 300_000 } });
    const run = (lua: string, tenant: string) => test.runtime.execute(lua, { language: 'lua', tenant });
    const save = 'State.save("global", "k" .. tostring(ARGS[1]), ("x"):rep(200000))';
    await run(save, 'a');
    await expect(run('State.save("global", "more", ("x"):rep(200000))', 'a')).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: expect.stringContaining('the tenant would take more than tenants.max_bytes = 300000; nothing of this call was saved'),
    });
    await run(save, 'b');
    expect((await run('return State.list_keys("global")', 'a')).value).toHaveLength(1);
  });
});

describe.each(['lua', 'javascript'] as const)('reading the data of a granted tenant by %s', (language) => {
  it('makes nothing of one that has none, and writing does', async () => {
    await using test = await testRuntime();
    const run = async (text: string) => (await test.runtime.execute(text, { language, grants: { ...test.grants, tenants: ['b'] } })).value;
    const reads = ['State.load("tenant:b", "k")', 'State.exists("tenant:b", "k")', 'State.list_keys("tenant:b")', 'RAG.retrieve("tenant:b", "x").chunks'];
    const [returns, array] = language === 'lua' ? ['return ', ['{', '}']] : ['', ['[', ']']];
    const stats = 'RAG.get_stats("tenant:b").document_count';
    const all = `${returns}${array[0]}${['RAG.list_documents("tenant:b")', stats, ...reads.slice(1), reads[0]].join(', ')}${array[1]}`;
    expect(await run(all)).toEqual([[], 0, false, [], [], ...(language === 'lua' ? [] : [null])]);
    const folder = tenantFolder(join(test.folder, 'data'), 'b');
    expect(existsSync(folder)).toBe(false);
    await run('State.save("tenant:b", "k", 1)');
    expect(existsSync(folder)).toBe(true);
    expect(await run(`${returns}State.load("tenant:b", "k")`)).toBe(1);
    const documents = language === 'lua' ? '{{content = "The ferry leaves."}}' : '[{content: "The ferry leaves."}]';
    expect(await run(`${returns}${stats}`)).toBe(0);
    await run(`RAG.ingest_documents("tenant:b", ${documents})`);
    expect(await run(`${returns}${stats}`)).toBe(1);
  });
});

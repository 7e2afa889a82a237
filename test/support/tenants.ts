import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deleteArtifact, findArtifact, queryArtifacts, storeArtifact } from '../../src/artifact/artifact.ts';
import { readArtifact } from '../../src/artifact/read.ts';
import type { Context } from '../../src/call/context.ts';
import type { HostContainer } from '../../src/call/run.ts';
import { ingest } from '../../src/rag/ingest.ts';
import { pipelineOf } from '../../src/rag/pipeline.ts';
import { retrieve } from '../../src/rag/retrieve.ts';
import { deleteDocuments, getDocument, listDocuments } from '../../src/rag/upkeep.ts';
import { exportSession } from '../../src/session/export.ts';
import { createSession, deleteSession, forkSession, listSessions } from '../../src/session/session.ts';
import { addTurns, getTurns, getValue, setValue } from '../../src/session/turns.ts';
import { listKeys, load, remove, save } from '../../src/state/state.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { testRun } from './run.ts';

/** What a tenant writes everywhere and nobody else may ever see. */
export const canary = (tenant: string) => `canary-${tenant}-`;
const CANARY = /canary-(t\d+)-/g;

/** Tenants whose canaries are in a text. */
export function tenantsIn(text: string): Set<string> {
  return new Set([...text.matchAll(CANARY)].map((found) => found[1] as string));
}

/** Random operations of one tenant; gives the canaries of others that it was shown. */
export async function operate(host: HostContainer, tenant: string, operations: number, seed: number, confused?: Context): Promise<string[]> {
  const own = testRun({ host, tenant, seed }).context;
  const random = (below: number) => Math.floor(own.run.random() * below);
  const mark = () => `${canary(tenant)}${random(1_000_000)}`;
  const foreign = new Set<string>();
  const see = (value: unknown) => {
    const text = value instanceof Uint8Array ? Buffer.from(value).toString() : (JSON.stringify(value) ?? '');
    for (const seen of tenantsIn(text)) if (seen !== tenant) foreign.add(seen);
  };
  const sessions = [(await createSession(own, { name: mark() })).id];
  const session = () => sessions[random(sessions.length)] as string;
  const base = (context: Context) => pipelineOf(context, context.run.tenant);
  const steps: ((context: Context) => Promise<unknown>)[] = [
    async (context) => save(context, `user:u${random(5)}`, `k${random(20)}`, { text: mark() }),
    async (context) => see(await load(context, `user:u${random(5)}`, `k${random(20)}`)),
    async (context) => see(await listKeys(context, `user:u${random(5)}`, {})),
    async (context) => remove(context, `user:u${random(5)}`, `k${random(20)}`),
    async () => addTurns(own, session(), [{ role: 'user', content: mark() }]),
    async () => see(await getTurns(own, session(), { last: 5 })),
    async () => setValue(own, session(), `v${random(3)}`, mark()),
    async () => see(await getValue(own, session(), `v${random(3)}`)),
    async () => see(await exportSession(own, session())),
    async (context) => see(await listSessions(context, {})),
    async () =>
      storeArtifact(
        own,
        { session_id: session(), type: 't', name: mark(), metadata: { m: mark() } },
        Buffer.from(mark().repeat(random(20) === 0 ? 4_000 : 10)),
      ),
    async (context) => {
      const [found] = await queryArtifacts(context, { limit: 1 });
      see(found);
      if (found) see(await readArtifact(context, found));
      if (found) see(await findArtifact(own, found.session_id, found.id));
    },
    async () => {
      const [found] = await queryArtifacts(own, { limit: 1 });
      if (found && random(3) === 0) await deleteArtifact(own, found.session_id, found.id);
    },
    async (context) => {
      const metadata = { document_id: `d${random(10)}`, kind: `k${random(3)}`, own: mark() };
      await ingest(context, base(context), [{ content: `The words of this document are ${mark()} and others.`, metadata }]);
    },
    async (context) => {
      const query = { query: `words of ${mark()}`, top_k: 10, ...(random(2) === 0 && { metadata_filters: { kind: `k${random(3)}` } }) };
      see((await retrieve(context, base(context), query)).map(({ chunk, document }) => ({ ...document, text: chunk.text })));
    },
    async (context) => see([listDocuments(context, base(context)), getDocument(base(context), `d${random(10)}`)]),
    async (context) => deleteDocuments(context, base(context), { document_ids: [`d${random(10)}`] }),
    async () => {
      if (random(20) === 0) sessions.push((await forkSession(own, session())).id);
      if (sessions.length > 3) await deleteSession(own, sessions.shift() as string);
    },
  ];
  for (let i = 0; i < operations; i++) {
    const step = steps[random(steps.length)] as (context: Context) => Promise<unknown>;
    await step(confused && random(20) === 0 ? confused : own);
    if (random(10) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return [...foreign];
}

/** Canaries of others in the files of each tenant. */
export function foreignInFiles(dataDir: string, tenants: readonly string[]): string[] {
  return tenants.flatMap((tenant) =>
    filesOf(tenantFolder(dataDir, tenant)).flatMap((file) =>
      [...tenantsIn(readFileSync(file).toString('latin1'))].filter((seen) => seen !== tenant).map((seen) => `${seen} in ${tenant}`),
    ),
  );
}

/** All files below a folder. */
export function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

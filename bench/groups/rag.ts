import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CAPABILITIES } from '../../src/call/capability.ts';
import type { Grants } from '../../src/call/context.ts';
import { assemble } from '../../src/rag/assemble.ts';
import type { Hit } from '../../src/rag/knowledge.ts';
import { bootstrapRatio } from '../bootstrap.ts';
import { type Ours, open } from '../ours.ts';
import { prose } from '../prose.ts';
import { headline, median, type Row, row } from '../row.ts';

const TENANTS = 64;
/** Of each step; every tenant has four. */
const DOCUMENTS = 12;
const ROUNDS = 4 * TENANTS;
const PIPELINES = 100;
const GRANTS: Partial<Grants> = { capabilities: new Set(Object.keys(CAPABILITIES) as never[]), models: ['local/*'] };

/** Knowledge bases as scripts use them: ingest, the assembly of a context, tenants beside each other, memory. */
export async function ragRows(): Promise<Row[]> {
  const memory = await pipelineMemory();
  const overhead = await tenantOverhead();
  return [
    headline(row('ingest of a document of 2 kB through RAG.ingest_documents (local/words)', await ingestMs(), 'ms', 3)),
    row('context of 10 passages of 500 characters', await assemblyMs(), 'ms', 0.5),
    ...(['ingest', 'search'] as const).flatMap((what) => [
      row(`${what} over ${TENANTS} tenants, times one tenant with as many documents`, overhead[what].middle, ''),
      row('lower end of its 95 % interval', overhead[what].low, '', 1),
      row('upper end of its 95 % interval', overhead[what].high, ''),
    ]),
    row('memory of one more pipeline with a document', memory, 'MB'),
  ];
}

/** Lua that ingests documents of 2 kB, each another. */
function ingestion(from: number, count: number): string {
  const documents = Array.from(
    { length: count },
    (_, at) => `{content = ${JSON.stringify(prose(2_000, from + at))}, metadata = {document_id = "d${from + at}"}}`,
  );
  return documents.map((one) => `RAG.ingest_documents("global", {${one}})`).join('\n');
}

async function ingestMs(): Promise<number> {
  const ours = await open();
  let from = 0;
  const work = () => ours.runtime.execute(ingestion((from += 50), 50), { grants: GRANTS });
  await work();
  const micros = await median(9, 50, work);
  await ours.close();
  return micros / 1_000;
}

/** The same documents and searches over many tenants in turn and in one, each step of the one beside a step of the other. */
async function tenantOverhead() {
  const [one, many] = [await open(), await open()];
  const timed = async ({ runtime }: Ours, tenant: string, text: string) => {
    const started = performance.now();
    await runtime.execute(text, { grants: GRANTS, tenant });
    return performance.now() - started;
  };
  /** The many's time over the one's; who is first changes. */
  const compared = async (at: number, text: string) => {
    const tenant = `t${at % TENANTS}`;
    const first = at % 2 === 0 ? await timed(one, 't0', text) : 0;
    const theirs = await timed(many, tenant, text);
    return theirs / (first || (await timed(one, 't0', text)));
  };
  const ingest: number[] = [];
  const search: number[] = [];
  for (let at = 0; at < ROUNDS; at++) ingest.push(await compared(at, ingestion(DOCUMENTS * at, DOCUMENTS)));
  for (let at = 0; at < ROUNDS; at++) search.push(await compared(at, `for i = 1, 10 do RAG.retrieve("global", "tools and files " .. i) end`));
  await one.close();
  await many.close();
  // The first of each tenant make its folder and open it.
  return { ingest: bootstrapRatio(ingest.slice(TENANTS)), search: bootstrapRatio(search.slice(TENANTS)) };
}

async function assemblyMs(): Promise<number> {
  const hits: Hit[] = Array.from({ length: 10 }, (_, at) => {
    const text = prose(500, 10 * at);
    const document = { id: `d${at}`, source: `d${at}.md`, format: 'markdown', metadata: {}, version: 1 };
    return { chunk: { index: 0, text, start: 0, stop: text.length }, document, score: 1 - at / 10, similarity: undefined, ranks: {} };
  });
  const work = () => {
    for (let at = 0; at < 50; at++) assemble(hits, 4_000);
  };
  work();
  return (await median(11, 50, work)) / 1_000;
}

/** Resident memory that each further knowledge base takes when it was filled and searched, MB. */
async function pipelineMemory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const ours = await open();
  const document = JSON.stringify(prose(2_000));
  const use = async (from: number, to: number) => {
    await ours.runtime.execute(
      `for i = ${from}, ${to} do local rag = RAG.create({name = "p" .. i}) rag:ingest_documents({{content = ${document}}}) rag:retrieve("tools") end`,
      { grants: GRANTS },
    );
    collect();
    return process.memoryUsage().rss;
  };
  const before = await use(1, PIPELINES);
  const used = (await use(PIPELINES + 1, 2 * PIPELINES)) - before;
  await ours.close();
  return used / PIPELINES / 2 ** 20;
}

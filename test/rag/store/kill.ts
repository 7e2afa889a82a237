import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKnowledge } from '../../../src/rag/store/knowledge.ts';
import { vectorOf } from './support.ts';

/** Steps of a write between which a process is killed; the last two are those of an index that is put to use. */
export const FAILPOINTS = ['begun', 'forgotten', 'document', 'rows', 'text', 'logged', 'committed', 'built', 'published'] as const;
/** So few vectors are searched exactly that indexes are made during the test. */
const EXACT_LIMIT = 60;

export interface Kill {
  /** Where the process kills itself; undefined: it is killed at a random time. */
  readonly at?: (typeof FAILPOINTS)[number] | undefined;
  /** Writes the full text outside of the document's transaction. */
  readonly sabotaged?: boolean | undefined;
}

const url = (path: string) => new URL(path, import.meta.url).href;

/** A process that adds, replaces, removes and searches, and tells of each write that it has returned from. */
const WRITER = `
import { openKnowledge } from '${url('../../../src/rag/store/knowledge.ts')}';
import { prepared, settings, vectorOf } from '${url('./support.ts')}';
const [dataDir, at, sabotaged, seed] = process.argv.slice(2);
let left = at === 'built' || at === 'published' ? 1 : 3 + (Number(seed) % 9);
const failpoint = (name, db) => {
  if (sabotaged === 'yes' && name === 'rows') db.exec('COMMIT; BEGIN');
  if (name === at && --left === 0) process.kill(process.pid, 'SIGKILL');
};
const knowledge = openKnowledge({ backend: 'sqlite', durability: 'normal', dataDir, exactLimit: ${EXACT_LIMIT}, failpoint });
const base = knowledge.base('t', 'main');
await base.configure(settings());
let random = Number(seed);
const next = (below) => (random = (random * 48271) % 2147483647) % below;
process.stdout.write('ready\\n');
for (let i = 0; ; i++) {
  const id = 'd' + next(40);
  if (next(6) === 0) {
    await base.remove({ ids: [id] });
    process.stdout.write(JSON.stringify([id, null]) + '\\n');
  } else {
    const hash = seed + '-' + i;
    await base.put(prepared(id, Array.from({ length: 1 + next(6) }, (_, at) => 'words ' + hash + ' ' + at + ' '), { hash, metadata: { n: i, tags: ['a', 'b' + (i % 3)] } }), i);
    process.stdout.write(JSON.stringify([id, hash]) + '\\n');
  }
  if (next(4) === 0) await base.search({ mode: 'hybrid', text: 'words ' + i, vector: vectorOf('words'), limit: 5 });
  // Otherwise the background work would never get a turn.
  await new Promise((resolve) => setImmediate(resolve));
}`;

/** Lets a process write to a data folder, kills it, and says what each document was told to be (null: removed); the write that was under way is not among them. */
export async function killOnce(dataDir: string, kill: Kill): Promise<Map<string, string | null>> {
  const script = join(dataDir, 'writer.ts');
  writeFileSync(script, WRITER);
  const seed = String(1 + Math.floor(Math.random() * 2 ** 30));
  const child = spawn(process.execPath, [script, dataDir, kill.at ?? '', kill.sabotaged ? 'yes' : '', seed], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (text) => (told += text));
  const ended = new Promise((done) => child.once('exit', done));
  await Promise.race([new Promise((done) => child.stdout.once('data', done)), ended]);
  if (!kill.at) {
    await new Promise((done) => setTimeout(done, Math.random() * 300));
    child.kill('SIGKILL');
  }
  const ending = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(ending);
  const lines = told.split('\n').slice(1, -1);
  return new Map(lines.map((line) => JSON.parse(line) as [string, string | null]));
}

/** What does not agree in a data folder after a kill, and what was told and is not so. One write more than was told may be there. The index costs most of the time. */
export async function problemsAfter(dataDir: string, told: ReadonlyMap<string, string | null>, index = true): Promise<string[]> {
  const exactLimit = index ? EXACT_LIMIT : undefined;
  await using knowledge = openKnowledge({ backend: 'sqlite', durability: 'normal', dataDir, exactLimit });
  const base = knowledge.base('t', 'main');
  const differing = [...told].filter(([id, hash]) => (base.get(id)?.hash ?? null) !== hash);
  const lost = differing.length > 1 ? [`lost: ${differing.join('; ')}`] : [];
  const problems = [...lost, ...(await base.verify())];
  if (base.stats().chunk_count === 0) return problems;
  const hits = await base.search({ mode: 'vector', text: '', vector: vectorOf('words'), limit: 1_000 });
  if (base.stats().index.kind === 'flat' && hits.length !== base.stats().chunk_count) problems.push(`found ${hits.length} of ${base.stats().chunk_count}`);
  if (!index) return problems;
  await base.index.settled();
  return [...problems, ...(await base.verify())];
}

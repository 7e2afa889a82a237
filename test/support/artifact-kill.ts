import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { queryArtifacts } from '../../src/artifact/artifact.ts';
import { readArtifact } from '../../src/artifact/read.ts';
import { HostContainer } from '../../src/call/run.ts';
import { parseConfig } from '../../src/config/config.ts';
import { storeOf } from '../../src/state/state.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { testRun } from './run.ts';

const WRITER = join(import.meta.dirname, 'artifact-writer.ts');

/** Lets a process store artifacts into a data folder and kills it at a random moment; gives the ids that it told of. */
export async function killAtRandom(folder: string, sabotaged = false): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, folder, ...(sabotaged ? ['yes'] : [])], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (text) => {
    told += text;
  });
  await new Promise((done) => child.stdout.once('data', done));
  await new Promise((done) => setTimeout(done, Math.random() * 60));
  child.kill('SIGKILL');
  await new Promise((done) => child.once('exit', done));
  return told.split('\n').slice(0, -1);
}

/** What is wrong with a data folder after kills: artifacts that were told and are not there, artifacts that cannot be read whole, files that stay behind. */
export async function problems(folder: string, told: readonly string[]): Promise<string[]> {
  await using host = new HostContainer(parseConfig(), folder);
  const { context } = testRun({ host });
  const found: string[] = [];
  const there = await queryArtifacts(context, { limit: 1_000_000 });
  const ids = new Set(there.map(({ id }) => id));
  found.push(...told.filter((id) => !ids.has(id)).map((id) => `lost ${id}`));
  for (const one of there) {
    const content = await Promise.resolve()
      .then(() => readArtifact(context, one))
      .catch((error: Error) => error.message);
    if (typeof content === 'string' || content.length !== one.size) found.push(`half ${one.id}: ${content.toString().slice(0, 80)}`);
  }
  const { artifacts } = storeOf(context);
  await artifacts.collect();
  await artifacts.sweep(Date.now() + 7_200_000);
  const blobs = join(tenantFolder(folder, 'default'), 'blobs');
  const files = existsSync(blobs) ? readdirSync(blobs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()) : [];
  const wanted = new Set(await Promise.all(there.map(async ({ content_hash }) => (await artifacts.content(content_hash))?.file)));
  found.push(...files.filter(({ name }) => !wanted.has(name)).map(({ name }) => `left ${name}`));
  return found;
}

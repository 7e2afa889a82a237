import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { dirname, join } from 'node:path';
import { storeArtifact } from '../../src/artifact/artifact.ts';
import { HostContainer } from '../../src/call/run.ts';
import { parseConfig } from '../../src/config/config.ts';
import { createSession } from '../../src/session/session.ts';
import { storeOf } from '../../src/state/state.ts';
import { tenantFolder } from '../../src/store/folders.ts';
import { testRun } from './run.ts';

/** A process that stores artifacts of all sizes until it is killed and tells of each that it has returned from; sabotaged, it names files before they are whole. */
// Who is killed leaves no cache to the next one unless it is written now.
flushCompileCache();
const [folder = '', sabotaged] = process.argv.slice(2);
const { context } = testRun({ host: new HostContainer(parseConfig(), folder) });
const { id } = await createSession(context, {});
const { blobs } = storeOf(context);
if (sabotaged) {
  blobs.stage = async (pieces) => {
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    return {
      discard: () => undefined,
      place(hash) {
        const file = `${hash}-${randomBytes(8).toString('hex')}`;
        const path = join(tenantFolder(folder, 'default'), 'blobs', file.slice(0, 2), file);
        mkdirSync(dirname(path), { recursive: true });
        void open(path, 'w').then(async (handle) => {
          for (const piece of all) await handle.appendFile(piece);
          await handle.close();
        });
        return file;
      },
    };
  };
}
for (let i = 0; ; i++) {
  const content = i % 3 === 0 ? Buffer.from('text '.repeat(1_000 + i)) : randomBytes(i % 3 === 1 ? 30_000 : 900_000);
  const stored = await storeArtifact(context, { session_id: id, type: 't', name: `n${i % 7}` }, content);
  process.stdout.write(`${stored.id}\n`);
}

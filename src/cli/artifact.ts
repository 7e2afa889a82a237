import { pipeline } from 'node:stream/promises';
import { findArtifact, listArtifacts as listOf, queryArtifacts } from '../artifact/artifact.ts';
import { readArtifact, streamArtifact } from '../artifact/read.ts';
import { ScriptError } from '../errors.ts';
import { getSession } from '../session/session.ts';
import { print, printTable, time, withTenant } from './data.ts';
import type { DataFlags } from './nouns.ts';
import { writeOut } from './out.ts';
import { jsonText } from './report.ts';

/** Prints the artifacts of a session, or of all sessions of a tenant. */
export function listArtifacts(session: string | undefined, flags: DataFlags & { type?: string; limit?: number }): Promise<number> {
  return withTenant(flags, 'artifact list', async (context) => {
    const { type, limit } = flags;
    if (session !== undefined && !(await getSession(context, session))) throw new ScriptError('NOT_FOUND', `there is no session ${session}`);
    const found =
      session !== undefined && type === undefined && limit === undefined
        ? await listOf(context, session)
        : await queryArtifacts(context, { session_id: session, type, limit, latest: true });
    if (flags.json) return print(jsonText(found));
    printTable(
      found.map((one) => [one.id, one.session_id, one.name, one.type, `v${one.version}`, `${one.size} bytes`, time(one.created_at)]),
      'artifacts',
    );
  });
}

/** Writes the content of an artifact, checked as a whole before, to a file or standard output. */
export function getArtifact(session: string, reference: string, flags: DataFlags & { version?: number; out?: string }): Promise<number> {
  return withTenant(flags, 'artifact get', async (context) => {
    const found = await findArtifact(context, session, reference, flags.version);
    if (!found) {
      const version = flags.version !== undefined && (await findArtifact(context, session, reference)) ? `version ${flags.version} of the ` : '';
      throw new ScriptError('NOT_FOUND', `there is no ${version}artifact ${reference} in the session ${session}`);
    }
    if (flags.out !== undefined) {
      await writeOut(flags.out, streamArtifact(context, found));
      return print(flags.json ? jsonText({ ...found, file: flags.out }) : `wrote ${found.size} bytes to ${flags.out}`);
    }
    if (flags.json) return print(jsonText({ ...found, content: await readArtifact(context, found) }));
    await pipeline(streamArtifact(context, found), process.stdout, { end: false });
  });
}

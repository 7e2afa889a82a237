import { ScriptError } from '../errors.ts';
import { exportSession as exportOf } from '../session/export.ts';
import { getSession, listSessions as listOf } from '../session/session.ts';
import { getTurns } from '../session/turns.ts';
import { SESSION_STATUSES } from '../store/sessions.ts';
import { print, printTable, time, withTenant } from './data.ts';
import type { DataFlags } from './nouns.ts';
import { writeOut } from './out.ts';
import { jsonText } from './report.ts';

/** Prints the sessions of a tenant. */
export function listSessions(flags: DataFlags & { status?: string; tag?: string[]; limit?: number }): Promise<number> {
  return withTenant(flags, 'session list', async (context) => {
    const status = SESSION_STATUSES.find((one) => one === flags.status);
    if (flags.status !== undefined && !status)
      throw new ScriptError('BAD_ARGUMENT', `--status: expected active, suspended or completed, got ${JSON.stringify(flags.status)}`);
    const found = await listOf(context, { status, tags: flags.tag, limit: flags.limit });
    if (flags.json) return print(jsonText(found));
    printTable(
      found.map(({ id, status: state, turns, updated_at, name = '' }) => [id, state, turns === 1 ? '1 turn' : `${turns} turns`, time(updated_at), name]),
      'sessions',
    );
  });
}

/** Prints one session and its last turns. */
export function showSession(id: string, flags: DataFlags & { last?: number }): Promise<number> {
  return withTenant(flags, 'session show', async (context) => {
    const session = await getSession(context, id);
    if (!session) throw new ScriptError('NOT_FOUND', `there is no session ${id}`);
    const turns = await getTurns(context, id, { last: flags.last ?? 10 });
    if (flags.json) return print(jsonText({ ...session, last_turns: turns }));
    const { name, description, status, tags, created_at, updated_at, expires_at } = session;
    print(`${id}${name === undefined ? '' : `  ${name}`}  ${status}`);
    if (description !== undefined) print(description);
    if (tags.length > 0) print(`tags     ${tags.join(', ')}`);
    print(`made     ${time(created_at)}\nchanged  ${time(updated_at)}${expires_at === undefined ? '' : `\nexpires  ${time(expires_at)}`}`);
    for (const { number, role, content } of turns) print(`\n${number} ${role}: ${typeof content === 'string' ? content : jsonText(content)}`);
  });
}

/** Writes everything of a session as JSON, to a file or standard output. */
export function exportSession(id: string, flags: DataFlags & { out?: string }): Promise<number> {
  return withTenant(flags, 'session export', async (context) => {
    const text = jsonText(await exportOf(context, id));
    if (flags.out === undefined) return print(text);
    await writeOut(flags.out, [Buffer.from(`${text}\n`)]);
    print(flags.json ? jsonText({ ok: true, file: flags.out }) : `wrote ${flags.out}`);
  });
}

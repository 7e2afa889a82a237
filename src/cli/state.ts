import { ScriptError } from '../errors.ts';
import { backup, listBackups, restore } from '../state/backup.ts';
import { exists, listKeys, listScopes, load, remove, save } from '../state/state.ts';
import { print, printTable, time, withTenant } from './data.ts';
import { givenJson } from './given-json.ts';
import type { DataFlags } from './nouns.ts';
import { jsonText } from './report.ts';

/** Prints a value as JSON. */
export function getState(scope: string, key: string, flags: DataFlags): Promise<number> {
  return withTenant(flags, 'state get', async (context) => {
    if (!(await exists(context, scope, key))) throw new ScriptError('NOT_FOUND', `there is nothing under ${key} in the scope ${scope}`);
    print(jsonText(await load(context, scope, key)));
  });
}

/** Saves a value given as JSON; null deletes it. */
export function setState(scope: string, key: string, json: string, flags: DataFlags): Promise<number> {
  const work: Parameters<typeof withTenant>[2] = async (context) => {
    const value = givenJson(json);
    if (value === null) await remove(context, scope, key);
    else await save(context, scope, key, value);
    if (flags.json) print(jsonText({ ok: true }));
  };
  return withTenant(flags, 'state set', work, { makes: true });
}

/** Prints the keys of a scope, the scopes, or the backups. */
export async function listState(scope: string | undefined, flags: DataFlags & { prefix?: string; backups?: boolean }): Promise<number> {
  if (flags.backups && (scope !== undefined || flags.prefix !== undefined))
    throw new ScriptError('BAD_ARGUMENT', 'state list: --backups goes with neither a scope nor --prefix: backups are of all scopes');
  if (flags.prefix !== undefined && scope === undefined) throw new ScriptError('BAD_ARGUMENT', 'state list: --prefix is one of keys and needs their scope');
  return withTenant(flags, 'state list', async (context) => {
    if (flags.backups) {
      const all = await listBackups(context);
      if (flags.json) return print(jsonText(all));
      return printTable(
        all.map(({ id, created_at, entries, size_bytes, description = '' }) => [id, time(created_at), `${entries} values`, `${size_bytes} bytes`, description]),
        'backups',
      );
    }
    const names = scope === undefined ? await listScopes(context) : await listKeys(context, scope, { prefix: flags.prefix });
    if (flags.json) return print(jsonText(names));
    printTable(
      names.map((name) => [name]),
      scope === undefined ? 'scopes' : `keys in the scope ${scope}`,
    );
  });
}

/** Makes a backup and prints its id. */
export function backupState(flags: DataFlags & { description?: string }): Promise<number> {
  return withTenant(flags, 'state backup', async (context) => {
    const id = await backup(context, flags.description);
    print(flags.json ? jsonText({ id }) : id);
  });
}

/** Restores a backup and prints the id of one of what was there. */
export function restoreState(id: string, flags: DataFlags): Promise<number> {
  return withTenant(flags, 'state restore', async (context) => {
    const before = await restore(context, id);
    print(flags.json ? jsonText({ restored: id, before }) : before);
  });
}

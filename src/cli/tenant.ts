import { ScriptError } from '../errors.ts';
import { listTenants as listOf, removeTenant as remove } from '../tenant/tenants.ts';
import { print, printTable, withHost } from './data.ts';
import type { DataFlags } from './nouns.ts';
import { jsonText } from './report.ts';

/** Prints the tenants with what they take on disk. */
export function listTenants(flags: DataFlags): Promise<number> {
  return withHost(flags, async (host) => {
    const all = await listOf(host);
    if (flags.json) return print(jsonText(all));
    printTable(
      all.map(({ id, folder, size_bytes }) => [id ?? `(unnamed, ${folder})`, `${size_bytes} bytes`]),
      'tenants',
    );
  });
}

/** Removes everything of a tenant. */
export function removeTenant(id: string, flags: DataFlags): Promise<number> {
  return withHost(flags, async (host) => {
    if (!(await remove(host, id))) throw new ScriptError('NOT_FOUND', `there is no tenant ${id} in ${flags.data ?? host.config.data.dir}`);
    print(flags.json ? jsonText({ removed: id }) : `removed ${id}`);
  });
}

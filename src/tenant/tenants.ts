import { existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Host, hostService } from '../call/context.ts';
import { randomBytes } from '../call/digest.ts';
import { checkValue, type Rule } from '../call/rules.ts';
import { HostContainer } from '../call/run.ts';
import type { Soon } from '../call/soon.ts';
import { stateManager } from '../state/manager.ts';
import { storeFailure } from '../store/failure.ts';
import { checkTenant, tenantFolder, tenantFolders } from '../store/folders.ts';

/** A part of the runtime that keeps something of tenants open or in memory: databases, indexes, caches. */
export interface TenantOwner {
  /** Lets go of everything of a tenant and keeps nothing of it, so that its folder can be deleted. */
  release(tenant: string): Soon<void>;
}

/** Those who are asked before a tenant is removed: `host.get(tenantOwners).add(owner)`. */
export const tenantOwners = hostService<Set<TenantOwner>>('tenant owners', () => new Set());

export type TenantInfo = {
  /** Absent for a folder of an older version that nobody has used since. */
  id?: string | undefined;
  /** The name of its folder below `tenants`. */
  folder: string;
  /** Of all its files. */
  size_bytes: number;
};

const HOST: Rule = { wanted: 'the host of a runtime (runtime.host)', fits: (value) => value instanceof HostContainer };

/** The tenants that have data on disk, in the order of their ids. Throws BAD_ARGUMENT for what is no host. */
export async function listTenants(host: Host): Promise<TenantInfo[]> {
  checkValue('listTenants: host', host, HOST);
  const all = tenantFolders(host.get(stateManager).dataDir ?? host.dataDir);
  return Promise.all(all.map(async ({ id, folder }) => ({ id, folder: folder.slice(-32), size_bytes: await sizeOf(folder) })));
}

/**
 * Removes everything of a tenant: every owner lets go, other processes are told, the folder goes. Says whether there was anything.
 * A run of the tenant that goes on begins anew; end its runs first. Throws BAD_ARGUMENT for what is no host and for a bad id, STORE_FAILED when files cannot be deleted.
 */
export async function removeTenant(host: Host, tenant: string): Promise<boolean> {
  checkValue('removeTenant: host', host, HOST);
  checkTenant(tenant);
  for (const owner of host.get(tenantOwners)) await owner.release(tenant);
  const state = host.get(stateManager);
  const there = await state.release(tenant);
  const folders = new Set([state.dataDir ?? host.dataDir, host.dataDir].map((dataDir) => tenantFolder(dataDir, tenant)));
  let removed = there;
  for (const folder of folders) removed = (await removeFolder(folder)) || removed;
  return removed;
}

/** The folder is gone at once, under a name that nobody looks for; deleting what it held may take a while. */
async function removeFolder(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return false;
  const aside = join(dirname(folder), `.removed-${randomBytes(8).toString('hex')}`);
  try {
    renameSync(folder, aside);
    rmSync(aside, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
    return true;
  } catch (error) {
    throw storeFailure(error);
  }
}

async function sizeOf(folder: string): Promise<number> {
  const { readdir, stat } = process.getBuiltinModule('node:fs/promises');
  let size = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    // A file may go while they are counted.
    if (entry.isFile())
      size += await stat(join(entry.parentPath, entry.name)).then(
        ({ size: bytes }) => bytes,
        () => 0,
      );
  }
  return size;
}

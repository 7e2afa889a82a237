import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256 } from '../call/digest.ts';
import { ScriptError } from '../errors.ts';
import { storeFailure } from './failure.ts';

const TENANT = /^[A-Za-z0-9_.-]{1,128}$/;
/** The folder's name of the tenant `default`: to hash it, Node would load its cryptography, which takes a tenth of a short run. */
const DEFAULT_NAME = '37a8eec1ce19687d132fe29051dca629';
/** Says whose folder it is, whose own name only is a hash. */
const LABEL = 'tenant';

/** What an id of a tenant is, in words. */
export const TENANT_WANTED = '1 to 128 of A-Z a-z 0-9 _ . -';

/** Whether it is the id of a tenant. */
export function isTenant(id: string): boolean {
  return TENANT.test(id);
}

/** Throws BAD_ARGUMENT for what is no id of a tenant. */
export function checkTenant(id: string, method?: string): void {
  const where = method === undefined ? 'tenant' : `${method}: tenant`;
  if (!isTenant(id)) throw new ScriptError('BAD_ARGUMENT', `${where}: expected ${TENANT_WANTED}, got ${JSON.stringify(id.slice(0, 80))}`);
}

/** Where everything of a tenant lies: names that are hostile as paths never become one. */
export function tenantFolder(dataDir: string, tenant: string): string {
  return join(dataDir, 'tenants', tenant === 'default' ? DEFAULT_NAME : sha256(tenant).slice(0, 32));
}

/** The folder of a tenant, made and labelled with its id where that is not yet so. Throws STORE_FAILED. */
export function tenantHome(dataDir: string, tenant: string): string {
  const folder = tenantFolder(dataDir, tenant);
  try {
    if (labelOf(folder) === tenant) return folder;
    makeFolder(folder);
    const temporary = join(folder, `${LABEL}.${process.pid}`);
    writeFileSync(temporary, tenant, { mode: 0o600 });
    renameSync(temporary, join(folder, LABEL));
    return folder;
  } catch (error) {
    throw storeFailure(error);
  }
}

/** The tenants that have a folder, in the order of their ids; one that nobody has named since an older version made it is told by its folder alone. */
export function tenantFolders(dataDir: string): { id: string | undefined; folder: string }[] {
  const root = join(dataDir, 'tenants');
  let names: string[];
  try {
    names = readdirSync(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw storeFailure(error);
  }
  return names
    .filter((name) => /^[0-9a-f]{32}$/.test(name))
    .map((name) => ({ id: labelOf(join(root, name)), folder: join(root, name) }))
    .sort((a, b) => ((a.id ?? '~') < (b.id ?? '~') ? -1 : 1));
}

/** A label that does not belong to its folder is none. */
function labelOf(folder: string): string | undefined {
  try {
    const id = readFileSync(join(folder, LABEL), 'utf8');
    return isTenant(id) && folder.endsWith(tenantFolder('', id)) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a folder and those above it, for this user alone unless told otherwise, one at a time: Node's own way never returns where /proc says that a folder is not there. */
export function makeFolder(path: string, mode = 0o700): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

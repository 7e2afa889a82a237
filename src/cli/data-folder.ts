import { join, resolve } from 'node:path';
import type { Config, ConfigInput } from '../config/config.ts';
import { ScriptError } from '../errors.ts';
import { KNOWLEDGE_FORMAT } from '../rag/store/schema.ts';
import { storeFailure } from '../store/failure.ts';
import { makeFolder, tenantFolder, tenantHome } from '../store/folders.ts';
import { STATE_FORMAT } from '../store/schema.ts';
import { checkDatabases, checkFolder } from '../store/usable.ts';

/** Absolute path of the data folder. Throws BAD_CONFIG for one that cannot be read or is no folder, BAD_ARGUMENT for a flag without one. */
export function dataFolder({ data }: Config, flags: { readonly data?: string }): string {
  if (flags.data === '') throw new ScriptError('BAD_ARGUMENT', '--data: expected a folder, got ""');
  const folder = resolve(flags.data ?? data.dir);
  if (data.backend === 'sqlite') wrongSetting(folder, () => checkFolder(folder));
  return folder;
}

/**
 * The same for runs of a tenant, whose databases are checked too. One that a flag or the configuration names is made, with its workspace: reading from one that can never
 * be would find nothing, without a word. The default one need not be, where nothing is kept.
 */
export function runFolder({ config, input }: { config: Config; input: ConfigInput }, flags: { readonly data?: string; readonly tenant?: string }): string {
  const folder = dataFolder(config, flags);
  const tenant = flags.tenant ?? 'default';
  if ((flags.data ?? input.data?.dir) !== undefined && config.data.backend === 'sqlite') wrongSetting(folder, () => makeWorkspace(folder, tenant));
  checkTenantData(config, folder, tenant);
  return folder;
}

/** The folder that scripts of a tenant may write; another tenant's than `default` lies with everything else of it, and goes with it. */
export function workspaceOf(dataDir: string, tenant: string): string {
  return join(tenant === 'default' ? dataDir : tenantFolder(dataDir, tenant), 'workspace');
}

/** Makes it. Throws what the system says of a data folder in which nothing can be. */
export function makeWorkspace(dataDir: string, tenant: string): void {
  if (tenant !== 'default') tenantHome(dataDir, tenant);
  makeFolder(workspaceOf(dataDir, tenant));
}

/** Makes the data folder. Throws BAD_CONFIG for one that can never be. */
export function makeDataFolder({ data }: Config, folder: string): void {
  if (data.backend === 'sqlite') wrongSetting(folder, () => makeFolder(folder));
}

/** Throws BAD_CONFIG when a database of the tenant is none, cannot be read, or was written by a newer llmspell. */
export function checkTenantData({ data }: Config, dataDir: string, tenant: string): void {
  if (data.backend === 'sqlite')
    wrongSetting(dataDir, () => checkDatabases(tenantFolder(dataDir, tenant), { 'state.db': STATE_FORMAT, 'knowledge.db': KNOWLEDGE_FORMAT }));
}

/** What is wrong with the data folder before anything has begun is wrong with the setting, and who chose the folder may read its name. */
function wrongSetting(folder: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new ScriptError(
      'BAD_CONFIG',
      storeFailure(error).message.replace('the data folder', () => `the data folder ${folder}`),
      { cause: error },
    );
  }
}

import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { KNOWLEDGE_FORMAT } from '../rag/store/schema.ts';
import { tenantFolder } from '../store/folders.ts';
import { STATE_FORMAT } from '../store/schema.ts';
import { checkDatabases, checkFolder } from '../store/usable.ts';

/** Absolute path of the data folder. Throws BAD_CONFIG for one that cannot be read or is no folder. */
export function dataFolder({ data }: Config, flags: { readonly data?: string }): string {
  const folder = resolve(flags.data ?? data.dir);
  if (data.backend === 'sqlite') wrongSetting(() => checkFolder(folder));
  return folder;
}

/** Throws BAD_CONFIG when a database of the tenant is none, cannot be read, or was written by a newer llmspell. */
export function checkTenantData({ data }: Config, dataDir: string, tenant: string): void {
  if (data.backend === 'sqlite')
    wrongSetting(() => checkDatabases(tenantFolder(dataDir, tenant), { 'state.db': STATE_FORMAT, 'knowledge.db': KNOWLEDGE_FORMAT }));
}

/** What is wrong with the data folder before anything has begun is wrong with the setting. */
function wrongSetting(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new ScriptError('BAD_CONFIG', asScriptError(error).message, { cause: error });
  }
}

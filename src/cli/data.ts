import { existsSync } from 'node:fs';
import { CAPABILITIES, type Capability } from '../call/capability.ts';
import type { Context, Grants } from '../call/context.ts';
import { CallContext, HostContainer, RunContainer } from '../call/run.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { log } from '../log/log.ts';
import { isTenant, TENANT_WANTED, tenantFolder } from '../store/folders.ts';
import { loadConfig } from './config-file.ts';
import { checkTenantData, dataFolder, makeDataFolder } from './data-folder.ts';
import type { DataFlags } from './nouns.ts';
import { tellFailure, usageOrFailed } from './report.ts';
import { visible } from './visible.ts';

/** Runs a command on the data folder and gives the exit status; what goes wrong is one sentence, with `--json` an object. A folder is not made by looking. */
export async function withHost(flags: DataFlags, work: (host: HostContainer) => Promise<void>, { makes = false } = {}): Promise<number> {
  try {
    const { config } = await loadConfig(flags.config);
    const folder = dataFolder(config, flags);
    if (!makes && config.data.backend === 'sqlite' && !existsSync(folder))
      throw new ScriptError('NOT_FOUND', `there is no data folder ${flags.data ?? config.data.dir}`);
    await using host = new HostContainer(config, folder);
    await work(host);
    return 0;
  } catch (thrown) {
    const error = asScriptError(thrown);
    // Whoever typed a command has called no method of the script API.
    error.message = error.message.replace(/^[A-Z]\w+\.\w+: /, '');
    tellFailure(error, flags.json);
    return usageOrFailed(error);
  }
}

/** As `withHost`, for the data of one tenant, in a run that no script is part of. A tenant without data is not made by looking. */
export async function withTenant(
  flags: DataFlags,
  method: string,
  work: (context: Context) => Promise<void>,
  { makes = false, grants = {} }: { makes?: boolean; grants?: Partial<Grants> } = {},
): Promise<number> {
  const inTenant = async (host: HostContainer) => {
    const tenant = flags.tenant ?? 'default';
    if (!isTenant(tenant)) throw new ScriptError('BAD_ARGUMENT', `--tenant: expected ${TENANT_WANTED}, got ${JSON.stringify(tenant.slice(0, 80))}`);
    if (!makes && host.config.data.backend === 'sqlite' && !existsSync(tenantFolder(host.dataDir, tenant)))
      throw new ScriptError('NOT_FOUND', `there is no tenant ${tenant} in ${flags.data ?? host.config.data.dir}`);
    if (makes) makeDataFolder(host.config, host.dataDir);
    checkTenantData(host.config, host.dataDir, tenant);
    host.get(log).writeTo(({ level, message }) => warn(`${level}: ${message}`));
    await using run = new RunContainer({
      host,
      language: 'lua',
      tenant,
      grants: {
        capabilities: new Set(Object.keys(CAPABILITIES) as Capability[]),
        read: [],
        write: [],
        net: [],
        tenants: ['*'],
        models: [],
        programs: [],
        environment: [],
        mcp: [],
        ...grants,
      },
      limits: host.config.limits,
      args: [],
      input: null,
      seed: Math.floor(Math.random() * 2 ** 32),
      onOutput: print,
    });
    await work(new CallContext(run, { method }));
  };
  return withHost(flags, inTenant, { makes });
}

/** One line of standard output; documents, sessions and keys may hold what a terminal would obey. */
export function print(text: string): void {
  process.stdout.write(`${visible(text, process.stdout)}\n`);
}

/** The same for standard error. */
export function warn(text: string): void {
  process.stderr.write(`${visible(text, process.stderr)}\n`);
}

/** Rows in columns as wide as they need to be, each one line (`\n` stands for the end of one); without rows it is said on standard error that there are no `things`. */
export function printTable(rows: readonly (readonly string[])[], things?: string): void {
  if (rows.length === 0 && things !== undefined) process.stderr.write(`there are no ${things}\n`);
  const lines = rows.map((row) => row.map((cell) => visible(cell, process.stdout).replaceAll('\n', '\\n')));
  const widths = lines.reduce<number[]>((all, row) => row.map((cell, at) => Math.max(all[at] ?? 0, cell.length)), []);
  for (const row of lines)
    print(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

/** A time as people read it. */
export function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CAPABILITIES, type Capability } from '../call/capability.ts';
import type { Grants, Limits } from '../call/context.ts';
import type { Value } from '../call/value.ts';
import { type Config, type ConfigInput, LEAST_MEMORY_MB, MOST_MEMORY_MB } from '../config/config.ts';
import { GRANT_NAMES, MODEL_NAME, type NameRule } from '../config/names.ts';
import { ScriptError } from '../errors.ts';
import { configuredModels } from '../model/providers.ts';
import { isSessionId } from '../session/refusal.ts';
import { isTenant, TENANT_WANTED } from '../store/folders.ts';
import { CONFIG_FILE } from './config-file.ts';
import { makeWorkspace, workspaceOf } from './data-folder.ts';
import { givenJson } from './given-json.ts';

/** The options of `run` and `exec` as commander gives them. */
export interface RunFlags {
  readonly input?: string;
  readonly json?: boolean;
  readonly model?: string;
  readonly embeddingModel?: string;
  readonly data?: string;
  readonly config?: string;
  readonly timeout?: string;
  readonly memory?: string;
  readonly tenant?: string;
  readonly session?: string;
  readonly allowTenant?: string[];
  readonly allowRead?: string[];
  readonly allowWrite?: string[];
  readonly allowNet?: string[];
  readonly allowProgram?: string[];
  readonly allowEnv?: string[];
  readonly seed?: string;
  readonly watch?: boolean;
}

/** Throws BAD_ARGUMENT for a flag whose value can be no name of what it names. */
export function checkNames({ tenant, session, model, embeddingModel, allowTenant = [], allowNet, allowProgram, allowEnv }: RunFlags): void {
  named('--tenant', tenant, isTenant, TENANT_WANTED);
  named('--session', session, isSessionId, TENANT_WANTED);
  named('--model', model, MODEL_NAME.fits, MODEL_NAME.wanted);
  named('--embedding-model', embeddingModel, MODEL_NAME.fits, MODEL_NAME.wanted);
  for (const id of allowTenant) named('--allow-tenant', id, (given) => given === '*' || isTenant(given), `* or ${TENANT_WANTED}`);
  granted('--allow-net', allowNet, GRANT_NAMES.net);
  granted('--allow-program', allowProgram, GRANT_NAMES.programs);
  granted('--allow-env', allowEnv, GRANT_NAMES.environment);
}

function granted(flag: string, names: readonly string[] = [], { fits, wanted }: NameRule): void {
  for (const name of names) named(flag, name, fits, wanted);
}

function named(flag: string, value: string | undefined, fits: (value: string) => boolean, wanted: string): void {
  if (value !== undefined && !fits(value)) throw new ScriptError('BAD_ARGUMENT', `${flag}: expected ${wanted}, got ${JSON.stringify(value.slice(0, 80))}`);
}

/** The configuration with what the flags say over it. */
export function withFlags(input: ConfigInput, flags: RunFlags): ConfigInput {
  const models = overrides(flags);
  return Object.keys(models).length === 0 ? input : { ...input, models: { ...input.models, ...models } };
}

/** The models that flags put in place of others. */
export function overrides({ model, embeddingModel }: Pick<RunFlags, 'model' | 'embeddingModel'>): { override?: string; embedding_override?: string } {
  return { ...(model !== undefined && { override: model }), ...(embeddingModel !== undefined && { embedding_override: embeddingModel }) };
}

/** What a script of the command line may do: read its own folder, write the workspace, and what flags and configuration add. Throws for a folder that a flag names and that is not there. */
export function grantsOf(config: Config, flags: RunFlags, dataDir: string, script: string | undefined): Grants {
  const tenant = flags.tenant ?? 'default';
  const workspace = workspaceOf(dataDir, tenant);
  try {
    makeWorkspace(dataDir, tenant);
  } catch {
    // Told by the first tool or State call that needs it.
  }
  const { permissions } = config;
  const folder = script === undefined ? process.cwd() : dirname(resolve(script));
  const paths = (given: readonly string[]) => given.map((path) => resolve(path));
  const { override, embedding_override } = config.models;
  return {
    capabilities: new Set(Object.keys(CAPABILITIES) as Capability[]),
    read: [...(flags.allowRead ? paths(there('--allow-read', flags.allowRead, 'BAD_ARGUMENT')) : [folder]), ...paths(permissions.read), workspace],
    write: [...paths(there('--allow-write', flags.allowWrite ?? [], 'BAD_ARGUMENT')), ...paths(permissions.write), workspace],
    net: [...(flags.allowNet ?? []), ...permissions.net],
    tenants: [...(flags.allowTenant ?? []), ...permissions.tenants],
    models: ['local/*', 'mock/*', ...[override, embedding_override].filter((name) => name !== undefined), ...configuredModels(config)],
    programs: [...(flags.allowProgram ?? []), ...permissions.programs],
    environment: [...(flags.allowEnv ?? []), ...permissions.environment],
    mcp: Object.keys(config.mcp.servers).map((name) => `${name}.*`),
  };
}

/** Throws BAD_CONFIG for a folder of `[permissions]` in the file that is not there. */
export function checkPermitted({ permissions }: Config, file = CONFIG_FILE): void {
  there(`${file}: permissions.read`, permissions.read, 'BAD_CONFIG');
  there(`${file}: permissions.write`, permissions.write, 'BAD_CONFIG');
}

/** The same paths. Throws for one where no folder is: most likely its name is wrong, and what it grants comes into being unseen. */
function there(place: string, paths: readonly string[], code: 'BAD_ARGUMENT' | 'BAD_CONFIG'): readonly string[] {
  const missing = paths.find((path) => !statSync(path, { throwIfNoEntry: false })?.isDirectory());
  if (missing !== undefined) throw new ScriptError(code, `${place}: there is no folder ${missing}`);
  return paths;
}

export function limitsOf(flags: RunFlags): Partial<Limits> {
  const timeout = number(flags.timeout, '--timeout', 'milliseconds, at least 1', 1);
  const memory = number(flags.memory, '--memory', `megabytes, ${LEAST_MEMORY_MB} to ${MOST_MEMORY_MB}`, LEAST_MEMORY_MB, MOST_MEMORY_MB);
  return { ...(timeout !== undefined && { timeout_ms: timeout, cpu_ms: timeout }), ...(memory !== undefined && { memory_mb: memory }) };
}

export function seedOf(flags: RunFlags): number | undefined {
  return number(flags.seed, '--seed', 'an integer', Number.MIN_SAFE_INTEGER);
}

/** `--input` as a value: JSON. */
export function inputOf(flags: RunFlags): Value {
  return flags.input === undefined ? null : givenJson(flags.input, '--input');
}

function number(text: string | undefined, flag: string, what: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least || value > most || text.trim() === '')
    throw new ScriptError('BAD_ARGUMENT', `${flag}: expected ${what}, got ${JSON.stringify(text)}`);
  return value;
}

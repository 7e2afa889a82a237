import { matchesAny } from '../call/capability.ts';
import type { Context } from '../call/context.ts';
import type { Config } from '../config/config.ts';
import { ScriptError } from '../errors.ts';
import { configuredModels, findProvider } from './providers.ts';

/** Throws NOT_ALLOWED when the run was not granted the model; says how to set its provider up where that is what is missing, and what to use `instead` (undefined for what needs no provider). */
export function requireModel(context: Context, name: string, provider: string, config: Config, instead: string | undefined): void {
  if (matchesAny(context.run.grants.models, name)) return;
  const refused = `${context.method}: the model ${name} was not granted to this run`;
  if (instead === undefined || matchesAny(configuredModels(config), name)) throw new ScriptError('NOT_ALLOWED', `${refused} (grants.models)`);
  const variables = findProvider(provider, config)?.keyVariables ?? [];
  const key = variables.length > 0 ? `${variables.join(' or ')} in the environment, or ` : '';
  throw new ScriptError('NOT_ALLOWED', `${refused}; set up its provider (${key}[models.providers.${provider}] in the configuration), or use ${instead}`);
}

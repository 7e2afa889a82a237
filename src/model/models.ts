import { quoted } from '../call/check/failure.ts';
import { type Context, type Host, hostService } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { createExtractiveModel } from './extractive/model.ts';
import { modelFailed } from './failure.ts';
import { requireModel } from './granted.ts';
import { createMockModel, type MockSource } from './mock.ts';
import type { LanguageModel, ModelCapability } from './model.ts';
import { splitName } from './name.ts';
import { createOwnModel } from './own.ts';
import { findProvider, providerNames } from './providers.ts';
import { createSdkModel } from './sdk.ts';

/** The end of a longer name is not told, characters. */
const MOST_TOLD = 60;

/** All language models by name, `provider/model`. */
export interface Models {
  /** The name that really is asked: the configuration's override, else the given one. Throws BAD_ARGUMENT for a name without a known provider and NOT_ALLOWED when the run was not granted the model. */
  check(context: Context, name: string): string;
  /** Throws BAD_CONFIG that names the setting when the configuration's override has no known provider and is no model of the host's. */
  checkOverride(): void;
  /** The model of a checked name; throws BAD_CONFIG when its key is missing. */
  open(name: string): LanguageModel;
  /** Adds or replaces a model: one of the host's own, or scripted answers. */
  register(name: string, model: LanguageModel | MockSource): void;
  /** What a model of this name can do. */
  capabilities(name: string): readonly ModelCapability[];
  /** Does without a model for a while after it failed; where an agent has others to fall back on they are asked instead. */
  coolDown(name: string, ms: number): void;
  isCooling(name: string): boolean;
}

const EXTRACTIVE = 'local/extractive';
const MOCK = 'mock/script';
const REMOTE: readonly ModelCapability[] = ['streaming', 'tools', 'structured_output', 'vision'];

function createModels({ config }: Host): Models {
  const registered = new Map<string, LanguageModel>();
  const opened = new Map<string, LanguageModel>();
  const cooling = new Map<string, number>();
  const responses = config.models.mock?.responses;
  if (responses) registered.set(MOCK, createMockModel(MOCK, responses));

  function open(name: string): LanguageModel {
    const found = registered.get(name) ?? opened.get(name);
    if (found) return found;
    const made = make(name);
    opened.set(name, made);
    return made;
  }

  function make(name: string): LanguageModel {
    if (name === EXTRACTIVE) return createExtractiveModel(EXTRACTIVE);
    const [providerName, id] = splitName(name);
    if (providerName === 'mock')
      throw modelFailed(name, 'no answers were given; register them in the host or set [models.mock] responses', { outcome: 'not_sent', retryable: false });
    const provider = findProvider(providerName, config);
    if (!provider) throw unknownProvider(name);
    if (provider.kind === 'openai-compatible' && provider.baseUrl === undefined)
      throw new ScriptError('BAD_CONFIG', `${name}: the provider needs base_url in [models.providers.${providerName}]`);
    return createSdkModel(provider, id);
  }

  function unknownProvider(name: string, where = 'model', code: 'BAD_ARGUMENT' | 'BAD_CONFIG' = 'BAD_ARGUMENT'): ScriptError {
    const [provider, id] = splitName(name);
    const names = ['local', 'mock', ...providerNames(config)];
    const meant = nearest(name, [EXTRACTIVE, MOCK, ...registered.keys()]) ?? (provider === 'local' ? EXTRACTIVE : nearest(provider, names));
    const hint =
      meant === undefined
        ? `known are ${names.join(', ')}, and what [models.providers] adds`
        : `did you mean ${meant.includes('/') ? meant : `${meant}/${id.length > MOST_TOLD ? '…' : id}`}?`;
    const what = provider === 'local' ? `there is no model ${quoted(name)}` : `unknown provider in ${quoted(name)}`;
    return new ScriptError(code, `${where}: ${what}; ${hint}`);
  }

  function isOwn(name: string, provider: string): boolean {
    return name === EXTRACTIVE || provider === 'mock' || registered.has(name);
  }

  return {
    open,
    check(context, name) {
      const wanted = config.models.override ?? name;
      const where = `${context.method}: model`;
      const [provider] = splitName(wanted, undefined, where);
      const own = isOwn(wanted, provider);
      if (!own && !findProvider(provider, config)) throw unknownProvider(wanted, where);
      requireModel(context, wanted, provider, config, own ? undefined : 'another (models.override or --model local/extractive)');
      return wanted;
    },
    checkOverride() {
      const { override } = config.models;
      if (override === undefined) return;
      const [provider] = splitName(override);
      if (!isOwn(override, provider) && !findProvider(provider, config)) throw unknownProvider(override, 'models.override', 'BAD_CONFIG');
    },
    register(name, model) {
      splitName(name);
      registered.set(name, isModel(model) ? createOwnModel(name, model) : createMockModel(name, model));
    },
    capabilities(name) {
      const model = registered.get(config.models.override ?? name);
      if (model) return model.capabilities;
      return (config.models.override ?? name) === EXTRACTIVE ? open(EXTRACTIVE).capabilities : REMOTE;
    },
    coolDown: (name, ms) => void cooling.set(name, Date.now() + ms),
    isCooling: (name) => (cooling.get(name) ?? 0) > Date.now(),
  };
}

function isModel(value: LanguageModel | MockSource): value is LanguageModel {
  return typeof value === 'object' && 'generate' in value;
}

export const models = hostService<Models>('models', createModels);

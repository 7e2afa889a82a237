import type { Config } from '../config/config.ts';
import { ScriptError } from '../errors.ts';

/** What a provider speaks, where it is and which variables may hold its key. */
export interface Provider {
  readonly name: string;
  readonly kind: 'openai' | 'anthropic' | 'google' | 'openai-compatible';
  readonly baseUrl?: string | undefined;
  readonly keyVariables: readonly string[];
  /** A key written in the configuration itself. */
  readonly key?: string | undefined;
  /** Which of OpenAI's two protocols. */
  readonly api: 'responses' | 'chat';
}

type Known = Pick<Provider, 'kind' | 'baseUrl'> & { key: readonly string[] };

const compatible = (baseUrl: string, ...key: string[]): Known => ({ kind: 'openai-compatible', baseUrl, key });

/** Providers that need no configuration: a key in the environment, or none for those that run beside us. */
const KNOWN: Readonly<Record<string, Known>> = {
  openai: { kind: 'openai', key: ['OPENAI_API_KEY'] },
  anthropic: { kind: 'anthropic', key: ['ANTHROPIC_API_KEY'] },
  google: { kind: 'google', key: ['GOOGLE_GENERATIVE_AI_API_KEY', 'GEMINI_API_KEY'] },
  ollama: compatible('http://localhost:11434/v1'),
  lmstudio: compatible('http://localhost:1234/v1'),
  vllm: compatible('http://localhost:8000/v1'),
  groq: compatible('https://api.groq.com/openai/v1', 'GROQ_API_KEY'),
  mistral: compatible('https://api.mistral.ai/v1', 'MISTRAL_API_KEY'),
  deepseek: compatible('https://api.deepseek.com/v1', 'DEEPSEEK_API_KEY'),
  xai: compatible('https://api.x.ai/v1', 'XAI_API_KEY'),
  openrouter: compatible('https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY'),
  together: compatible('https://api.together.xyz/v1', 'TOGETHER_API_KEY'),
  fireworks: compatible('https://api.fireworks.ai/inference/v1', 'FIREWORKS_API_KEY'),
  cerebras: compatible('https://api.cerebras.ai/v1', 'CEREBRAS_API_KEY'),
  perplexity: compatible('https://api.perplexity.ai', 'PERPLEXITY_API_KEY'),
};

/** The provider of this name: what the configuration says, over what is known; undefined when neither knows it. */
export function findProvider(name: string, config: Config): Provider | undefined {
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
  const configured = Object.hasOwn(config.models.providers, name) ? config.models.providers[name] : undefined;
  if (!known && !configured) return undefined;
  return {
    name,
    kind: configured?.kind ?? known?.kind ?? 'openai-compatible',
    baseUrl: configured?.base_url ?? known?.baseUrl,
    keyVariables:
      configured?.api_key_env !== undefined
        ? [configured.api_key_env]
        : configured?.base_url !== undefined && configured.kind === 'openai-compatible'
          ? []
          : (known?.key ?? []),
    key: configured?.api_key,
    api: configured?.api ?? 'responses',
  };
}

/** The provider's key, undefined when it needs none or none is set. */
export function providerKey(provider: Provider, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  if (provider.key) return provider.key;
  return provider.keyVariables.map((name) => environment[name]).find((value) => value !== undefined && value !== '');
}

/** The provider's key for one of its models, undefined when it needs none. Throws BAD_CONFIG naming the variable when it is missing. */
export function requireKey(provider: Provider, model: string): string | undefined {
  const key = providerKey(provider);
  if (key === undefined && provider.keyVariables.length > 0)
    throw new ScriptError('BAD_CONFIG', `${model}: no key; set the environment variable ${provider.keyVariables.join(' or ')}`, {
      details: { outcome: 'not_sent', retryable: false, model },
    });
  return key;
}

/** Names of all providers that could be asked. */
export function providerNames(config: Config): string[] {
  return [...new Set([...Object.keys(KNOWN), ...Object.keys(config.models.providers)])].sort();
}

/** Patterns of the models that a machine is set up for: configured providers, and known ones whose key is in the environment. */
export function configuredModels(config: Config, environment: NodeJS.ProcessEnv = process.env): string[] {
  return providerNames(config)
    .filter((name) => Object.hasOwn(config.models.providers, name) || providerKey(findProvider(name, config) as Provider, environment) !== undefined)
    .map((name) => `${name}/*`);
}

import { quoted } from '../call/check/failure.ts';
import { type Context, hostService } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import type { EmbeddingModel } from './embedding.ts';
import { requireModel } from './granted.ts';
import { createLocalModel, LOCAL_MODELS, WORDS_MODEL } from './local.ts';
import { splitName } from './name.ts';
import { createOwnEmbedding } from './own.ts';
import { findProvider, providerNames } from './providers.ts';
import { createSdkEmbedding } from './sdk-embedding.ts';

/** All embedding models by name, `provider/model`. */
export interface Embeddings {
  /** Throws BAD_ARGUMENT for a name without a known provider and NOT_ALLOWED when the run was not granted the model; the local ones need no grant. */
  check(context: Context, name: string): void;
  /** Throws BAD_CONFIG that names the setting when the configuration's override has no known provider and is no model of the host's. */
  checkOverride(): void;
  /** The model of a checked name; throws BAD_CONFIG when its key is missing or the provider has no embeddings. */
  open(name: string): EmbeddingModel;
  /** Adds or replaces a model of the host's own. */
  register(name: string, model: EmbeddingModel): void;
}

const WANTED = 'provider/model such as openai/text-embedding-3-small or local/words';

/** The embedding models of a runtime. */
export const embeddings = hostService<Embeddings>('embeddings', ({ config }) => {
  const opened = new Map<string, EmbeddingModel>();
  const registered = new Set<string>();

  function providerOf(name: string, where = 'embedding model', code: 'BAD_ARGUMENT' | 'BAD_CONFIG' = 'BAD_ARGUMENT') {
    const [providerName] = splitName(name, WANTED, where);
    const provider = findProvider(providerName, config);
    if (provider) return provider;
    const known = [...LOCAL_MODELS, ...providerNames(config).map((one) => `${one}/…`)].join(', ');
    throw new ScriptError(code, `${where}: unknown provider in ${quoted(name)}; known are ${known}, and what [models.providers] adds`);
  }

  return {
    check(context, name) {
      if (LOCAL_MODELS.includes(name)) return;
      const where = `${context.method}: embedding model`;
      const [provider] = splitName(name, WANTED, where);
      if (!registered.has(name)) providerOf(name, where);
      requireModel(context, name, provider, config, registered.has(name) ? undefined : WORDS_MODEL);
    },
    checkOverride() {
      const name = config.models.embedding_override;
      if (name === undefined || LOCAL_MODELS.includes(name) || registered.has(name)) return;
      providerOf(name, 'models.embedding_override', 'BAD_CONFIG');
    },
    open(name) {
      const known = opened.get(name);
      if (known) return known;
      const made = createLocalModel(name) ?? make(name);
      opened.set(name, made);
      return made;
    },
    register(name, model) {
      splitName(name, WANTED);
      registered.add(name);
      opened.set(name, createOwnEmbedding(name, model));
    },
  };

  function make(name: string): EmbeddingModel {
    const provider = providerOf(name);
    const [, id] = splitName(name, WANTED);
    if (provider.kind === 'openai-compatible' && provider.baseUrl === undefined)
      throw new ScriptError('BAD_CONFIG', `${name}: the provider needs base_url in [models.providers.${provider.name}]`);
    return createSdkEmbedding(provider, id);
  }
});

import { type Context, type Run, runService } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import { WORDS_MODEL } from '../model/local.ts';
import type { KnowledgeBase, KnowledgeSettings } from './knowledge.ts';
import type { ChunkOptions } from './schemas.ts';
import { knowledge } from './store/service.ts';

/** How a script sets a pipeline up; what is absent is as the base has it stored, else the default. */
export interface PipelineSpec {
  /** Whose pipeline it is; without one it serves every tenant that the run names. */
  readonly tenant: string | undefined;
  readonly name: string;
  readonly chunking: ChunkOptions | undefined;
  readonly embedder: string | undefined;
  readonly storage: Absent<Storage>;
}

type Storage = Pick<KnowledgeSettings, 'metric' | 'backend' | 'm' | 'ef_construction' | 'ef_search'>;
type Absent<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** A knowledge base with the settings that a call uses. */
export interface Pipeline {
  readonly tenant: string;
  readonly name: string;
  /** Opened anew where the tenant's database was closed meanwhile: ask for it at each use. For reading: an ingest makes a tenant's database first. */
  readonly base: KnowledgeBase;
  readonly chunking: ChunkOptions;
  readonly embedder: string;
  readonly storage: Storage;
  /** Throws CONFLICT when another embedding model or metric is wanted than the stored vectors have; a base without documents has none. */
  checkVectors(): void;
}

const MAIN = 'main';
const DEFAULTS = {
  embedder: WORDS_MODEL,
  storage: { metric: 'cosine', backend: 'hnsw', m: 16, ef_construction: 200, ef_search: 64 },
} as const satisfies { embedder: string; storage: Storage };

/** What this run has set up by `RAG.create`, in order. */
const specs = runService('rag pipelines', (_: Run): PipelineSpec[] => []);

/** Remembers a set-up for the calls of this run that name only the scope. */
export function setUp(context: Context, spec: PipelineSpec): void {
  context.run.get(specs).push(spec);
}

/** The pipeline that a call by scope means: the base of the run's latest set-up for the tenant, else `main`. */
export function pipelineOf(context: Context, tenant: string): Pipeline {
  const spec = context.run.get(specs).findLast((one) => one.tenant === undefined || one.tenant === tenant);
  return openPipeline(context, tenant, spec);
}

/**
 * A base with its own stored settings, what a set-up asks for over them, and defaults under them; `models.embedding_override` stands in for the
 * set-up's embedding model. What compares no vectors, such as deleting, works whatever model is wanted.
 */
export function openPipeline(context: Context, tenant: string, spec: PipelineSpec | undefined): Pipeline {
  const name = spec?.name ?? MAIN;
  const all = context.run.host.get(knowledge);
  const base = all.base(tenant, name, { reading: true });
  const { settings } = base;
  const asked = given(spec?.storage ?? {});
  const embedder = context.run.host.config.models.embedding_override ?? spec?.embedder;
  const pairs = [
    ['embedding_provider', settings?.embedder, embedder],
    ['distance_metric', settings?.metric, asked.metric],
  ] as const;
  return {
    tenant,
    name,
    get base() {
      return all.base(tenant, name, { reading: true });
    },
    embedder: embedder ?? settings?.embedder ?? DEFAULTS.embedder,
    chunking: given({ ...settings?.chunking, ...spec?.chunking }),
    storage: { ...DEFAULTS.storage, ...settings, ...asked },
    checkVectors() {
      for (const [what, stored, wanted] of pairs) {
        if (stored !== undefined && wanted !== undefined && stored !== wanted && base.stats().document_count > 0)
          throw new ScriptError(
            'CONFLICT',
            `${context.method}: ${what}: the knowledge base ${name} has vectors of ${stored}, not ${wanted}; delete its documents and ingest them again, or use another name`,
          );
      }
    },
  };
}

function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

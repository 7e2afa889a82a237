import { z } from 'zod';

const patterns = z.array(z.string());

/** One model provider: what it speaks, where it is, and where its key comes from. */
const provider = z.strictObject({
  kind: z.enum(['openai', 'anthropic', 'google', 'openai-compatible']),
  /** The variable that holds the key; absent where none is needed. */
  api_key_env: z.string().optional(),
  api_key: z.string().optional(),
  base_url: z.url().optional(),
  /** Which of OpenAI's two protocols a provider of kind `openai` speaks. */
  api: z.enum(['responses', 'chat']).optional(),
});

/** US dollars for a million tokens. */
const price = z.strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative(), cached: z.number().nonnegative().optional() });

/** The configuration file (`llmspell.toml`), every key with its default. */
export const configSchema = z.strictObject({
  models: z
    .strictObject({
      /** Stands in for every model a script names. */
      override: z.string().optional(),
      providers: z.record(z.string(), provider).default({}),
      /** Prices by model name, `openai/gpt-5`, over the built-in table. */
      prices: z.record(z.string(), price).default({}),
      /** What `mock/script` answers, one after the other. */
      mock: z.strictObject({ responses: z.array(z.string()) }).optional(),
    })
    .prefault({}),
  data: z
    .strictObject({
      dir: z.string().default('.llmspell'),
      backend: z.enum(['sqlite', 'memory']).default('sqlite'),
      /** `normal` survives a killed process, `full` a power loss too. */
      durability: z.enum(['normal', 'full']).default('normal'),
    })
    .prefault({}),
  permissions: z
    .strictObject({
      read: patterns.default([]),
      write: patterns.default([]),
      net: patterns.default([]),
      tenants: patterns.default([]),
      programs: patterns.default([]),
      environment: patterns.default([]),
    })
    .prefault({}),
  limits: z
    .strictObject({
      cpu_ms: z.int().positive().default(10_000),
      timeout_ms: z.int().nonnegative().default(0),
      memory_mb: z.number().positive().default(64),
      output_mb: z.number().positive().default(16),
      fibers: z.int().positive().default(256),
      subscriptions: z.int().positive().default(1_000),
      hooks: z.int().positive().default(1_000),
      jobs_per_turn: z.int().positive().default(10_000),
      external_calls: z.int().positive().default(64),
      model_calls: z.int().nonnegative().default(100),
      drain_ms: z.int().nonnegative().default(5_000),
    })
    .prefault({}),
  sessions: z
    .strictObject({
      /** A session is gone when nothing has changed for this time; never if not set. */
      expires_in_ms: z.int().positive().optional(),
      max_count: z.int().positive().default(100_000),
      /** Of one session. */
      max_turns: z.int().positive().default(100_000),
    })
    .prefault({}),
  artifacts: z
    .strictObject({
      max_count: z.int().positive().default(100_000),
      /** Of all artifacts of a tenant, before compression. */
      max_bytes: z
        .int()
        .positive()
        .default(10 * 2 ** 30),
      /** Of one artifact. */
      max_size: z
        .int()
        .positive()
        .default(2 ** 30),
    })
    .prefault({}),
  tenants: z
    .strictObject({
      /** What the database and the artifact files of one tenant may take; no bound if not set. */
      max_bytes: z.int().positive().optional(),
    })
    .prefault({}),
  tools: z
    .strictObject({
      web_search: z
        .strictObject({
          kind: z.enum(['brave', 'tavily', 'searxng', 'json']),
          url: z.url().optional(),
          api_key_env: z.string().optional(),
        })
        .optional(),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('warn'),
    })
    .prefault({}),
  alerts: z
    .strictObject({
      channels: z.record(z.string(), z.strictObject({ webhook: z.url() })).default({}),
    })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;

/** The configuration with every default filled in. */
export function parseConfig(input: ConfigInput = {}): Config {
  return configSchema.parse(input);
}

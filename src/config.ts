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
  tools: z
    .strictObject({
      web_search: z
        .strictObject({
          kind: z.enum(['brave', 'tavily', 'searxng', 'json']),
          url: z.url().optional(),
          api_key_env: z.string().optional(),
        })
        .optional(),
      /** The server that `email_send` hands messages to. */
      email: z
        .strictObject({
          host: z.string(),
          port: z.int().min(1).max(65_535).optional(),
          /** `tls` from the first byte (port 465), `starttls` before anything is said (587), or `none` (25). */
          security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
          user: z.string().optional(),
          password_env: z.string().optional(),
          from: z.string(),
          /** Patterns of addresses that may get mail. */
          recipients: patterns.default(['*']),
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

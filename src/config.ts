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

/** One MCP server: a program that is started (`command`) or an address (`url`); secrets come from the environment by name. */
const mcpServer = z
  .strictObject({
    command: z.string().min(1).optional(),
    args: z.array(z.string()).optional(),
    /** Names of variables that the program gets, beside a few harmless ones such as PATH and HOME. */
    env: z.array(z.string()).optional(),
    url: z.url({ protocol: /^https?$/ }).optional(),
    /** The variable that holds the bearer token. */
    token_env: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    /** Headers whose value is that of a variable, by header. */
    header_env: z.record(z.string(), z.string()).optional(),
    /** How long a call may take. */
    timeout_ms: z.int().positive().default(60_000),
    /** How long it may take until the server answers after its start. */
    start_timeout_ms: z.int().positive().default(30_000),
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), 'expected either command or url')
  .refine(({ command, args, env }) => command !== undefined || (args === undefined && env === undefined), 'args and env go with command')
  .refine(
    ({ url, token_env, headers, header_env }) => url !== undefined || (token_env === undefined && headers === undefined && header_env === undefined),
    'token_env, headers and header_env go with url',
  );

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
    })
    .prefault({}),
  mcp: z
    .strictObject({
      /** Model Context Protocol servers, whose tools are `NAME.tool`. */
      servers: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'expected a name in snake_case of up to 32 letters'), mcpServer).default({}),
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

/** A server of `[mcp.servers]`. */
export type McpServerConfig = Config['mcp']['servers'][string];

/** The configuration with every default filled in. */
export function parseConfig(input: ConfigInput = {}): Config {
  return configSchema.parse(input);
}

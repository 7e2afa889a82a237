import { ScriptError } from '../errors.ts';
import { z } from '../zod.ts';
import { DEFAULTS } from './defaults.ts';
import { GRANT_NAMES, MODEL_NAME, type NameRule } from './names.ts';
import { configProblem } from './problem.ts';

/** The longest time that a timer can wait, ms (24.8 days): one set to more fires at once. */
export const MOST_MS = 2 ** 31 - 1;

/** The least memory of a script, MB: a JavaScript context without anything in it takes 0.4, and each engine has room for small scripts with this. */
export const LEAST_MEMORY_MB = 1;

/** The most memory of a script, MB: what the memories of both engines may grow to. */
export const MOST_MEMORY_MB = 2_048;

// Shared, since every schema is made at each start.
const text = z.string();
const texts = z.array(text);
const positive = z.number().positive();
const count = z.int().positive();
const path = text.min(1);
const named = ({ wanted, fits }: NameRule) =>
  text.refine(fits, { error: ({ input }) => `expected ${wanted}, got ${JSON.stringify(String(input).slice(0, 80))}` });
const names = (name: NameRule) => z.array(named(name)).default([]);
const model = named(MODEL_NAME).optional();

/** One model provider: what it speaks, where it is, and where its key comes from. */
const provider = z.strictObject({
  kind: z.enum(['openai', 'anthropic', 'google', 'openai-compatible']),
  /** The variable that holds the key; absent where none is needed. */
  api_key_env: text.optional(),
  api_key: text.optional(),
  base_url: z.url().optional(),
  /** Which of OpenAI's two protocols a provider of kind `openai` speaks. */
  api: z.enum(['responses', 'chat']).optional(),
});

/** One MCP server: a program that is started (`command`) or an address (`url`); secrets come from the environment by name. */
const mcpServer = z
  .strictObject({
    command: text.min(1).optional(),
    args: texts.optional(),
    /** Names of variables that the program gets, beside a few harmless ones such as PATH and HOME. */
    env: texts.optional(),
    url: z.url({ protocol: /^https?$/ }).optional(),
    /** The variable that holds the bearer token. */
    token_env: text.optional(),
    headers: z.record(text, text).optional(),
    /** Headers whose value is that of a variable, by header. */
    header_env: z.record(text, text).optional(),
    /** How long a call may take. */
    timeout_ms: count.max(MOST_MS).default(60_000),
    /** How long it may take until the server answers after its start. */
    start_timeout_ms: count.max(MOST_MS).default(30_000),
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), 'expected either command or url')
  .refine(({ command, args, env }) => command !== undefined || (args === undefined && env === undefined), 'args and env go with command')
  .refine(
    ({ url, token_env, headers, header_env }) => url !== undefined || (token_env === undefined && headers === undefined && header_env === undefined),
    'token_env, headers and header_env go with url',
  );

/** Where alerts go: an address to post to, or addresses that get a message by the server of `[tools.email]`. */
const alertChannel = z
  .strictObject({ webhook: z.url().optional(), email: texts.min(1).optional() })
  .refine(({ webhook, email }) => (webhook === undefined) !== (email === undefined), 'expected either webhook or email');

/** US dollars for a million tokens. */
const price = z.strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative(), cached: z.number().nonnegative().optional() });

/** Levels of the log, from most to least talkative. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
const enabled = z.boolean().default(true);

/** `[hooks]`: the hooks that come with the runtime. A section that is there switches its hook on; `enabled = false` switches it off again. */
const hookSettings = z.strictObject({
  /** Writes what happens to the log. */
  logging: z
    .strictObject({
      enabled,
      points: texts.default(['agent:*', 'tool:*', 'workflow:*', 'security:violation', 'limit:exceeded']),
      level: z.enum(LOG_LEVELS).default('info'),
      /** For errors, refusals and limits. */
      error_level: z.enum(LOG_LEVELS).default('warn'),
      /** Whether inputs and outputs are written, each cut at `most_characters`. */
      values: z.boolean().default(false),
      most_characters: count.default(500),
    })
    .optional(),
  /** Counts operations and how long they take. */
  metrics: z.strictObject({ enabled, most_series: count.default(1_000) }).optional(),
  /** Keeps answers of models and results of tools in memory, for each tenant by itself. */
  cache: z
    .strictObject({
      enabled,
      ttl_ms: count.default(3_600_000),
      max_entries: count.default(1_000),
      max_mb: positive.default(64),
      models: texts.default(['*']),
      /** Tools beside those that are pure. */
      tools: texts.default([]),
    })
    .optional(),
  /** Bounds how often models and tools are called, for each tenant by itself. */
  rate_limit: z
    .strictObject({
      enabled,
      rules: z
        .array(
          z.strictObject({
            model: text.optional(),
            tool: text.optional(),
            per_minute: positive,
            /** Calls that may come at once; as many as in one minute if not given. */
            burst: count.optional(),
            exceeded: z.enum(['wait', 'refuse']).default('wait'),
            max_wait_ms: count.max(600_000).default(60_000),
          }),
        )
        .default([]),
    })
    .optional(),
  /** Keeps account of what models cost, in US dollars. */
  cost_tracking: z
    .strictObject({
      enabled,
      max_usd_per_run: positive.optional(),
      max_usd_per_tenant: positive.optional(),
      /** What the tenant's limit counts: this day or month (UTC), or everything. */
      period: z.enum(['day', 'month', 'all']).default('month'),
    })
    .optional(),
  /** Takes personal data and keys out of what goes to models, what comes from them and what is logged. */
  redact: z
    .strictObject({
      enabled,
      apply: z.array(z.enum(['model_input', 'model_output', 'log'])).default(['model_input', 'log']),
      patterns: z.array(z.enum(['email', 'card', 'api_key'])).default(['email', 'card', 'api_key']),
      /** Regular expressions (RE2) of your own by name. */
      custom: z.record(text, text).default({}),
      /** What stands in place; `{kind}` is the pattern's name. */
      replacement: text.default('[{kind}]'),
    })
    .optional(),
});

/** The configuration file (`llmspell.toml`), every key with its default. */
const configSchema = z
  .strictObject({
    hooks: hookSettings.prefault({}),
    models: z
      .strictObject({
        /** Stands in for every model a script names. */
        override: model,
        /** Stands in for every embedding model. */
        embedding_override: model,
        providers: z.record(text, provider).default({}),
        /** Prices by model name, `openai/gpt-5`, over the built-in table. */
        prices: z.record(text, price).default({}),
        /** What `mock/script` answers, one after the other. */
        mock: z.strictObject({ responses: texts }).optional(),
      })
      .prefault({}),
    data: z
      .strictObject({
        dir: path.default('.llmspell'),
        backend: z.enum(['sqlite', 'memory']).default('sqlite'),
        /** `normal` survives a killed process, `full` a power loss too. */
        durability: z.enum(['normal', 'full']).default('normal'),
      })
      .prefault({}),
    permissions: z
      .strictObject({
        read: z.array(path).default([]),
        write: z.array(path).default([]),
        net: names(GRANT_NAMES.net),
        tenants: texts.default([]),
        programs: names(GRANT_NAMES.programs),
        environment: names(GRANT_NAMES.environment),
      })
      .prefault({}),
    limits: z
      .strictObject({
        cpu_ms: count.default(10_000),
        timeout_ms: z.int().nonnegative().max(MOST_MS).default(0),
        memory_mb: z.number().min(LEAST_MEMORY_MB).max(MOST_MEMORY_MB).default(64),
        output_mb: positive.default(16),
        fibers: count.default(256),
        subscriptions: count.default(1_000),
        hooks: count.default(1_000),
        jobs_per_turn: count.default(10_000),
        external_calls: count.default(64),
        model_calls: z.int().nonnegative().default(100),
        drain_ms: z.int().nonnegative().max(MOST_MS).default(5_000),
      })
      .prefault({}),
    sessions: z
      .strictObject({
        /** A session is gone when nothing has changed for this time; never if not set. */
        expires_in_ms: count.optional(),
        max_count: count.default(100_000),
        /** Of one session. */
        max_turns: count.default(100_000),
      })
      .prefault({}),
    artifacts: z
      .strictObject({
        max_count: count.default(100_000),
        /** Of all artifacts of a tenant, before compression. */
        max_bytes: count.default(10 * 2 ** 30),
        /** Of one artifact. */
        max_size: count.default(2 ** 30),
      })
      .prefault({}),
    tenants: z
      .strictObject({
        /** What the database and the artifact files of one tenant may take; no bound if not set. */
        max_bytes: count.optional(),
      })
      .prefault({}),
    tools: z
      .strictObject({
        web_search: z
          .strictObject({
            kind: z.enum(['brave', 'tavily', 'searxng', 'json']),
            url: z.url().optional(),
            api_key_env: text.optional(),
          })
          .optional(),
        /** The server that `email_send` hands messages to. */
        email: z
          .strictObject({
            host: text,
            port: z.int().min(1).max(65_535).optional(),
            /** `tls` from the first byte (port 465), `starttls` before anything is said (587), or `none` (25). */
            security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
            user: text.optional(),
            password_env: text.optional(),
            from: text,
            /** Patterns of addresses that may get mail. */
            recipients: texts.default(['*']),
          })
          .optional(),
      })
      .prefault({}),
    mcp: z
      .strictObject({
        /** Model Context Protocol servers, whose tools are `NAME.tool`. */
        servers: z.record(text.regex(/^[a-z][a-z0-9_]{0,31}$/, 'expected a name in snake_case of up to 32 letters'), mcpServer).default({}),
      })
      .prefault({}),
    rag: z
      .strictObject({
        /** A service that orders passages, in place of the built-in scoring: Cohere's protocol, which Jina, vLLM and others speak. */
        reranker: z.strictObject({ url: z.url(), model: text, api_key_env: text.optional() }).optional(),
        /** What one tenant may keep in all its knowledge bases. */
        max_documents: count.default(1_000_000),
        max_mb: positive.default(20_480),
        /** Longest time of one ingest, ms. */
        ingest_timeout_ms: count.max(MOST_MS).default(600_000),
      })
      .prefault({}),
    log: z
      .strictObject({
        level: z.enum([...LOG_LEVELS, 'silent']).default('warn'),
      })
      .prefault({}),
    alerts: z
      .strictObject({
        channels: z.record(text, alertChannel).default({}),
      })
      .prefault({}),
  })
  .refine(({ alerts, tools }) => tools.email !== undefined || Object.values(alerts.channels).every(({ email }) => email === undefined), {
    path: ['alerts', 'channels'],
    message: 'a channel with email needs a mail server in [tools.email]',
  });

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;

/** A server of `[mcp.servers]`. */
export type McpServerConfig = Config['mcp']['servers'][string];

/** The configuration with every default filled in. Throws BAD_CONFIG that names the key. */
export function parseConfig(input: ConfigInput = {}): Config {
  return checkConfig(input);
}

/** As above, of what may be anything; the error begins with where it comes from. */
export function checkConfig(input: unknown, from = 'configuration'): Config {
  // The schema, which takes longer than a short script, is not even made for nothing.
  if (typeof input === 'object' && input !== null && Object.keys(input).length === 0) return structuredClone(DEFAULTS);
  // Nothing is compiled: that takes longer than the one or two checks of a process.
  const parsed = configSchema.safeParse(input, { jitless: true, reportInput: true });
  if (parsed.success) return parsed.data;
  throw new ScriptError('BAD_CONFIG', `${from}: ${configProblem(parsed.error, configSchema)}`);
}

/** What the schema makes of nothing, which defaults.ts keeps. */
export function schemaDefaults(): Config {
  return configSchema.parse({});
}

import { writeFileSync } from 'node:fs';
import { HostContainer } from '../call/run.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { builtinHooks } from '../hook/builtin/index.ts';
import { embeddings } from '../model/embeddings.ts';
import { models } from '../model/models.ts';
import { readConfig } from '../settings.ts';
import { CONFIG_FILE, loadConfig } from './config-file.ts';
import { checkPermitted } from './options.ts';

const TEMPLATE = `# llmspell. Every setting has a default; \`llmspell config show\` prints them all.

[models]
# override = "local/extractive"        # stands in for every model that a script names
# embedding_override = "local/words"   # stands in for every embedding model

# [models.providers.openai]
# kind = "openai"                      # openai, anthropic, google or openai-compatible
# api_key_env = "OPENAI_API_KEY"

# [models.providers.ollama]
# kind = "openai-compatible"
# base_url = "http://localhost:11434/v1"

[data]
# dir = ".llmspell"
# durability = "normal"                # "full" survives a power loss too

[permissions]
# read = ["docs"]                      # beyond the script's own folder
# write = []
# net = ["api.example.org"]

# [tools.web_search]
# kind = "searxng"                     # brave, tavily, searxng or json
# url = "http://localhost:8080/search"

# [mcp.servers.github]                 # its tools are github.NAME; approve them with \`llmspell mcp approve\`
# command = "npx"                      # or url = "https://…" with token_env
# args = ["-y", "@modelcontextprotocol/server-github"]
# env = ["GITHUB_TOKEN"]

# [tools.email]
# host = "mail.example.org"
# user = "bot"
# password_env = "MAIL_PASSWORD"
# from = "Bot <bot@example.org>"
# recipients = ["*@example.org"]

[limits]
# cpu_ms = 10000
# memory_mb = 64

# [hooks.logging]                      # a section that is there switches its hook on
# [hooks.metrics]
# [hooks.cache]
# [hooks.rate_limit]
# [hooks.cost_tracking]
# max_usd_per_run = 1.0
# [hooks.redact]

[log]
# level = "warn"
`;

/** Prints the configuration with every default, secrets masked. */
export async function showConfig(path: string | undefined): Promise<void> {
  const { config, file } = await loadConfig(path);
  process.stdout.write(`${JSON.stringify({ file: file ?? null, ...(readConfig(config) as object) }, null, 2)}\n`);
}

/** Writes a configuration with everything explained, where there is none yet. */
export function initConfig(path = CONFIG_FILE): void {
  try {
    writeFileSync(path, TEMPLATE, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ScriptError('BAD_CONFIG', `${path}: ${code === 'EEXIST' ? 'it exists already' : `it cannot be written (${code})`}`);
  }
  process.stdout.write(`wrote ${path}\n`);
}

/** Says whether the configuration can be used: what is written and what a runtime would make of it. */
export async function checkConfig(path: string | undefined): Promise<void> {
  const { config, file } = await loadConfig(path);
  checkPermitted(config, file);
  try {
    await using host = new HostContainer({ ...config, data: { ...config.data, backend: 'memory' } }, config.data.dir);
    builtinHooks(host);
    host.get(models).checkOverride();
    host.get(embeddings).checkOverride();
  } catch (error) {
    throw new ScriptError('BAD_CONFIG', `${file ?? CONFIG_FILE}: ${asScriptError(error).message}`);
  }
  process.stdout.write(file === undefined ? `there is no ${CONFIG_FILE}; the defaults are used\n` : `${file} is fine\n`);
}

import { compileSchema } from '../call/compile.ts';
import { toJsonSchema } from '../call/json-schema/write.ts';
import type { Value } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { log } from '../log/log.ts';
import { readHead } from '../mcp/serve/head.ts';
import { serveHttp } from '../mcp/serve/http.ts';
import type { ServedCall, ServedTool } from '../mcp/serve/served.ts';
import { serveStdio } from '../mcp/serve/stdio.ts';
import type { ExecuteOptions } from '../runtime/options.ts';
import type { ScriptRuntime } from '../runtime.ts';
import { hostTools } from '../tool/registry.ts';
import { toolName } from '../tool/tool.ts';
import { loadConfig } from './config-file.ts';
import { runFolder } from './data-folder.ts';
import { checkNames, checkPermitted, grantsOf, limitsOf, type RunFlags, seedOf, withFlags } from './options.ts';
import { logLine } from './report.ts';
import { createRuntime, readScript } from './run.ts';
import { visible } from './visible.ts';

export interface ServeFlags extends RunFlags {
  readonly script?: string[];
  readonly tools?: string;
  readonly http?: string;
  readonly host?: string;
  readonly tokenEnv?: string;
}

type Execute = (source: string, options: ExecuteOptions, call: ServedCall) => Promise<Value>;

/** Calls a tool of the runtime in a run of its own. */
const CALL_TOOL = 'Tool.execute(INPUT.tool, INPUT.params)';
const MOST_PORT = 65_535;

/** Offers scripts and tools to clients of the Model Context Protocol until they go away or Ctrl-C. */
export async function serveMcp(flags: ServeFlags): Promise<number> {
  const http = flags.http === undefined ? undefined : httpOptions(flags.http, flags);
  checkNames(flags);
  const loaded = await loadConfig(flags.config);
  const { config, input, file } = loaded;
  checkPermitted(config, file);
  const dataDir = runFolder(loaded, flags);
  await using runtime = await createRuntime({ config: withFlags(input, flags), dataDir }, file, flags);
  runtime.host.get(log).writeTo((entry) => void process.stderr.write(`${visible(logLine(entry), process.stderr)}\n`));
  const seed = seedOf(flags);
  const shared: ExecuteOptions = {
    limits: limitsOf(flags),
    ...(flags.tenant !== undefined && { tenant: flags.tenant }),
    ...(seed !== undefined && { seed }),
  };
  const grants = (path: string | undefined) =>
    grantsOf({ ...config, models: { ...config.models, ...(flags.model !== undefined && { override: flags.model }) } }, flags, dataDir, path);
  const execute: Execute = async (source, options, { signal, print }) =>
    (await runtime.execute(source, { ...shared, ...options, signal, on_output: print })).value as Value;
  const tools = [
    ...(flags.script ?? []).map((file) => servedScript(file, execute, grants)),
    ...(await Promise.all((flags.tools?.split(',') ?? []).map((name) => servedTool(runtime, name.trim(), execute, grants)))),
  ];
  const names = tools.map(({ name }) => name);
  const double = names.find((name, at) => names.indexOf(name) !== at);
  if (double !== undefined) throw new ScriptError('BAD_ARGUMENT', `two of the scripts and tools are called ${double}`);
  if (tools.length === 0) throw new ScriptError('BAD_ARGUMENT', 'nothing to serve; name scripts (--script FILE) or tools (--tools NAME,…)');
  await untilInterrupted(async (signal) => {
    if (!http) return serveStdio(tools, signal);
    const serving = await serveHttp(tools, http);
    process.stderr.write(`serving ${names.join(', ')} at ${serving.url}\n`);
    await new Promise((done) => signal.addEventListener('abort', done, { once: true }));
    await serving.close();
  });
  return 0;
}

function servedScript(file: string, execute: Execute, grants: (path: string | undefined) => ExecuteOptions['grants'] & object): ServedTool {
  const script = readScript(file);
  const { name, description, input, output } = readHead(script.text, script.language, file);
  const check = compileSchema(input);
  const checkResult = output && compileSchema(output);
  const options = { language: script.language, name: script.name, path: script.path, grants: grants(script.path) };
  return {
    name,
    description,
    input: toJsonSchema(input),
    output: output && toJsonSchema(output),
    async call(args, call) {
      const value = await execute(script.text, { ...options, input: check(args, name, 'javascript') as Value }, call);
      if (!checkResult) return value;
      try {
        return checkResult(value, 'result', script.language) as Value;
      } catch (error) {
        throw new ScriptError('TOOL_FAILED', `${name}: the script did not give what its head promises: ${asScriptError(error).message}`);
      }
    },
  };
}

async function servedTool(
  runtime: ScriptRuntime,
  given: string,
  execute: Execute,
  grants: (path: string | undefined) => ExecuteOptions['grants'] & object,
): Promise<ServedTool> {
  const tool = await runtime.host.get(hostTools).find(toolName(given));
  if (!tool) throw new ScriptError('NOT_FOUND', `--tools: there is no tool "${given}"; \`llmspell tools\` lists them all`);
  const { name, description, schema } = tool;
  const options: ExecuteOptions = { language: 'javascript', name, grants: grants(undefined) };
  return {
    name,
    description,
    input: schema,
    output: undefined,
    call: (params, call) => execute(CALL_TOOL, { ...options, input: { tool: name, params } }, call),
  };
}

function httpOptions(port: string, { host = '127.0.0.1', tokenEnv }: ServeFlags): { host: string; port: number; token: string | undefined } {
  const number = Number(port);
  if (!/^\d+$/.test(port) || number > MOST_PORT) throw new ScriptError('BAD_ARGUMENT', `--http: expected a port, got ${JSON.stringify(port)}`);
  const token = tokenEnv === undefined ? undefined : process.env[tokenEnv];
  if (tokenEnv !== undefined && !token) throw new ScriptError('BAD_CONFIG', `--token-env: the environment variable ${tokenEnv} is not set`);
  return { host, port: number, token };
}

async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    await work(abort.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

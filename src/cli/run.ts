import { basename, extname, resolve } from 'node:path';
import { ENDINGS, type Language } from '../call/context.ts';
import { readTextFile } from '../call/text-file.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import type { MetricsSnapshot } from '../hook/builtin/metrics.ts';
import { log } from '../log/log.ts';
import type { ExecuteOptions, RuntimeOptions } from '../runtime/options.ts';
import { ScriptRuntime } from '../runtime.ts';
import { loadConfig } from './config-file.ts';
import { runFolder } from './data-folder.ts';
import { checkNames, checkPermitted, grantsOf, inputOf, limitsOf, overrides, type RunFlags, seedOf, withFlags } from './options.ts';
import { progress } from './progress.ts';
import { EXIT, errorText, failureJson, logLine, statusOf, successJson } from './report.ts';
import { visible } from './visible.ts';

/** A script to run: its text, and its file if it has one. */
export interface Script {
  readonly text: string;
  readonly language: Language;
  readonly name: string;
  readonly path?: string | undefined;
}

/** A script may be this long, bytes. */
const MOST_BYTES = 64 * 2 ** 20;

/** Reads a script file. Throws NOT_FOUND when there is none, BAD_ARGUMENT when its ending says no language, it is no file, too long or cannot be read. */
export function readScript(file: string): Script {
  const ending = extname(file).toLowerCase();
  const language = (['lua', 'javascript'] as const).find((one) => ENDINGS[one].includes(ending));
  if (!language) throw new ScriptError('BAD_ARGUMENT', `${file}: expected a script that ends in .lua, .js or .mjs`);
  try {
    return { text: readTextFile(file, MOST_BYTES), language, name: basename(file), path: resolve(file) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new ScriptError('NOT_FOUND', `${file}: there is no such script`);
    throw new ScriptError('BAD_ARGUMENT', `${file}: ${error instanceof ScriptError ? error.message : `it cannot be read (${code})`}`);
  }
}

/** Runs a script to its end and gives the exit status. Ctrl-C cancels it, a second one ends the process at once. */
export async function runScript(script: Script, args: readonly string[], flags: RunFlags): Promise<number> {
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(EXIT.interrupted);
    abort.abort();
  };
  // The event loop is empty and the script still waits: nothing can wake it any more.
  const deadlock = () => abort.abort(new ScriptError('DEADLOCK', 'the script waits for something that can never happen'));
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.on('beforeExit', deadlock);
  try {
    const status = await execute(script, args, flags, abort.signal);
    return abort.signal.aborted && !isDeadlock(abort.signal) ? EXIT.interrupted : status;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    process.off('beforeExit', deadlock);
  }
}

function isDeadlock({ reason }: AbortSignal): boolean {
  return reason instanceof ScriptError && reason.code === 'DEADLOCK';
}

/** What the flags and the configuration come to for runs of one language. */
export async function prepare(flags: RunFlags, script: Pick<Script, 'language' | 'path'>, args: readonly string[]) {
  checkNames(flags);
  const loaded = await loadConfig(flags.config);
  const { config, input, file } = loaded;
  checkPermitted(config, file);
  const dataDir = runFolder(loaded, flags);
  const models = { ...config.models, ...overrides(flags) };
  const seed = seedOf(flags);
  const execute: ExecuteOptions = {
    language: script.language,
    args,
    input: inputOf(flags),
    grants: grantsOf({ ...config, models }, flags, dataDir, script.path),
    limits: limitsOf(flags),
    session: flags.session,
    ...(flags.tenant !== undefined && { tenant: flags.tenant }),
    ...(seed !== undefined && { seed }),
  };
  return { runtime: { config: withFlags(input, flags), dataDir }, file, execute };
}

/** Makes the runtime of a command. Throws BAD_CONFIG for a setting that is wrong, with the flag that it comes from or the file that it stands in. */
export async function createRuntime(options: RuntimeOptions, file: string | undefined, flags: RunFlags): Promise<ScriptRuntime> {
  try {
    return await ScriptRuntime.create(options);
  } catch (thrown) {
    const error = asScriptError(thrown);
    if (error.code === 'BAD_CONFIG') error.message = placedInSettings(error.message, file, flags);
    throw error;
  }
}

function placedInSettings(message: string, file: string | undefined, flags: RunFlags): string {
  if (flags.model !== undefined && message.startsWith('models.override: ')) return message.replace('models.override', '--model');
  if (flags.embeddingModel !== undefined && message.startsWith('models.embedding_override: '))
    return message.replace('models.embedding_override', '--embedding-model');
  return file === undefined ? message : `${file}: ${message}`;
}

async function execute(script: Script, args: readonly string[], flags: RunFlags, signal: AbortSignal): Promise<number> {
  const prepared = await prepare(flags, script, args);
  const options = { ...prepared.execute, name: script.name, path: script.path, signal };
  await using runtime = await createRuntime(prepared.runtime, prepared.file, flags);
  runtime.host.get(log).writeTo((entry) => void process.stderr.write(`${visible(logLine(entry), process.stderr)}\n`));
  const line = progress(runtime);
  try {
    const result = await runtime.executeExact(script.text, { ...options, on_output: flags.json ? () => undefined : (text) => line.print(text) });
    line.clear();
    if (flags.json) process.stdout.write(`${successJson(result, metricsOf(runtime))}\n`);
    return 0;
  } catch (thrown) {
    line.clear();
    const error = asScriptError(thrown);
    if (flags.json) process.stdout.write(`${failureJson(error, metricsOf(runtime))}\n`);
    else if (!signal.aborted || isDeadlock(signal)) process.stderr.write(`${visible(errorText(error), process.stderr)}\n`);
    else process.stderr.write('interrupted\n');
    return statusOf(error);
  }
}

/** What `--json` adds where `[hooks.metrics]` is on. */
function metricsOf(runtime: ScriptRuntime): MetricsSnapshot | undefined {
  return runtime.host.config.hooks.metrics?.enabled ? runtime.metrics() : undefined;
}

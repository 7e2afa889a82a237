import { readFileSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import type { Language } from '../call/context.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { log } from '../log/log.ts';
import { ScriptRuntime } from '../runtime.ts';
import { loadConfig } from './config-file.ts';
import { dataFolder, grantsOf, inputOf, limitsOf, type RunFlags, seedOf, withFlags } from './options.ts';
import { progress } from './progress.ts';
import { EXIT, errorText, failureJson, logLine, statusOf, successJson } from './report.ts';

/** A script to run: its text, and its file if it has one. */
export interface Script {
  readonly text: string;
  readonly language: Language;
  readonly name: string;
  readonly path?: string | undefined;
}

const LANGUAGES: Readonly<Record<string, Language>> = { '.lua': 'lua', '.js': 'javascript', '.mjs': 'javascript' };

/** Reads a script file. Throws BAD_CONFIG when there is none or its ending says no language. */
export function readScript(file: string): Script {
  const language = LANGUAGES[extname(file).toLowerCase()];
  if (!language) throw new ScriptError('BAD_CONFIG', `${file}: expected a script that ends in .lua, .js or .mjs`);
  try {
    return { text: readFileSync(file, 'utf8'), language, name: basename(file), path: resolve(file) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ScriptError(
      'BAD_CONFIG',
      `${file}: ${code === 'ENOENT' ? 'there is no such script' : code === 'EISDIR' ? 'this is a folder' : `it cannot be read (${code})`}`,
    );
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

async function execute(script: Script, args: readonly string[], flags: RunFlags, signal: AbortSignal): Promise<number> {
  const { config, input } = await loadConfig(flags.config);
  const settings = withFlags(input, flags);
  const dataDir = dataFolder(config, flags);
  const options = {
    language: script.language,
    name: script.name,
    path: script.path,
    args,
    input: inputOf(flags),
    grants: grantsOf({ ...config, models: { ...config.models, ...(flags.model !== undefined && { override: flags.model }) } }, flags, dataDir, script.path),
    limits: limitsOf(flags),
    signal,
    ...(flags.tenant !== undefined && { tenant: flags.tenant }),
    ...(seedOf(flags) !== undefined && { seed: seedOf(flags) as number }),
  };
  await using runtime = await ScriptRuntime.create({ config: settings, dataDir });
  runtime.host.get(log).writeTo((entry) => void process.stderr.write(`${logLine(entry)}\n`));
  const line = progress(runtime);
  try {
    const result = await runtime.execute(script.text, { ...options, on_output: flags.json ? () => undefined : (text) => line.print(text) });
    line.clear();
    if (flags.json) process.stdout.write(`${successJson(result)}\n`);
    return 0;
  } catch (thrown) {
    line.clear();
    const error = asScriptError(thrown);
    if (flags.json) process.stdout.write(`${failureJson(error)}\n`);
    else if (!signal.aborted || isDeadlock(signal)) process.stderr.write(`${errorText(error)}\n`);
    else process.stderr.write('interrupted\n');
    return statusOf(error);
  }
}

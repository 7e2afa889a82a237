import { type Command, Option } from 'commander';
import type { Language } from '../call/context.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import type { McpFlags } from './mcp.ts';
import type { ServeFlags } from './mcp-serve.ts';
import type { RunFlags } from './options.ts';
import { EXIT, tellFailure } from './report.ts';

/** Takes the exit status. */
export type Done = (status: number) => void;

/** Gives a command its description, options and action. */
export type AddCommand = (command: Command, done: Done) => void;

/** The commands that run scripts, and what helps to write them. */
export const scriptCommands: Readonly<Record<string, AddCommand>> = { run, exec, repl, types, tools };

/** The commands that say what may be reached. */
export const settingCommands: Readonly<Record<string, AddCommand>> = { config, mcp };

function run(command: Command, done: Done): void {
  withRunOptions(command.description("runs a script; everything behind SCRIPT is the script's"))
    .option('--watch', 'run again when a script of the folder, or of one below it, changes')
    .argument('<script>', 'a .lua, .js or .mjs file')
    .argument('[args...]', 'for the script, as ARGS')
    .passThroughOptions()
    .action(async (file: string, args: string[], flags: RunFlags) => {
      const { readScript, runScript } = await import('./run.ts');
      const run = () => begin(async () => runScript(readScript(file), args, flags), flags.json);
      const watched = async () => (await import('./watch.ts')).watchScript(file, readScript(file).language, flags, run);
      done(flags.watch ? await begin(watched, flags.json) : await run());
    });
}

function exec(command: Command, done: Done): void {
  withRunOptions(command.description("runs code given on the command line; options stand before CODE, everything behind it is the script's"))
    .addOption(langOption())
    .argument('<code>')
    .argument('[args...]', 'for the script, as ARGS')
    .passThroughOptions()
    .action(async (code: string, args: string[], flags: RunFlags & { lang?: string }) => {
      const end = args.indexOf('--');
      refuseLateOptions(command, end < 0 ? args : args.slice(0, end));
      const passed = end === 0 ? args.slice(1) : args;
      const language = languageOf('exec', flags);
      const { runScript } = await import('./run.ts');
      done(await begin(() => runScript({ text: code, language, name: language === 'lua' ? 'exec.lua' : 'exec.js' }, passed, flags), flags.json));
    });
}

function repl(command: Command, done: Done): void {
  withRunOptions(command.description('runs code line by line as you type it'), { json: false })
    .addOption(langOption())
    .argument('[args...]', 'for the session, as ARGS')
    .passThroughOptions()
    .action(async (args: string[], flags: RunFlags & { lang?: string }) => {
      const language = languageOf('repl', flags);
      const { startRepl } = await import('./repl.ts');
      done(await begin(() => startRepl(language, args, flags)));
    });
}

function langOption(): Option {
  return new Option('--lang <language>', 'the language').choices(['lua', 'js', 'javascript']);
}

/** Says itself what is missing, so that `--json` answers too. */
function languageOf(command: string, { lang }: { readonly lang?: string }): Language {
  if (lang === undefined) throw new ScriptError('BAD_ARGUMENT', `${command}: the language is missing: --lang lua or --lang js`);
  return lang === 'lua' ? 'lua' : 'javascript';
}

function types(command: Command): void {
  command
    .description('writes the types of the script API for editors')
    .option('--out <dir>', 'where to', 'types')
    .action(async ({ out }: { out: string }) => (await import('./types.ts')).writeTypes(out));
}

function tools(command: Command): void {
  command
    .description('lists the tools, or shows one')
    .option('--json', 'as JSON')
    .argument('[name]')
    .action(async (name: string | undefined, { json = false }: { json?: boolean }) => (await import('./tools.ts')).showTools(name, json));
}

function config(command: Command): void {
  command.description('shows, makes or checks the configuration');
  const withFile = (command: Command) => command.argument('[file]', 'llmspell.toml if not given').option('--config <file>', 'the same');
  withFile(command.command('show').description('prints every setting, secrets masked')).action(async (file: string | undefined, flags: { config?: string }) =>
    (await import('./config.ts')).showConfig(file ?? flags.config),
  );
  command
    .command('init')
    .description('writes a configuration with what is set most, explained')
    .argument('[file]')
    .action(async (file: string | undefined) => (await import('./config.ts')).initConfig(file));
  withFile(command.command('check').description('says whether a configuration can be used')).action(
    async (file: string | undefined, flags: { config?: string }) => (await import('./config.ts')).checkConfig(file ?? flags.config),
  );
}

function mcp(command: Command, done: Done): void {
  command.description('deals with servers of the Model Context Protocol and their tools');
  const withFolder = (command: Command) =>
    command.option('--config <file>', 'instead of llmspell.toml').option('--data <dir>', 'the data folder; .llmspell if not given');
  withFolder(command.command('list').description('lists servers and tools, and which tools are approved'))
    .option('--json', 'as JSON')
    .action(async (flags: McpFlags) => (await import('./mcp.ts')).listMcp(flags));
  withFolder(command.command('approve').description('approves tools as the server offers them now'))
    .option('--all', 'all that are new or have changed')
    .argument('<server>')
    .argument('[tools...]')
    .action(async (server: string, tools: string[], flags: McpFlags) => (await import('./mcp.ts')).approveMcp(server, tools, flags));
  withFolder(command.command('revoke').description('takes the approval of tools back'))
    .option('--all', 'all of the server')
    .argument('<server>')
    .argument('[tools...]')
    .action(async (server: string, tools: string[], flags: McpFlags) => (await import('./mcp.ts')).revokeMcp(server, tools, flags));
  withGrantOptions(command.command('serve').description('offers scripts and tools to MCP clients, over standard input and output'))
    .addOption(several('--script <file>', 'a script that is a tool by the comment at its head'))
    .option('--tools <names>', 'built-in tools, separated by commas')
    .option('--http <port>', 'over streamable HTTP instead')
    .option('--host <address>', 'the address to listen on; 127.0.0.1 if not given')
    .option('--token-env <name>', 'the variable with the bearer token that clients must bring')
    .action(async (flags: ServeFlags) => done(await begin(async () => (await import('./mcp-serve.ts')).serveMcp(flags))));
}

/** Runs what begins scripts and gives the exit status: whatever goes wrong before one has begun is wrong usage. */
async function begin(work: () => Promise<number>, json?: boolean): Promise<number> {
  try {
    return await work();
  } catch (thrown) {
    tellFailure(asScriptError(thrown), json);
    return EXIT.usage;
  }
}

/** Throws BAD_ARGUMENT for an option of the command behind the code, where it would be an argument of the script. */
function refuseLateOptions(command: Command, args: readonly string[]): void {
  const late = args.find((arg) => command.options.some((option) => option.long === arg.replace(/=.*$/, '')));
  if (late === undefined) return;
  const flag = late.replace(/=.*$/, '');
  throw new ScriptError('BAD_ARGUMENT', `exec: ${flag} stands behind the code; options stand before it (-- behind the code passes it on to the script)`);
}

function withRunOptions(command: Command, { json = true } = {}): Command {
  if (json) command.option('--json', 'print one JSON object at the end instead of output as it happens');
  return withGrantOptions(command.option('--input <json>', "the run's INPUT"));
}

function several(flag: string, text: string): Option {
  return new Option(flag, text).argParser((value: string, before: string[] | undefined) => [...(before ?? []), nonEmpty(flag, value)]);
}

/** What bounds and permits runs, one or many. */
function withGrantOptions(command: Command): Command {
  return command
    .option('--model <name>', 'stands in for every model, such as local/extractive')
    .option('--embedding-model <name>', 'stands in for every embedding model, such as local/words')
    .option('--data <dir>', 'the data folder; .llmspell if not given')
    .option('--config <file>', 'instead of llmspell.toml')
    .option('--timeout <ms>', 'ends the run')
    .option('--memory <mb>', "the script's memory, 1 to 2048; 64 if not given")
    .option('--tenant <id>', 'whose data it is; default if not given')
    .option('--session <id>', 'the session that Session.current_id() gives')
    .addOption(several('--allow-tenant <id>', 'another tenant that may be reached, or *'))
    .addOption(several('--allow-read <dir>', "a folder to read, instead of the script's own"))
    .addOption(several('--allow-write <dir>', 'a folder to write, beside the workspace'))
    .addOption(several('--allow-net <host>', 'a host to reach, such as api.example.org or *.example.org'))
    .addOption(several('--allow-program <name>', 'a program that the process tool may start'))
    .addOption(several('--allow-env <name>', 'an environment variable that the environment tool may read'))
    .option('--seed <n>', "the run's random numbers");
}

function nonEmpty(flag: string, value: string): string {
  if (value === '') throw new ScriptError('BAD_ARGUMENT', `${flag}: expected a value`);
  return value;
}

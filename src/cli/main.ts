import { Command, CommanderError, type OutputConfiguration } from 'commander';
import { asScriptError, ScriptError } from '../errors.ts';
import { type AddCommand, type Done, scriptCommands, settingCommands } from './commands.ts';
import { dataCommands } from './nouns.ts';
import { EXIT, tellFailure, usageOrFailed } from './report.ts';

/** Each command by its name, in the order of the help. */
const COMMANDS: Readonly<Record<string, AddCommand>> = { ...scriptCommands, ...dataCommands, ...settingCommands };

/** Runs the command line and gives the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  let status = 0;
  // Until the arguments are understood it counts wherever it stands.
  let json = argv.includes('--json');
  const done = (given: number) => {
    status = given;
  };
  const program = createProgram(argv[0], done, (text, write) => !json && write(text)).hook('preAction', (_, command) => {
    json = command.opts().json === true;
  });
  try {
    await program.parseAsync(withoutVainHelp(program, argv), { from: 'user' });
    return status;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) {
      const error = asScriptError(thrown);
      tellFailure(error, json);
      return usageOrFailed(error);
    }
    if (thrown.exitCode === 0) return 0;
    if (json) tellFailure(new ScriptError('BAD_ARGUMENT', inOneLine(thrown.message).replace(/^error: /, '')), json);
    return EXIT.usage;
  }
}

/** The arguments, of `help nope` only `nope`: commander says of that what is unknown, where for `help nope` it prints the usage as if asked for it. */
function withoutVainHelp(program: Command, argv: readonly string[]): string[] {
  const at = argv[0] === 'help' ? 0 : 1;
  const { commands } = at === 0 ? program : (named(program.commands, argv[0]) ?? { commands: [] });
  const asked = argv[at + 1];
  const vain = argv[at] === 'help' && commands.length > 0 && asked !== undefined && !asked.startsWith('-') && asked !== 'help' && !named(commands, asked);
  return vain ? argv.toSpliced(at, 1) : [...argv];
}

function named(commands: readonly Command[], name: string | undefined): Command | undefined {
  return commands.find((command) => command.name() === name);
}

/** What commander says on two lines: what is unknown, and what was probably meant. */
function inOneLine(text: string): string {
  return text.replace(/\n\(Did you mean (.*)\?\)/, '; did you mean $1?');
}

/** The grammar of one command where it is asked for by its name, which takes a fifth of the time, else of all. */
function createProgram(asked: string | undefined, done: Done, outputError: OutputConfiguration['outputError'] & object): Command {
  const program = new Command('llmspell')
    .description('Runs Lua and JavaScript scripts that drive agents, tools and workflows.')
    .version('0.1.0')
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({ outputError: (text, write) => outputError(inOneLine(text), write) });
  const one = asked !== undefined && Object.hasOwn(COMMANDS, asked);
  for (const [name, add] of Object.entries(COMMANDS)) if (!one || name === asked) add(program.command(name), done);
  return program;
}

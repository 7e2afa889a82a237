import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Language } from '../call/context.ts';
import { asScriptError, type ScriptError } from '../errors.ts';
import { globals } from '../globals/index.ts';
import { log } from '../log/log.ts';
import type { InteractiveRun } from '../runtime/interactive.ts';
import type { RunFlags } from './options.ts';
import { commonStart, complete } from './repl-complete.ts';
import { columns, helpText, typesText } from './repl-help.ts';
import { openHistory } from './repl-history.ts';
import { EXIT, errorText, jsonText, logLine, statusOf } from './report.ts';
import { createRuntime, prepare, readScript } from './run.ts';
import { visible } from './visible.ts';

/** Where a session is typed and shown; `terminal` says whether lines are edited there. */
export interface Desk {
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  readonly terminal: boolean;
}

const PROMPT: Readonly<Record<Language, string>> = { lua: 'lua> ', javascript: 'js> ' };
const MORE = '...> ';

/** Runs what is typed, line by line, until the input ends, and gives the exit status; where nobody types, at a pipe, the first error ends it with the error's. */
export async function startRepl(language: Language, args: readonly string[], flags: RunFlags): Promise<number> {
  const { stdin, stdout, stderr } = process;
  return runRepl(language, args, flags, { input: stdin, output: stdout, errors: stderr, terminal: Boolean(stdin.isTTY && stdout.isTTY) });
}

/** As above, at any desk. Ctrl-C stops what runs, at a prompt it drops what was typed. */
export async function runRepl(language: Language, args: readonly string[], flags: RunFlags, desk: Desk): Promise<number> {
  const prepared = await prepare(flags, { language, path: undefined }, args);
  await using runtime = await createRuntime(prepared.runtime, prepared.file, flags);
  const history = openHistory(prepared.runtime.dataDir, language);
  const terminal = createInterface({
    input: desk.input,
    ...(desk.terminal && { output: desk.output }),
    terminal: desk.terminal,
    history: history.lines,
    historySize: 1_000,
    removeHistoryDuplicates: true,
    completer: (line: string): [string[], string] => offer(line),
  });
  let pending = '';
  let typed = 0;
  let status = 0;
  let busy = false;
  let closed = false;
  let session = open();
  runtime.host.get(log).writeTo((entry) => show(desk.errors, logLine(entry)));

  function open(): InteractiveRun {
    return runtime.openSession({ ...prepared.execute, on_output: (line) => show(desk.output, line) });
  }

  /** Writes above the prompt, which comes back when one stood there. */
  function show(where: Writable, text: string): void {
    const waiting = desk.terminal && !busy && !closed;
    where.write(`${waiting ? '\r\x1b[2K' : ''}${visible(text, { isTTY: desk.terminal })}\n`);
    if (waiting) terminal.prompt(true);
  }

  function prompt(): void {
    // The input may end while a line still runs.
    if (!desk.terminal || closed) return;
    terminal.setPrompt(pending === '' ? PROMPT[language] : MORE);
    terminal.prompt();
  }

  /** One match is put in, several are listed with what they are. */
  function offer(line: string): [string[], string] {
    const { fragment, found } = complete(globals, language, line);
    const start = commonStart(found);
    if (found.length <= 1 || start.length > fragment.length) return [found.length === 0 ? [] : [start], fragment];
    show(desk.output, columns(found));
    return [[], fragment];
  }

  /** Runs a chunk and shows what it comes to; one that only lacks its end waits for more where that `mayFollow`. */
  async function evaluate(text: string, source: { name: string; path?: string | undefined }, mayFollow: boolean): Promise<void> {
    pending = '';
    try {
      const shown = await session.evaluate(text, source);
      if (shown !== undefined) show(desk.output, shown);
    } catch (thrown) {
      const error = asScriptError(thrown);
      if (mayFollow && error.details?.incomplete === true) {
        pending = text;
        return;
      }
      complain(error);
    }
    if (session.ended && status === 0) await begin('the session had to be ended; a new one begins, without its variables');
  }

  function complain(error: ScriptError): void {
    if (!desk.terminal) status = error.code === 'CANCELLED' ? EXIT.interrupted : statusOf(error);
    const { value } = error.details ?? {};
    show(desk.errors, error.code === 'CANCELLED' ? 'interrupted' : errorText(error));
    if (value !== undefined && error.code === 'SCRIPT_ERROR' && typeof value === 'object') show(desk.errors, `  value: ${jsonText(value)}`);
  }

  /** Says that a command cannot be obeyed. */
  function refuse(text: string): void {
    if (!desk.terminal) status = EXIT.failed;
    show(desk.errors, text);
  }

  async function begin(why: string): Promise<void> {
    const old = session;
    session = open();
    await old[Symbol.asyncDispose]();
    show(desk.errors, why);
  }

  async function command(line: string): Promise<boolean> {
    const [name = '', ...rest] = line.trim().split(/\s+/);
    const given = rest.join(' ');
    if (name === '.exit') return false;
    if (name === '.help') show(desk.output, helpText(globals, language));
    else if (name === '.clear') await begin('a new session');
    else if (name === '.types') showTypes(given);
    else if (name === '.load') await load(given);
    else refuse(`there is no command ${name}; .help lists all`);
    return true;
  }

  function showTypes(name: string): void {
    const found = typesText(globals, language, name);
    if (found === undefined) refuse(`there is no ${name === '' ? 'name given' : name}; .help lists all globals`);
    else show(desk.output, found);
  }

  async function load(file: string): Promise<void> {
    try {
      const script = readScript(file);
      if (script.language !== language) return refuse(`${file} is not in the language of this session`);
      await evaluate(script.text, { name: script.name, path: script.path }, false);
    } catch (error) {
      refuse(`error: ${asScriptError(error).message}`);
    }
  }

  /** False when the line leaves. */
  async function take(line: string): Promise<boolean> {
    if (pending === '' && /^\s*\.[a-z]+\b/.test(line)) return command(line);
    const text = pending === '' ? line.replace(/^\s*=/, '') : `${pending}\n${line}`;
    if (text.trim() === '') return true;
    if (pending === '') typed++;
    await evaluate(text, { name: `repl[${typed}]` }, true);
    return true;
  }

  const interrupt = () => {
    if (busy) return session.interrupt();
    if (!desk.terminal) {
      status = EXIT.interrupted;
      return terminal.close();
    }
    pending = '';
    desk.output.write('\n');
    terminal.write(null, { ctrl: true, name: 'u' });
    prompt();
  };
  terminal.on('SIGINT', interrupt);
  terminal.once('close', () => {
    closed = true;
  });
  terminal.on('history', (lines: string[]) => history.save(lines));
  process.on('SIGINT', interrupt);
  try {
    if (desk.terminal) desk.output.write(`llmspell, ${language === 'lua' ? 'Lua' : 'JavaScript'}; .help tells more, Ctrl-D leaves\n`);
    prompt();
    for await (const line of terminal) {
      busy = true;
      const stays = await take(line);
      busy = false;
      if (!stays || status !== 0) break;
      prompt();
    }
    busy = true;
    if (pending !== '' && status === 0) await evaluate(pending, { name: `repl[${typed}]` }, false);
    if (desk.terminal) desk.output.write('\n');
    return status;
  } finally {
    process.off('SIGINT', interrupt);
    terminal.close();
    await session[Symbol.asyncDispose]();
  }
}

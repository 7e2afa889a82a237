import { ScriptError } from '../../errors.ts';

/** Whether a chunk could still become right by more lines: the compiler stopped at its end, and not inside a text in quotes, which must end on its line. */
export function lacksEnd(message: string, text: string): boolean {
  if (!/near '?<eof>'?$/.test(message)) return false;
  return !message.startsWith('unfinished string') || text.endsWith('\\');
}

/** The syntax error of a chunk that only lacks its end. */
export function incomplete({ message, where }: ScriptError): ScriptError {
  const error = new ScriptError('SYNTAX_ERROR', message, { details: { incomplete: true } });
  error.where = where;
  return error;
}

/** A traceback without the frames of the prelude and what is below them, which are the session's own; undefined when nothing is left. */
export function withoutPrelude(traceback: string | undefined): string | undefined {
  const [head, ...frames] = traceback?.split('\n') ?? [];
  const first = frames.findIndex((line) => line.startsWith('\t[llmspell]'));
  const own = (first < 0 ? frames : frames.slice(0, first)).map((line) => line.replace(/in local 'chunk'$/, 'in main chunk'));
  return own.length === 0 ? undefined : [head, ...own].join('\n');
}

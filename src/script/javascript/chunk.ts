import { ScriptError } from '../../errors.ts';
import type { Source } from '../engine.ts';
import { type Compiled, compile } from './compile.ts';

/** Compiles a chunk of a session; what reads like an object is one. Throws SYNTAX_ERROR, with `details.incomplete` where only the end is missing. */
export async function compileChunk(source: Source, evaluate: (text: string, flags: number) => Promise<bigint>): Promise<Compiled> {
  const object = asObject(source.text);
  const found = object === undefined ? undefined : await compile({ ...source, text: object }, evaluate).catch(() => undefined);
  if (found) return found;
  return compile(source, evaluate).catch((error: unknown) => {
    const own = error instanceof ScriptError && error.code === 'SYNTAX_ERROR' && error.where?.file === source.name;
    throw own ? markIncomplete(error, source.text) : error;
  });
}

/** A chunk as an expression where it reads like an object, which JavaScript would take for a block. */
function asObject(text: string): string | undefined {
  return /^\s*\{[\s\S]*\}\s*$/.test(text) ? `(${text}\n)` : undefined;
}

/** The syntax error with `details.incomplete` where the chunk only lacks its end: the engine came to the end of the text and wanted more. */
function markIncomplete(error: ScriptError, text: string): ScriptError {
  const [, line = '0', column = '0'] = /:(\d+):(\d+): /.exec(error.message) ?? [];
  const lines = text.split('\n');
  const at = { line: Number(line), column: Number(column) };
  const rest = (lines[at.line - 1] ?? '').slice(at.column - 1);
  const atEnd = at.line === lines.length && rest.trim() === '';
  const open =
    atEnd ||
    /unexpected end of (?:input|comment)|unexpected token in expression: ''/i.test(error.message) ||
    (/unexpected end of string/.test(error.message) && (/^[`}]/.test(rest) || text.endsWith('\\'))) ||
    // Of an unfinished pattern (`let {a,`) the engine names the beginning.
    (/variable name expected/.test(error.message) &&
      /^[{[]/.test(rest) &&
      !lines
        .slice(at.line - 1)
        .join('\n')
        .slice(at.column)
        .includes(rest[0] === '{' ? '}' : ']'));
  if (!open) return error;
  const marked = new ScriptError('SYNTAX_ERROR', error.message, { details: { incomplete: true } });
  marked.where = error.where;
  return marked;
}

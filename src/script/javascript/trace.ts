/** The name that the prelude's own frames carry; scripts' tracebacks leave them out. */
export const PRELUDE_NAME = '<prelude>';

/** Where an error happened and how the script came there. */
export interface Trace {
  readonly where?: { readonly file: string; readonly line: number };
  readonly traceback?: string;
}

interface Frame {
  readonly fn: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Reads the engine's stack text: the script's own frames, innermost first, without the engine's names for top-level code. */
export function traceback(stack: string): Trace {
  const lines: string[] = [];
  let where: Trace['where'];
  for (const text of stack.split('\n')) {
    const frame = parseFrame(text);
    if (!frame || frame.file === PRELUDE_NAME) continue;
    where ??= { file: frame.file, line: frame.line };
    const place = `${frame.file}:${frame.line}:${frame.column}`;
    lines.push(frame.fn === '' ? place : `${frame.fn} (${place})`);
  }
  return where ? { where, traceback: lines.join('\n') } : {};
}

/** `at f (main.js:2:2)`, `at <eval> (main.js:1:1)`, and of a syntax error `at main.js:1:9`. */
function parseFrame(text: string): Frame | undefined {
  const found = /^\s*at (?:(.*) \((.*):(\d+):(\d+)\)|(.*):(\d+):(\d+))$/.exec(text);
  if (!found) return undefined;
  const [, fn = '', file = found[5] ?? '', line = found[6] ?? '0', column = found[7] ?? '0'] = found;
  return { fn: fn === '<eval>' || fn === '<anonymous>' ? '' : fn, file, line: Number(line), column: Number(column) };
}

/** The name that the prelude's own frames carry; scripts' tracebacks leave them out. */
export const PRELUDE_NAME = '<prelude>';

/** The name that the engine gives to texts, of `eval` and `JSON.parse`: where they are used tells more. */
const TEXT_NAME = '<input>';

/** Where an error happened and how the script came there. */
export interface Trace {
  readonly where?: { readonly file: string; readonly line: number };
  readonly traceback?: string;
  /** The column of `where`, from 1, if the script's own code failed there and no function of the language that it called. */
  readonly column?: number;
  /** True where a file of the script could not be parsed. */
  readonly unparsed?: boolean;
}

interface Frame {
  readonly fn: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Whether it is no call but the place of a syntax error. */
  readonly syntax: boolean;
}

/** Reads the engine's stack text: the script's own frames, innermost first, without the engine's names for top-level code. */
export function traceback(stack: string): Trace {
  const frames = stack.split('\n').map(parseFrame);
  const own = frames.filter((frame) => frame !== undefined && frame.file !== PRELUDE_NAME) as Frame[];
  const inFile = own.find(({ file }) => file !== TEXT_NAME) ?? own[0];
  const where = inFile && { file: inFile.file, line: inFile.line };
  const column = inFile && inFile === frames[0] ? inFile.column : undefined;
  const lines = own.map(({ fn, file, line, column: at }) => (fn === '' ? `${file}:${line}:${at}` : `${fn} (${file}:${line}:${at})`));
  const unparsed = inFile !== undefined && inFile === frames[0] && inFile.syntax && inFile.file !== TEXT_NAME;
  return where ? { where, traceback: lines.join('\n'), ...(column !== undefined && { column }), ...(unparsed && { unparsed }) } : {};
}

/** `at f (main.js:2:2)`, `at <eval> (main.js:1:1)`, and of a syntax error `at main.js:1:9`. */
function parseFrame(text: string): Frame | undefined {
  const begin = /^\s*at /.exec(text)?.[0].length;
  // From the end: what the names of functions hold is up to the script.
  const place = /:(\d+):(\d+)(\)?)$/.exec(text);
  if (begin === undefined || !place || place.index < begin) return undefined;
  const [, line, column, close] = place;
  const named = text.slice(begin, place.index);
  const open = close ? named.lastIndexOf(' (') : -1;
  if (close && open < 0) return undefined;
  const fn = named.slice(0, Math.max(0, open));
  const file = close ? named.slice(open + 2) : named;
  return { fn: fn === '<eval>' || fn === '<anonymous>' ? '' : fn, file, line: Number(line), column: Number(column), syntax: !close };
}

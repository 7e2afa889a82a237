import type { Language } from '../call/context.ts';
import type { MethodTable } from '../call/dispatch.ts';
import type { ScriptError } from '../errors.ts';
import { nearest } from '../nearest.ts';

/** What engines say of something that is not there: its name, in JavaScript behind what it was looked for in. */
const MISSING: Record<Language, RegExp> = {
  lua: /^attempt to (?:call|index) a nil value \((global|field|method) '(\w+)'\)$/,
  javascript: /^(?:ReferenceError: ([\w$]+) is not defined|TypeError: ([\w$.]+)\.([\w$]+) is not a function)$/,
};

/** Adds to an error about something that is not there what is there and was probably meant: `RAG.ingest_documents` for `RAG.ingest`. `text` is the script. */
export function sayWhatWasMeant(error: ScriptError, text: string, table: MethodTable, language: Language): void {
  const found = MISSING[language].exec(error.message);
  if (!found) return;
  const [owner, name] = language === 'lua' ? inLua(found, text.split('\n')[(error.where?.line ?? 0) - 1]) : inJavaScript(found);
  const meant = owner === undefined ? nearest(name, globalNames(table)) : memberMeant(owner, name, table, language);
  if (meant !== undefined) error.message += `; did you mean ${meant}?`;
}

type Missing = readonly [owner: string | undefined, name: string];

/** Lua does not say what a field or method was looked for in: that stands in the line. */
function inLua([, kind, name = '']: RegExpExecArray, line = ''): Missing {
  if (kind === 'global') return [undefined, name];
  // From the name backwards: forwards, every word of a long line would be tried from each of its letters on.
  return [new RegExp(`\\b${name}\\b(?<=(\\w+)\\s*[.:]\\s*${name})`).exec(line)?.[1] ?? '', name];
}

function inJavaScript([, global, owner, name]: RegExpExecArray): Missing {
  return global === undefined ? [owner, name as string] : [undefined, global];
}

/** A method of the global that is named, else of whatever handle has such a one. */
function memberMeant(owner: string, name: string, table: MethodTable, language: Language): string | undefined {
  const global = table.globals(language).find((one) => one.name === owner);
  const methods = global ? global.methods : table.handles.flatMap((one) => one.methods);
  // What is there is not what was meant for it.
  if (global?.methods.some(([method]) => method === name)) return undefined;
  const meant = nearest(
    name,
    methods.map(([method]) => method),
  );
  return meant !== undefined && global ? `${owner}.${meant}` : meant;
}

/** Of both languages: what is our global in one only, the other has of itself. */
function globalNames(table: MethodTable): Set<string> {
  return new Set([...table.globals('lua'), ...table.globals('javascript')].map(({ name }) => name));
}

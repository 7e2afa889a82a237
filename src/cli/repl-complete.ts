import type { Language } from '../call/context.ts';
import type { GlobalDefinition, Method } from '../call/define.ts';
import { type Field, fieldOf, type TypeShape } from '../describe/type.ts';

/** Something that may stand where the cursor is. */
export interface Completion {
  /** What replaces the fragment. */
  readonly text: string;
  readonly doc: string;
}

export interface Completions {
  /** The end of the line that is replaced. */
  readonly fragment: string;
  readonly found: readonly Completion[];
}

const COMMANDS: readonly Completion[] = [
  { text: '.help', doc: 'what there is' },
  { text: '.types', doc: 'what a global or method takes and gives: .types Agent.create' },
  { text: '.load', doc: 'runs a file in this session' },
  { text: '.clear', doc: 'begins a new session; State stays' },
  { text: '.exit', doc: 'leaves' },
];

/** What the definitions know about the end of a line: commands, globals, their methods, methods of handles, and names of options. */
export function complete(globals: readonly GlobalDefinition[], language: Language, line: string): Completions {
  const seen = globals.filter(({ only }) => only === undefined || only === language);
  if (/^\s*\.\w*$/.test(line)) return starting(COMMANDS, line.trimStart());
  const types = /^\s*\.types\s+(.*)$/.exec(line);
  const text = types?.[1] ?? line;
  const [, global = '', method = ''] = /(?:^|[^\w.:])([A-Za-z_]\w*)\.(\w*)$/.exec(text) ?? [];
  if (global !== '') {
    const found = seen.find(({ name }) => name === global);
    if (found) return starting(methodsOf(found.methods), method);
  }
  const [, handleMethod] = (language === 'lua' ? /[\w\])}]:(\w*)$/ : /[\w\])}]\.(\w*)$/).exec(text) ?? [];
  if (handleMethod !== undefined) return starting(handleMethods(seen), handleMethod);
  const options = optionsAt(seen, text);
  const [word = ''] = /\w*$/.exec(text) ?? [];
  if (options) return starting(options.map(optionText), word);
  return starting(seen.map(({ name, doc }) => ({ text: name, doc: firstSentence(doc) })).concat(own(language)), word);
}

/** The longest text that all of them begin with. */
export function commonStart(found: readonly Completion[]): string {
  const [first, ...rest] = found.map(({ text }) => text);
  if (first === undefined) return '';
  let length = first.length;
  for (const text of rest) while (!text.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}

function starting(all: readonly Completion[], fragment: string): Completions {
  return { fragment, found: all.filter(({ text }) => text.startsWith(fragment)) };
}

function own(language: Language): Completion[] {
  const all = [
    { text: 'ARGS', doc: "the session's arguments" },
    { text: 'INPUT', doc: 'what --input gave' },
    { text: 'print', doc: 'writes values readably' },
  ];
  return language === 'lua' ? [...all, { text: 'require', doc: 'loads a script file of this folder, once' }] : all;
}

function methodsOf(methods: Readonly<Record<string, { readonly doc: string }>>): Completion[] {
  return Object.entries(methods).map(([text, { doc }]) => ({ text, doc: firstSentence(doc) }));
}

/** Of all kinds of handles, for what stands before the dot is not known. */
function handleMethods(globals: readonly GlobalDefinition[]): Completion[] {
  const found = new Map<string, Completion>();
  for (const { handles = [] } of globals)
    for (const { type, methods } of handles)
      for (const { text, doc } of methodsOf(methods)) {
        const known = found.get(text);
        found.set(text, { text, doc: known ? `${known.doc} (${type.name}: ${doc})` : `${type.name}: ${doc}` });
      }
  return [...found.values()];
}

/** The options of the table or object that is open at the end of the text, as the argument of a known call. */
function optionsAt(globals: readonly GlobalDefinition[], text: string): Field[] | undefined {
  const [, call = '', inside = ''] = /([A-Za-z_]\w*[.:]\w+)\s*\(?[^(){}]*\{([^{}]*)$/.exec(text) ?? [];
  if (call === '' || !/(?:^|[,;\s])\w*$/.test(inside) || /[=:]\s*\w*$/.test(inside)) return undefined;
  const name = call.split(/[.:]/);
  const methods = [
    ...globals.filter((global) => global.name === name[0]).map((global) => global.methods[name[1] ?? '']),
    ...(globals.some((global) => global.name === name[0]) ? [] : globals.flatMap(({ handles = [] }) => handles.map((handle) => handle.methods[name[1] ?? '']))),
  ];
  const fields = methods.flatMap((method) => (method ? optionsOf(method) : []));
  return fields.length > 0 ? fields : undefined;
}

/** The fields of all objects among a method's parameters. */
export function optionsOf({ params }: Method): Field[] {
  return Object.entries(params).flatMap(([name, schema]) => fieldsIn(fieldOf(name, schema).type));
}

function fieldsIn(type: TypeShape): Field[] {
  if (type.kind === 'object') return [...type.fields];
  return type.kind === 'union' ? type.options.flatMap(fieldsIn) : [];
}

function optionText({ name, doc, optional }: Field): Completion {
  return { text: name, doc: [doc, optional ? '' : 'required'].filter((part) => part !== '').join('; ') };
}

/** A doc's first sentence. */
export function firstSentence(doc: string): string {
  return /^[\s\S]*?\.(?=\s|$)/.exec(doc)?.[0] ?? doc;
}

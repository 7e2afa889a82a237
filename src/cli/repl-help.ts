import type { Language } from '../call/context.ts';
import type { GlobalDefinition, Method } from '../call/define.ts';
import { type Field, fieldOf, shapeOf } from '../describe/type.ts';
import { typeText } from '../describe/typescript.ts';
import { type Completion, firstSentence, optionsOf } from './repl-complete.ts';

/** Lines of a list: names in one column, docs in the other. */
export function columns(items: readonly Completion[]): string {
  const width = Math.min(28, Math.max(0, ...items.map(({ text }) => text.length)));
  return items.map(({ text, doc }) => `  ${text.padEnd(width)}  ${doc}`).join('\n');
}

const LUA_NOTE = 'Variables stay from one line to the next, but for `local` ones: a local ends with its line.';
const JAVASCRIPT_NOTE = 'Variables stay from one line to the next, those of `let`, `const`, `class` and `function` too.';

/** What `.help` prints. */
export function helpText(globals: readonly GlobalDefinition[], language: Language): string {
  const commands = [
    { text: '.types NAME', doc: 'what a global or method takes and gives: .types Agent, .types Agent.create' },
    { text: '.load FILE', doc: 'runs a file in this session' },
    { text: '.clear', doc: 'begins a new session; State stays' },
    { text: '.exit, Ctrl-D', doc: 'leaves' },
    { text: 'Ctrl-C', doc: 'stops what runs; the session goes on' },
    { text: 'Tab', doc: 'completes globals, methods and options' },
  ];
  const note = language === 'lua' ? LUA_NOTE : JAVASCRIPT_NOTE;
  return `${note}\nAn expression prints its value. Code that is not complete yet asks for more lines.\n\n${columns(commands)}\n\n${columns(globalsOf(globals, language))}`;
}

/** What `.types` prints; undefined when there is no such name. */
export function typesText(globals: readonly GlobalDefinition[], language: Language, name: string): string | undefined {
  const [first = '', second] = name.split(/[.:]/);
  const global = globals.find((one) => one.name === first && (one.only === undefined || one.only === language));
  const handle = globals.flatMap(({ handles = [] }) => handles).find(({ type }) => type.name === first);
  if (second !== undefined) {
    const method = (global?.methods[second] ?? handle?.methods[second]) as Method | undefined;
    return method && describe(`${first}.${second}`, method, language);
  }
  if (global?.callable) return describe(first, global.callable, language);
  if (!global && !handle) return undefined;
  const lists = [
    ...(global ? [`${global.doc}\n\n${columns(methodsOf(`${first}.`, global.methods))}`] : []),
    ...(handle ? [`${handle.doc}\n\n${columns(methodsOf(language === 'lua' ? ':' : '.', handle.methods))}`] : []),
  ];
  return lists.join('\n\n');
}

function describe(name: string, method: Method, language: Language): string {
  const params = Object.entries(method.params).map(([param, schema]) => fieldOf(param, schema));
  const result = shapeOf(method.result);
  const [example] = method.examples ?? [];
  const parts = [
    `${name}(${params.map((param) => param.name + (param.optional ? '?' : '')).join(', ')})`,
    method.doc,
    columns(params.filter(({ type }) => type.kind !== 'object').map(row)),
    columns(optionsOf(method).map(row)),
    result.kind === 'nothing' ? '' : `  gives ${cut(typeText(result))}`,
    example ? (language === 'lua' ? example.lua : example.javascript) : '',
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function row({ name, type, optional, doc }: Field): Completion {
  return { text: `${name}${optional ? '?' : ''}`, doc: `${cut(typeText(type))}${doc === '' ? '' : ` — ${doc}`}` };
}

function cut(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}

function globalsOf(globals: readonly GlobalDefinition[], language: Language): Completion[] {
  return globals.filter(({ only }) => only === undefined || only === language).map(({ name, doc }) => ({ text: name, doc: firstSentence(doc) }));
}

function methodsOf(prefix: string, methods: Readonly<Record<string, { readonly doc: string }>>): Completion[] {
  return Object.entries(methods).map(([name, { doc }]) => ({ text: prefix + name, doc: firstSentence(doc) }));
}

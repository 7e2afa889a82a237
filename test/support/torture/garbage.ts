import type { Language } from '../../../src/call/context.ts';
import { asScriptError } from '../../../src/errors.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../engine.ts';
import { testHost, testRun } from '../run.ts';
import { random } from './random.ts';

const COMMON = [
  'x',
  'y',
  '1',
  '0',
  '-1',
  '1e308',
  '"a"',
  '""',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  ',',
  '.',
  '=',
  '==',
  '+',
  '-',
  '*',
  '/',
  '<',
  '>',
  '\n',
  'f',
  'return',
  'if',
  'for',
  'while',
  'break',
  'in',
  'x',
  'f(x)',
  'Try.echo(x)',
  'Try.later(x)',
  'Try.fail("a")',
  'Try.call(f)',
  'Try.call',
  'Try',
];
const TOKENS: Readonly<Record<Language, readonly string[]>> = {
  lua: [
    ...COMMON,
    'local',
    'function',
    'end',
    'do',
    'then',
    'else',
    'nil',
    'true',
    'and',
    'or',
    'not',
    'repeat',
    'until',
    'goto',
    '::l::',
    '..',
    '#',
    '~=',
    '//',
    '%',
    '...',
    ':',
    ';',
    'pcall',
    'error',
    'setmetatable({}, {__index = f})',
    'coroutine.wrap(f)',
    'coroutine.yield',
    'string.rep',
    'table.sort',
    'select',
    'load("x")',
    'require',
    '_G',
    '_ENV',
    'x <close>',
    'print(x)',
    'local x =',
    'local function f(...)',
  ],
  javascript: [
    ...COMMON,
    'let',
    'const',
    'var',
    'function',
    'function*',
    'async',
    'await',
    'yield',
    '=>',
    'class',
    'extends',
    'super',
    'this',
    'new',
    'null',
    'undefined',
    'try {',
    '} catch (e) {',
    '} finally {',
    'throw',
    'typeof',
    'delete',
    'void',
    '===',
    '&&',
    '||',
    '??',
    '?.',
    '...',
    ':',
    ';',
    '?',
    '`${x}`',
    '/a+/g',
    '10n',
    'Symbol.iterator',
    'Proxy',
    'Reflect',
    'Promise.reject(x)',
    'eval("x")',
    'import("x")',
    'export',
    'globalThis',
    'get x() {',
    'static {',
    '#p',
    'print(x)',
    'let x =',
    'const f = (...a) =>',
  ],
};

/** Runs so many random texts, most of which do not parse, and gives those that ended as a defect of the runtime. */
export async function garbage(language: Language, count: number, seed = 1): Promise<readonly { text: string; error: string }[]> {
  const engine = language === 'lua' ? createLuaEngine() : createJavaScriptEngine();
  const host = testHost();
  const from = random(seed);
  const defects = [];
  for (let i = 0; i < count; i++) {
    const text = from.list(1 + from.below(14), () => from.of(TOKENS[language])).join(' ');
    const { run } = testRun({ host, language, limits: { cpu_ms: 50, memory_mb: 16 } });
    const timer = setTimeout(() => run.abort(asScriptError('late')), 2_000);
    try {
      await runText(engine, run, text);
    } catch (thrown) {
      const error = asScriptError(thrown);
      if (error.code === 'INTERNAL' && error.message !== 'internal error: late') defects.push({ text, error: error.message });
    }
    clearTimeout(timer);
  }
  return defects;
}

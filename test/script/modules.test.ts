import { spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import type { ScriptError } from '../../src/errors.ts';
import { testRuntime } from '../support/runtime.ts';

const FILES: Readonly<Record<string, string>> = {
  'slow.lua': 'sleep(5) COUNT = (COUNT or 0) + 1 return {n = COUNT}',
  'slow.js': 'sleep(5); globalThis.count = (globalThis.count ?? 0) + 1; export default globalThis.count',
  'uses.lua': 'return require("slow").n + 10',
  'uses.js': 'import n from "./slow.js"; export default n + 10',
  'one.lua': 'return require("two")',
  'two.lua': 'return require("one")',
  'one.js': 'import "./two.js"; sleep(2); export default 1',
  'two.js': 'import "./one.js"; sleep(2); export default 2',
  'self.lua': 'parallel({function() require("self") end})',
  'self.js': 'parallel([async () => await import("./self.js")]); export default 1',
  'bad.lua': 'local function deep()\n  error("in the module")\nend\ndeep()',
  'bad.js': 'function deep() {\n  throw new Error("in the module")\n}\ndeep()',
  'syntax.lua': 'return\n\n)',
  'syntax.js': 'let x =\n\n;',
  'ends.lua': 'f(',
  'ends.js': 'f(',
  'uneven.js': 'export const a = 1\n\nimport {\n  default as b,\n  nope,\n} from "./sub/beside.js"',
  'plain.js': 'import { a } from "./uneven.js"',
  'sub/inner.lua': 'return require("beside")',
  'sub/beside.lua': 'return "beside"',
  'sub/both.lua': 'return {require("beside"), require("sub.beside"), require("slow").n, require("sub/inner")}',
  'sub/gone.lua': 'require("none")',
  'sub/gone.js': 'import "./none.js"',
  'beside.lua': 'return "main"',
  'sub/lua.lua': 'return "a module named lua"',
  'sub.lua': 'return "not reached by sub.lua"',
  'itself.js': 'import * as all from "./itself.js"; print({ all }); export const a = 1; export default function f() {}; print(all)',
  'sub/inner.js': 'export { default } from "./beside.js"',
  'sub/beside.js': 'export default "beside"',
};

async function run(language: Language, text: string, file = true) {
  await using test = await testRuntime({ log: { level: 'silent' } });
  const folder = test.grants.read[0] as string;
  mkdirSync(join(folder, 'sub'));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
  for (const name of ['long.lua', 'long.js']) {
    writeFileSync(join(folder, name), '');
    truncateSync(join(folder, name), 5 * 2 ** 20);
  }
  for (const name of ['folder.lua', 'folder.js']) mkdirSync(join(folder, name));
  if (process.platform !== 'win32') spawnSync('mkfifo', ['pipe.lua', 'pipe.js'], { cwd: folder });
  writeFileSync(join(folder, '../secret.lua'), 'return 1');
  writeFileSync(join(folder, '../secret.js'), 'export default 1');
  const name = language === 'lua' ? 'main.lua' : 'main.mjs';
  return await test.runtime.execute(text, { language, grants: test.grants, name, path: file ? join(folder, name) : undefined, limits: { timeout_ms: 30_000 } });
}

const failure = (work: Promise<unknown>): Promise<ScriptError> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  );

describe('a module that several fibers need at once', () => {
  it('runs once in Lua, and the others wait for it', async () => {
    const text = 'return parallel({function() return require("slow").n end, function() return require("uses") end, function() return require("slow").n end})';
    expect((await run('lua', text)).value).toEqual([1, 11, 1]);
  });

  it('runs once in JavaScript, and the others wait for it', async () => {
    const text =
      'const all = parallel(["./slow.js", "./uses.js", "./slow.js"].map(name => async () => (await import(name)).default)); export default [all, globalThis.count]';
    expect((await run('javascript', text)).value).toEqual([[1, 11, 1], 1]);
  });

  it('runs once though another import fails meanwhile', async () => {
    const text =
      'const all = parallel([async () => (await import("./slow.js")).default, async () => { try { await import("./syntax.js") } catch (e) { return e.name } }, async () => (await import("./uses.js")).default]); export default all';
    expect((await run('javascript', text)).value).toEqual([1, 'SyntaxError', 11]);
  });

  it('prints as what it gives', async () => {
    const text = 'import * as all from "./slow.js"; print({ all }, import.meta)';
    expect((await run('javascript', text)).output).toEqual(['{ all: Module { default: 1 } } [Object: null prototype] {}']);
  });

  it('prints readably before it gives something', async () => {
    const { output } = await run('javascript', 'import "./itself.js"');
    expect(output).toEqual(['{ all: Module { a: <uninitialized>, default: [function f] } }', 'Module { a: 1, default: [function f] }']);
  });

  it('may be part of a circle of JavaScript', async () => {
    const text = 'export default parallel(["./one.js", "./two.js"].map(name => async () => (await import(name)).default))';
    expect((await run('javascript', text)).value).toEqual([1, 2]);
  });

  it.each([
    ['lua', 'require("self")', 'require: '],
    ['javascript', 'await import("./self.js")', 'import: '],
  ] as const)('is a deadlock where it waits for itself: %s', async (language, text, method) => {
    const error = await failure(run(language, text));
    expect(error).toMatchObject({ code: 'DEADLOCK', message: expect.stringContaining('is still running and waits for the code that loads it here') });
    expect(error.message.startsWith(method)).toBe(true);
  });
});

describe('a module that fails', () => {
  it.each([
    ['lua', 'require("bad")', 'bad.lua'],
    ['javascript', 'await import("./bad.js")', 'bad.js'],
  ] as const)('says where in its own file: %s', async (language, text, file) => {
    const error = await failure(run(language, text));
    expect(error).toMatchObject({ message: 'in the module', where: { file, line: 2 } });
    expect(error.traceback).toContain(`${file}:4`);
    expect(error.traceback).not.toContain('llmspell');
  });

  it.each(['require("gone")', 'require("../secret")'])('shows nothing of the runtime in its traceback: %s', async (text) => {
    expect((await failure(run('lua', text))).traceback).toMatch(/^stack traceback:\n\t[^[\n]+:1: in main chunk$/);
  });

  it('fails again in the same way', async () => {
    const lua = 'local a, b = select(2, pcall(require, "bad")), select(2, pcall(require, "bad")) return {a, b}';
    expect((await run('lua', lua)).value).toEqual(['bad.lua:2: in the module', 'bad.lua:2: in the module']);
  });

  it.each([
    ['lua', 'require("syntax")', 'syntax.lua', 3],
    ['javascript', 'await import("./syntax.js")', 'syntax.js', 3],
    ['javascript', 'import "./syntax.js"', 'syntax.js', 3],
  ] as const)('of syntax says so and where: %s %s', async (language, text, file, line) => {
    expect(await failure(run(language, text))).toMatchObject({ code: 'SYNTAX_ERROR', where: { file, line } });
  });

  it('of syntax is caught with its code and place in Lua', async () => {
    const text = 'local ok, e = pcall(require, "syntax") return {e.code, e.message, e.method, tostring(e)}';
    const message = "unexpected symbol near ')'";
    expect((await run('lua', text)).value).toEqual(['SYNTAX_ERROR', message, 'require', `syntax.lua:3: ${message}`]);
  });

  it.each([
    ['import {nope} from "./sub/beside.js"', 'nope', 'main.mjs', 1],
    ['1\n\nawait import("./uneven.js")', 'nope', 'uneven.js', 5],
    ['await import("./plain.js")', 'nope', 'uneven.js', 5],
    ['// import b from "./uneven.js"\nimport a from "./slow.js"\nimport b from "./plain.js"\n', 'nope', 'uneven.js', 5],
    ['const one = 1\nexport { default as one, two } from "./slow.js"', 'two', 'main.mjs', 2],
    ['const one = 1\nimport all from "./bad.js"', 'default', 'main.mjs', 2],
  ])('to have what another imports is told with the line of the import: %j', async (text, name, file, line) => {
    const message = expect.stringContaining(`Could not find export '${name}' in module`);
    expect(await failure(run('javascript', text))).toMatchObject({ message, where: { file, line } });
  });

  it('that requires itself in a circle is refused in Lua', async () => {
    expect((await failure(run('lua', 'require("one")'))).message).toContain('requires itself');
  });
});

it.each([
  ['lua', '\n\nlocal a = 1\nrequire("none")', 4],
  ['javascript', 'const a = 1\n\nimport b from "./none.js"', 3],
  ['javascript', '1\n2\n\nconst b = await import("./none.js")', 4],
] as const)('the place of one that is not there is told: %s', async (language, text, line) => {
  const error = await failure(run(language, text));
  expect(error).toMatchObject({ code: 'NOT_FOUND', where: { line } });
});

describe('what is no script file', () => {
  it.skipIf(process.platform === 'win32').each([
    ['lua', 'require("pipe")', 'require: cannot load "pipe": this is a device or pipe'],
    ['javascript', 'await import("./pipe.js")', 'import: cannot load "./pipe.js": this is a device or pipe'],
    ['lua', 'require("folder")', 'require: cannot load "folder": this is a folder'],
    ['javascript', 'await import("./folder.js")', 'import: cannot load "./folder.js": this is a folder'],
  ] as const)('is refused at once: %s %s', async (language, text, message) => {
    expect(await failure(run(language, text))).toMatchObject({ code: 'NOT_FOUND', message, where: { line: 1 } });
  });

  it.each([
    ['lua', 'require("long")', 'require: cannot load "long": it is longer than 4 MB'],
    ['javascript', 'await import("./long.js")', 'import: cannot load "./long.js": it is longer than 4 MB'],
  ] as const)('nor one that is too long: %s', async (language, text, message) => {
    expect(await failure(run(language, text))).toMatchObject({ code: 'LIMIT_EXCEEDED', message });
  });
});

describe('names of modules', () => {
  it.each([
    ['lua', 'return require("sub.inner")', 'beside'],
    ['javascript', 'export { default } from "./sub/inner.js"', 'beside'],
  ] as const)('are relative to the file that names them: %s', async (language, text, value) => {
    expect((await run(language, text)).value).toBe(value);
  });

  it('may have their ending, with dots too, but first mean a module named lua', async () => {
    const text = 'return {require "beside.lua", require "sub.beside.lua", require "sub/beside.lua", require "sub.lua"}';
    expect((await run('lua', text)).value).toEqual(['main', 'beside', 'beside', 'a module named lua']);
  });

  it('are looked for beside the main script too in Lua, after the file that names them', async () => {
    expect((await run('lua', 'return {require("sub.both"), require("beside")}')).value).toEqual([['beside', 'beside', 1, 'beside'], 'main']);
  });

  it.each([
    ['lua', 'require("none")', 'require: cannot load "none": no such file beside main.lua'],
    ['lua', 'require("sub.gone")', 'require: cannot load "none": no such file beside sub/gone.lua, nor beside main.lua'],
    ['javascript', 'await import("./none")', 'import: cannot load "./none": no such file beside main.mjs'],
    ['javascript', 'await import("./sub/gone.js")', 'import: cannot load "./none.js": no such file beside sub/gone.js'],
  ] as const)('that are not there are told with where they were looked for: %s %s', async (language, text, message) => {
    expect(await failure(run(language, text))).toMatchObject({ code: 'NOT_FOUND', message });
  });

  it.each([
    ['lua', 'require("none")', 'require: cannot load "none": no such file in the folders that the run may read'],
    ['lua', 'require("sub.gone")', 'require: cannot load "none": no such file beside sub/gone.lua, nor in the folders that the run may read'],
    ['javascript', 'await import("./none.js")', 'import: cannot load "./none.js": no such file in the folders that the run may read'],
  ] as const)('are looked for in the folders of the run by code without a file: %s %s', async (language, text, message) => {
    expect(await failure(run(language, text, false))).toMatchObject({ code: 'NOT_FOUND', message });
    expect((await run(language, language === 'lua' ? 'return require("sub.both")[4]' : 'export { default } from "./sub/inner.js"', false)).value).toBe(
      'beside',
    );
  });

  it.each([
    ['lua', 'require("../secret")', 'NOT_ALLOWED'],
    ['javascript', 'await import("../secret.js")', 'NOT_ALLOWED'],
    ['lua', 'require("/etc/passwd")', 'NOT_FOUND'],
    ['javascript', 'await import("/etc/passwd")', 'NOT_FOUND'],
    ['lua', 'require("file:///etc/passwd")', 'NOT_FOUND'],
    ['javascript', 'await import("node:fs")', 'NOT_FOUND'],
    ['javascript', 'await import("data:text/javascript,1")', 'NOT_FOUND'],
    ['lua', 'require("")', 'NOT_FOUND'],
    ['javascript', 'await import("")', 'NOT_FOUND'],
    ['lua', 'require("slow\\0")', 'NOT_FOUND'],
    ['javascript', 'await import("./slow.js\\0")', 'NOT_FOUND'],
    ['javascript', 'import "./slow.js\\0more.js"', 'NOT_FOUND'],
    ['javascript', 'await import("./ä€.js\\0")', 'NOT_FOUND'],
    ['lua', 'require(("x"):rep(1001))', 'BAD_ARGUMENT'],
    ['javascript', 'await import("x".repeat(1001))', 'BAD_ARGUMENT'],
  ] as const)('never leave the folders of the run: %s %s', async (language, text, code) => {
    const error = await failure(run(language, text));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain('/tmp');
  });
});

import { describe, expect, it } from 'vitest';
import type { Limits } from '../../../src/call/context.ts';
import type { Value } from '../../../src/call/value.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../../support/engine.ts';
import { testHost, testRun } from '../../support/run.ts';

const engine = createLuaEngine();
const host = testHost();

const run = (text: string, limits: Partial<Limits> = {}): Promise<Value> => runText(engine, testRun({ host, limits }).run, text);

/** Recursion that counts its depth in `d`, how deep it gets at least, and its error. */
const COUNTED: Readonly<Record<string, readonly [text: string, least: number, message: string]>> = {
  functions: ['local function f() d = d + 1 return 1 + f() end f()', 90_000, 'stack overflow'],
  methods: ['local o = {} function o:f() d = d + 1 return 1 + self:f() end o:f()', 45_000, 'stack overflow'],
  'functions of ten arguments': [
    'local function f(a, b, c, d1, e, g, h, i, j, k) d = d + 1 return 1 + f(a, b, c, d1, e, g, h, i, j, k) end f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)',
    7_000,
    'stack overflow',
  ],
  'ever more arguments': ['local function f(...) d = d + 1 return 1 + f(1, ...) end f()', 400, 'stack overflow'],
  __call: ['local t t = setmetatable({}, {__call = function() d = d + 1 return 1 + t() end}) t()', 45_000, 'stack overflow'],
  'functions in a coroutine': [
    'local ok, e = coroutine.resume(coroutine.create(function() local function f() d = d + 1 return 1 + f() end f() end)) error(e, 0)',
    90_000,
    'stack overflow',
  ],
  'functions under many pcall': [
    'local function g() d = d + 1 return 1 + g() end local function f(n) if n > 150 then return g() end local ok, e = pcall(f, n + 1) error(e, 0) end f(1)',
    90_000,
    'stack overflow',
  ],
  pcall: ['local function f() d = d + 1 local ok, e = pcall(f) error(e, 0) end f()', 190, 'C stack overflow'],
  __index: ['local t = setmetatable({}, {__index = function(t, k) d = d + 1 return t[k] end}) local x = t.x', 190, 'C stack overflow'],
  __add: ['local t = setmetatable({}, {__add = function(a, b) d = d + 1 return a + b end}) local x = t + 1', 190, 'C stack overflow'],
  __concat: ['local t = setmetatable({}, {__concat = function(a, b) d = d + 1 return a .. b end}) local x = t .. 1', 190, 'C stack overflow'],
  __tostring: ['local t = setmetatable({}, {__tostring = function(t) d = d + 1 return tostring(t) end}) tostring(t)', 190, 'C stack overflow'],
  __close: ['local function f() d = d + 1 local x <close> = setmetatable({}, {__close = function() f() end}) end f()', 190, 'C stack overflow'],
  gsub: ['local function f() d = d + 1 return ("x"):gsub("x", f) end f()', 190, 'C stack overflow'],
  'table.sort': ['local function f() d = d + 1 table.sort({3, 2, 1}, f) return false end f()', 190, 'C stack overflow'],
  'string.format': [
    'local t t = setmetatable({}, {__tostring = function() d = d + 1 return string.format("%s %99.99f", t, 1e300) end}) string.format("%s", t)',
    90,
    'C stack overflow',
  ],
  'coroutine.wrap': ['local function f() d = d + 1 return coroutine.wrap(f)() end f()', 190, 'C stack overflow'],
  'coroutine.resume': [
    'local function f() d = d + 1 local ok, e = coroutine.resume(coroutine.create(f)) if not ok then error(e, 0) end end f()',
    190,
    'C stack overflow',
  ],
};

/** Texts of programs that nest. */
const NESTED = {
  parentheses: 'assert(load("return " .. ("("):rep(1e5)))',
  tables: 'assert(load("return " .. ("{"):rep(1e5)))',
  functions: 'assert(load(("return function() "):rep(1e4)))',
  blocks: 'assert(load(("do "):rep(1e4)))',
  'unary operators': 'assert(load("return " .. ("- "):rep(1e5) .. "1"))',
  concatenations: 'assert(load("return " .. ("1 .. "):rep(1e5) .. "1"))',
  indexes: 'assert(load("return a" .. ("[a"):rep(1e5)))',
  assignments: 'assert(load(("a,"):rep(1e4) .. "a = 1"))',
} as const;

describe('recursion in Lua', () => {
  it.each(Object.entries(COUNTED))('of %s is deep, and ends in an error that the script may catch', async (_, [text, least, message]) => {
    const [depth, problem, after] = (await run(`d = 0 local ok, e = pcall(function() ${text} end) return {d, tostring(e), Try.later(1)}`)) as Value[];
    expect(depth).toBeGreaterThan(least);
    expect([String(problem).slice(-message.length), after]).toEqual([message, 1]);
  });

  it.each(Object.entries(NESTED))('in the text of a program is an error that the script may catch: %s', async (_, text) => {
    expect(await run(`local ok, e = pcall(function() ${text} end) return {e, Try.later(1)}`)).toEqual([expect.stringMatching(/C stack overflow/), 1]);
  });

  it.each([16, 32, 64, 256])('without end is told as such with %i megabytes, caught or not, again and again', async (memory_mb) => {
    const text = 'local function f() return 1 +\n f() end';
    const caught = `${text} local all = {} for i = 1, 3 do local ok, e = pcall(f) all[i] = e end all[4] = Try.later(1) return all`;
    expect(await run(caught, { memory_mb })).toEqual([...Array(3).fill('test.lua:2: stack overflow'), 1]);
    expect(await run(`${text} f()`, { memory_mb }).catch((error) => error)).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'the script nests its calls too deep',
      where: { file: 'test.lua', line: 2 },
      traceback: expect.stringContaining("test.lua:2: in upvalue 'f'"),
    });
  });

  it.each([
    [8, 'test.lua:1: stack overflow'],
    [4, 'not enough memory'],
  ])('without end in %i megabytes ends in an error that the script may catch', async (memory_mb, message) => {
    const text = 'local function f() return 1 + f() end local ok, e = pcall(f) return {ok, e, Try.later(1)}';
    expect(await run(text, { memory_mb })).toEqual([false, message, 1]);
  });

  it('without end in what handles an error ends that', async () => {
    const text = 'local function f() return 1 + f() end return {xpcall(f, f), (xpcall(error, function(e) error(e) end)), Try.later(1)}';
    expect(await run(text)).toEqual([false, false, 1]);
  });

  it('leaves room for long lists of arguments, and names what needs more', async () => {
    const list = (count: number) => `local t = {} for i = 1, ${count} do t[i] = i end return select("#", table.unpack(t))`;
    expect(await run(list(90_000))).toBe(90_000);
    expect(await run(list(110_000)).catch((error) => error)).toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'too many results to unpack' });
    expect(await run('return select("#", ("x"):rep(110000):byte(1, -1))').catch((error) => error)).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'stack overflow (string slice too long)',
    });
  });

  it('leaves whole what waits deep in other fibers, also in coroutines', async () => {
    const deep = `local function deep(n, seed)
      local a, b, c = n * seed, n .. "x", { n }
      if n == 0 then Try.later(1, seed) return 0 end
      local rest = deep(n - 1, seed)
      if n % 500 == 0 then Try.later(1, 1) end
      assert(a == n * seed and b == n .. "x" and c[1] == n)
      return rest + a
    end`;
    const overflow = 'local d = 0 local function f() d = d + 1 if d % 20000 == 0 then Try.later(1, 1) end return 1 + f() end assert(not pcall(f)) return 0';
    const text = `${deep}
      local fns = {}
      for i = 0, 4 do
        fns[3 * i + 1] = function() return deep(4000, i) end
        fns[3 * i + 2] = function() ${overflow} end
        fns[3 * i + 3] = function() return coroutine.wrap(deep)(2000, i) end
      end
      return Try.all(fns)`;
    const sum = (n: number) => (n * (n + 1)) / 2;
    expect(await run(text, { memory_mb: 256 })).toEqual([0, 1, 2, 3, 4].flatMap((seed) => [sum(4_000) * seed, 0, sum(2_000) * seed]));
  });
});

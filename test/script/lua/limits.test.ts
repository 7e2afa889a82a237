import { describe, expect, it } from 'vitest';
import type { Limits } from '../../../src/call/context.ts';
import type { Value } from '../../../src/call/value.ts';
import { ScriptError } from '../../../src/errors.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../../support/engine.ts';
import { testHost, testRun } from '../../support/run.ts';
import { grownBy } from '../../support/torture/flat.ts';

const engine = createLuaEngine();
const host = testHost();

function run(text: string, limits: Partial<Limits> = {}): Promise<Value> {
  return runText(engine, testRun({ host, limits }).run, text);
}

const failure = (work: Promise<Value>): Promise<ScriptError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

/** Nothing in a script ends, catches or survives these. */
const ENDLESS = {
  'an empty loop': 'while true do end',
  'a loop that catches everything': 'while true do pcall(function() while true do end end) end',
  'a goto': '::top:: goto top',
  'a tail call': 'local function f() return f() end return f()',
  'a loop in a coroutine': 'coroutine.wrap(function() while true do end end)()',
  'a pattern that backtracks': 'return (("a"):rep(60000)):find((".-"):rep(12) .. "b")',
  'a move over 2^40 positions': 'table.move({}, 1, 2^40, 2)',
  'an iterator that never ends': 'for _ in function() return 1 end do end',
  'a variable closed without end': 'local x <close> = setmetatable({}, { __close = function() while true do end end })',
  'a metamethod': 'local t = setmetatable({}, { __lt = function() while true do end end }) return t < t',
  'a comparison of a sort': 'local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function() while true do end end)',
  'a gsub that calls': '("x"):gsub(".", function() while true do end end)',
  'a message handler': 'xpcall(error, function() while true do end end)',
  'a loop of cheap calls': 'while true do Try.echo(1) end',
  'a loop of cheap errors': 'while true do pcall(error) end',
  'a load of endless text': 'load(function() return " " end)',
  concatenations: 'local s = "" while true do s = (s .. "x"):sub(-10) end',
};

describe('endless Lua', () => {
  // Again where other processes took the whole time of a run, so that no beat fitted in.
  it.each(Object.entries(ENDLESS))('is killed: %s', { retry: 2 }, async (_, text) => {
    let beats = 0;
    let beating = true;
    const beat = (): void => {
      beats++;
      if (beating) setImmediate(beat);
    };
    beat();
    const error = await failure(run(text, { cpu_ms: 60 }));
    beating = false;
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'the run computed longer than limits.cpu_ms = 60 ms' });
    expect(beats).toBeGreaterThan(1);
    expect(await run('return 1')).toBe(1);
  });

  it('leaves others beside it alone', async () => {
    const endless = failure(run('while true do end', { cpu_ms: 200 }));
    expect(await run('for i = 1, 5 do Try.later(i) end return "done"')).toBe('done');
    expect(await endless).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});

describe('a deadline of a callback', () => {
  it.each([
    ['while it computes', 'while true do end'],
    ['while it catches everything', 'while true do pcall(function() while true do end end) end'],
    ['while it catches what fails in the library', 'while true do pcall(string.rep, "x", 1e9) end'],
    ['while it catches so in a coroutine', 'coroutine.wrap(function() while true do pcall(error, "x") end end)()'],
    ['while the library computes in ever new coroutines', 'local text = ("x=1 "):rep(1e5) while true do pcall(coroutine.wrap(function() load(text) end)) end'],
    ['while it recurses deep', 'while true do pcall(function() local function f() return 1 + f() end f() end) end'],
    ['inside a coroutine', 'coroutine.wrap(function() while true do end end)()'],
    ['inside the library', 'return (("a"):rep(300)):find((".-"):rep(2) .. "b") and 1 or (function() while true do end end)()'],
    ['while it waits', 'Try.later(1, 5000)'],
    ['while it waits and catches', 'while true do pcall(Try.later, 1, 5000) end'],
  ])('ends it %s, and the run goes on', async (_, body) => {
    const text = `local ok, e = pcall(Try.call, function() ${body} end, {}, 30) return { ok = ok, code = e.code, message = e.message, after = Try.later(7) }`;
    expect(await run(text)).toEqual({ ok: false, code: 'TIMEOUT', message: 'took longer than 30 ms', after: 7 });
  });

  it('takes the run with it when the library cannot be interrupted', async () => {
    expect(await failure(run('pcall(Try.call, function() table.move({}, 1, 2^40, 2) end, {}, 30)', { cpu_ms: 3000 }))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'took longer than 30 ms and could not be interrupted',
    });
  });

  it('leaves the run alive where the thread is taken while the library computes', async () => {
    const busy = setInterval(() => {
      for (const until = performance.now() + 100; performance.now() < until; );
    }, 0);
    const text =
      'local t = {} for i = 1, 3e5 do t[i] = "x" end local ok, e = pcall(Try.call, function() while true do table.concat(t) end end, {}, 30) return { code = e.code, after = Try.later(7) }';
    expect(await run(text).finally(() => clearInterval(busy))).toEqual({ code: 'TIMEOUT', after: 7 });
  });
});

describe('a run that is cancelled', () => {
  it('ends, however many of its functions would tidy up without end', async () => {
    const { run: cancelled } = testRun({ host, limits: { cpu_ms: 1500 } });
    const endless = '{__close = function() while true do pcall(function() while true do end end) end end}';
    const text = `local fns = {} for i = 1, 250 do fns[i] = function() local _ <close> = setmetatable({}, ${endless}) Try.later(1, 60000) end end Try.all(fns)`;
    const ended = failure(runText(engine, cancelled, text));
    await run('Try.later(1, 1)');
    cancelled.abort(new ScriptError('CANCELLED', 'enough'));
    expect(await ended).toMatchObject({ code: 'CANCELLED', message: 'enough' });
  });
});

describe('refused memory and depth', () => {
  it.each([
    ['a string of 1 GB', '("x"):rep(1e9)', 'not enough memory'],
    ['ten million tables', 'local t = {} for i = 1, 1e7 do t[i] = {} end', 'not enough memory'],
    ['deep patterns', '("("):rep(300):find(("("):rep(300))', 'too many captures'],
  ])('is an error that the script may catch: %s', async (_, body, message) => {
    const text = `local ok, e = pcall(function() ${body} end) return { ok = ok, message = tostring(e), alive = Try.later(1) }`;
    expect(await run(text)).toEqual({ ok: false, message: expect.stringContaining(message), alive: 1 });
  });

  it('tells nesting in C that nobody catches with its line', async () => {
    expect(await failure(run('local function f() return ("x"):gsub("x", f) end f()'))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'the script nests too deep',
      where: { file: 'test.lua', line: 1 },
    });
  });

  it('names the limit when nobody catches it', async () => {
    expect(await failure(run('("x"):rep(1e9)', { memory_mb: 8 }))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'not enough memory: the script reached limits.memory_mb',
    });
    expect(await run('local s = ("x"):rep(3e6) return #s', { memory_mb: 8 })).toBe(3_000_000);
  });
});

describe('the process', () => {
  it('stays flat over kills', async () => {
    expect(await grownBy('lua', 80)).toBeLessThan(15);
  });

  it('would be seen to grow by half a megabyte that each kill left', async () => {
    expect(await grownBy('lua', 80, 500_000)).toBeGreaterThan(15);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Float, type Value } from '../../../src/call/value.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../../support/engine.ts';
import { testHost, testRun } from '../../support/run.ts';

const engine = createLuaEngine();
const host = testHost();
const run = (text: string): Promise<Value> => runText(engine, testRun({ host }).run, text);

describe('values out of Lua', () => {
  it.each<[string, unknown]>([
    ['nil', null],
    ['true', true],
    ['7', 7],
    ['7.0', new Float(7)],
    ['0.5', 0.5],
    ['-0.0', new Float(-0)],
    ['1/0', Number.POSITIVE_INFINITY],
    ['0/0', Number.NaN],
    ['9007199254740993', 9007199254740993n],
    ['math.mininteger', -(2n ** 63n)],
    ['"ä€😀"', 'ä€😀'],
    ['"a\\0b"', 'a\0b'],
    ['"\\255\\0"', new Uint8Array([255, 0])],
    ['{}', {}],
    ['JSON_ARRAY', []],
    ['{ 1, "x", { true } }', [1, 'x', [true]]],
    ['{ b = 1, a = { c = 2 } }', { a: { c: 2 }, b: 1 }],
    ['{ 1, 2, 3, 4.0, 0.5, -6, 7, 8, 9007199254740991 }', [1, 2, 3, new Float(4), 0.5, -6, 7, 8, 9007199254740991]],
    ['{ 1, 2, 3, 4, 5, 6, 7, 8, 9007199254740993 }', [1, 2, 3, 4, 5, 6, 7, 8, 9007199254740993n]],
    ['(function() local t = {} for i = 20, 1, -1 do t[i] = i end return t end)()', Array.from({ length: 20 }, (_, at) => at + 1)],
    ['{ 1, 2, 3, 4, 5, 6, 7, 8, "x", {} }', [1, 2, 3, 4, 5, 6, 7, 8, 'x', {}]],
    ['{ 1, nil, 3 }', [1, null, 3]],
    ['{ ["__proto__"] = 1 }', JSON.parse('{"__proto__":1}')],
  ])('%s', async (text, expected) => {
    const value = await run(text === 'JSON_ARRAY' ? 'return Try.echo({ list = {} }).list' : `return ${text}`);
    expect(value).toEqual(text === 'JSON_ARRAY' ? {} : expected);
  });

  it.each([
    ['a table that contains itself', 'local t = {} t.self = t Try.echo(t)', 'Try.echo: value.self: a table that contains itself'],
    ['depth', 'local t = {} for i = 1, 70 do t = { t } end Try.echo(t)', `Try.echo: value${'[1]'.repeat(8)}…${'[1]'.repeat(4)}: nested deeper than 64`],
    ['mixed keys', 'Try.echo({ 1, a = 2 })', 'Try.echo: value: a table with both positions and names as keys'],
    ['mixed keys in long lists', 'Try.echo({ 1, 2, 3, 4, 5, 6, 7, 8, 9, a = 2 })', 'Try.echo: value: a table with both positions and names as keys'],
    [
      'mixed keys in long lists that were filled from their ends',
      'local t = { a = 2 } for i = 20, 1, -1 do t[i] = i end Try.echo(t)',
      'Try.echo: value: a table with both positions and names as keys',
    ],
    ['twenty arguments', `Try.echo(${Array.from({ length: 20 }, (_, at) => at)})`, 'Try.echo: expected at most 1 argument, got 20'],
    ['a function in a place for a number', 'Try.later(1, print)', 'Try.later: ms: expected a number, got a function'],
    ['odd keys', 'Try.echo({ [1.5] = 2 })', 'Try.echo: value: a table key that is neither a string nor a position from 1'],
    ['great holes', 'Try.echo({ 1, [1000] = 2 })', 'Try.echo: value: an array with positions up to 1000 but only 2 values'],
    ['a coroutine', 'Try.echo(coroutine.create(print))', 'Try.echo: value: a coroutine cannot leave the script'],
    ['too many', 'local t = {} for i = 1, 100001 do t[i] = i end Try.echo(t)', 'Try.echo: value[100000]: more than 100000 parts in one value'],
    ['too long', 'local s = ("x"):rep(9e6) Try.echo({ s, s })', 'Try.echo: value[2]: more than 16 MB in one value'],
  ])('refuses %s', async (_, text, message) => {
    await expect(run(text)).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message, where: { file: 'test.lua', line: 1 } });
  });
});

describe('values into Lua', () => {
  it.each([
    ['integers stay integers', 'return math.type(Try.echo(7)) .. math.type(Try.echo(7.0)) .. math.type(Try.echo({ 7.0 })[1])', 'integerfloatfloat'],
    [
      'scalars stay what they are',
      `local r = {}
for i, v in ipairs({ true, false, 1, 0.5, 1.0, -0.0, 1 / 0, 2 ^ 53, (1 << 53) + 1, math.mininteger }) do
  local e = Try.echo(v)
  r[i] = tostring(e == v and math.type(e) == math.type(v) and tostring(e) == tostring(v))
end
local nan = Try.echo(0 / 0)
return table.concat(r, " ") .. tostring(Try.echo(nil)) .. tostring(nan ~= nan)`,
      `${'true '.repeat(10).trim()}niltrue`,
    ],
    [
      'each of several arguments arrives',
      'return Try.later("x", 0.5) .. Try.later(9007199254740991, 1) .. tostring(Try.later(nil, 1))',
      'x9007199254740991nil',
    ],
    [
      'long lists of numbers keep their types',
      'local t = Try.echo({ 1, 2.0, 3, 4, 5, 6, 7, 8, -9, 0.5 }) local r = {} for i, v in ipairs(t) do r[i] = math.type(v):sub(1, 1) .. v end return table.concat(r, " ")',
      'i1 f2.0 i3 i4 i5 i6 i7 i8 i-9 f0.5',
    ],
    ['long lists of numbers are lists', 'local t = Try.echo({ 1, 2, 3, 4, 5, 6, 7, 8 }) for i = 1, 8 do t[i] = nil end return Try.echo(t)', []],
    ['64-bit integers', 'return Try.echo(math.maxinteger) == math.maxinteger', true],
    ['bytes', 'return Try.echo("\\255\\0x") == "\\255\\0x"', true],
    ['arrays from 1', 'local t = Try.echo({ "a", "b" }) return #t .. t[1] .. t[2]', '2ab'],
    ['null inside data is not nil', 'local t = Try.echo({ 1, nil, 3 }) return tostring(t[2]) .. type(t[2])', 'nulluserdata'],
    ['an empty array stays one', 'return Try.echo(Try.echo({ 1, nil }))', [1]],
  ])('%s', async (_, text, expected) => {
    expect(await run(text)).toEqual(expected);
  });
});

describe('lists of numbers', () => {
  // Ways to make and change one, which leave it in both parts of a table and what Lua knows of its length old.
  const change = fc.constantFrom(
    'for i = 1, 9 do t[#t + 1] = i end',
    'for i = 20, 1, -1 do t[i] = i + 0.5 end',
    't[#t] = nil',
    'for _ = 1, 5 do table.remove(t) end',
    'table.insert(t, 1, 7.0)',
    't = table.move(t, 1, #t, 1, {})',
    't = {table.unpack(t)}',
    't.x = 1 t.x = nil',
    'local n = #t for i = 1, 40 do t[n + i] = i end for i = n + 40, n + 3, -1 do t[i] = nil end',
  );
  const other = fc.constantFrom('t.x = 1', 't[#t + 3] = 1', 't[#t + 2] = 1', 't[0.5] = 1', 't[0] = 1', 't[#t + 1] = "1"', 't[-1] = 1');

  it('arrive as they are, however they were made', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
        const same = `local back = Try.echo(t)
          local n = 0 for k, v in next, back do n = n + 1 if not rawequal(v, t[k]) or math.type(v) ~= math.type(t[k]) then return k end end
          return n == #t`;
        expect(await run(`local t = {} ${changes.join('\n')}\n${same}`)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('are none with anything else in them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 6 }), other, async (changes, added) => {
        const seen = await run(`local t = {} for i = 1, 12 do t[i] = i end ${changes.join('\n')}
          local n = #t ${added}
          local ok, back = pcall(Try.echo, t)
          if not ok then return true end
          for k, v in next, t do if back[k] ~= v then return tostring(k) end end
          return true`);
        expect(seen).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('numbers as text', () => {
  it('are right on every fiber', async () => {
    const text =
      'local function f() local out = {} for _, v in ipairs({ 0.5, 0.25, 0.1, -1.5, 1e100, 3.0, 1/3 }) do out[#out + 1] = tostring(v) .. string.format(" %.3f %g %5.1f|", v, v, v) end return table.concat(out) end local here = f() for _, there in ipairs(Try.all({ f, f, f })) do assert(there == here) end return here';
    expect(await run(text)).toBe(
      '0.5 0.500 0.5   0.5|0.25 0.250 0.25   0.2|0.1 0.100 0.1   0.1|-1.5 -1.500 -1.5  -1.5|1e+100 10000000000000000159028911097599180468360808563945281389781327557747838772170381060813469985856815104.000 1e+100 10000000000000000159028911097599180468360808563945281389781327557747838772170381060813469985856815104.0|3.0 3.000 3   3.0|0.33333333333333 0.333 0.333333   0.3|',
    );
  });
});

describe('functions', () => {
  it('come back as themselves', async () => {
    expect(await run('local f = function() end return Try.echo({ f }).length == nil and Try.echo({ f })[1] == f')).toBe(true);
  });

  it('run on fibers of their own and wait anywhere', async () => {
    expect(await run('return Try.call(function(a, b) return Try.later(a, 2) + Try.call(function() return Try.later(b) end) end, { 1, 2 })')).toBe(3);
  });

  it('overlap their waits', async () => {
    const text =
      'local order = {} local function f(n) return function() for i = 1, 3 do Try.later(1, 5) order[#order + 1] = n end end end Try.all({ f(1), f(2) }) return order';
    expect(await run(text)).toEqual([1, 2, 1, 2, 1, 2]);
  });

  it.each([
    ['a sort', 'local t = { 3, 1, 2 } table.sort(t, function(a, b) return Try.later(a) < b end) return table.concat(t)', '123'],
    ['a gsub', 'return (("ab"):gsub("%w", function(c) return Try.later(c .. c) end))', 'aabb'],
    ['a metamethod', 'return tostring(setmetatable({}, { __tostring = function() return Try.later("T") end }))', 'T'],
    ['an __index', 'return setmetatable({}, { __index = function(_, k) return Try.later(k) end }).key', 'key'],
    [
      'an iterator',
      'local out = {} for v in function(_, v) v = (v or 0) + 1 if v < 4 then return Try.later(v) end end do out[#out + 1] = v end return out',
      [1, 2, 3],
    ],
    [
      'a coroutine',
      'local next = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(Try.later(i)) end end) return { next(), next(), next() }',
      [1, 2, 3],
    ],
    ['a pcall', 'local _, v = pcall(Try.later, 5) return v', 5],
    ['a message handler', 'local _, v = xpcall(error, function(e) return Try.later(e) end, "x") return v', 'x'],
    ['a closing variable', 'local v do local x <close> = setmetatable({}, { __close = function() v = Try.later(9) end }) end return v', 9],
    ['a required loader', 'return load(function() return nil end) ~= nil and Try.later(1)', 1],
  ])('waits inside %s', async (_, text, expected) => {
    expect(await run(text)).toEqual(expected);
  });
});

describe('dates', () => {
  it.each<[text: string, expected: unknown]>([
    ['os.date("!%Y-%m-%d %H:%M", 86400)', '1970-01-02 00:00'],
    ['os.date("%Y", "86400")', '1970'],
    ['os.date("*t", 1.5).sec', 1],
    ['#os.date() > 10 and #os.date(nil, nil) > 10', true],
    ['os.date(("%Y"):rep(500), 0) == ("1970"):rep(500)', true],
    ['os.time({year = 1970, month = "1", day = 2.0, hour = 0, other = {{}}})', 86_400],
    ['os.time(setmetatable({year = 1970, month = 1}, {__index = function() return 1 end}))', 3_661],
  ])('%s', async (text, expected) => expect(await run(`return ${text}`)).toEqual(expected));

  it.each<[text: string, message: string]>([
    ['os.date(("x"):rep(1001))', 'os.date: format: expected at most 1000 bytes, got 1001'],
    ['os.date(("%Y"):rep(3000000))', 'os.date: format: expected at most 1000 bytes, got 6000000'],
    ['os.date({})', 'os.date: format: expected a string'],
    ['os.date("%Y", {})', 'os.date: time: expected seconds since 1970'],
    ['os.date("%Y", "soon")', 'os.date: time: expected seconds since 1970'],
    ['os.date("%q")', 'os.date: invalid conversion specifier "%q"'],
    ['os.time("now")', 'os.time: expected a table with year, month and day'],
    ['os.time({year = 2026})', 'os.time: expected a table with year, month and day'],
    ['os.time({year = 2026, month = 1, day = 1, hour = {}})', 'os.time: expected a table with year, month and day'],
  ])('%s is refused', async (text, message) => {
    await expect(run(text)).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message, where: { file: 'test.lua', line: 1 } });
  });
});

describe('errors', () => {
  it('of the host are tables with code, message and method, and carry the line', async () => {
    expect(
      await run('local ok, e = pcall(function() Try.fail("boom") end) return { e.code, e.message, e.method, tostring(e), e.details.outcome, type(e) }'),
    ).toEqual(['TOOL_FAILED', 'boom', 'Try.fail', 'test.lua:1: boom', 'failed', 'table']);
  });

  it('come out of a callback unchanged', async () => {
    expect(await run('local mine = { code = 5 } local ok, e = pcall(Try.call, function() Try.later(1) error(mine) end) return e == mine')).toBe(true);
  });

  it('keep line and traceback over waits', async () => {
    await expect(run('local function deep()\n  Try.later(1)\n  error("deep")\nend\nlocal function outer()\n  deep()\nend\nouter()')).rejects.toMatchObject({
      code: 'SCRIPT_ERROR',
      message: 'deep',
      where: { file: 'test.lua', line: 3 },
      traceback: expect.stringMatching(/test\.lua:3: in .*'deep'\n\ttest\.lua:6: in .*'outer'\n\ttest\.lua:8: in main chunk$/),
    });
  });

  it.each([
    ['a text', 'error("deep")'],
    ['a table', 'error({message = "deep"})'],
    ['an error of the host', 'Try.fail("deep")'],
  ])('out of a callback have the frames inside it, then those outside: %s', async (_, raise) => {
    const text = `local function deep()\n  ${raise}\nend\nlocal function call(f)\n  local r = Try.call(f)\n  return r\nend\ncall(function()\n  call(function()\n    deep()\n  end)\nend)`;
    const error = await run(text).catch((thrown) => thrown);
    expect(error).toMatchObject({ message: 'deep', where: { file: 'test.lua', line: 2 } });
    expect(error.traceback.match(/test\.lua:\d+(?=: in )/g)).toEqual([2, 10, 5, 9, 5, 8].map((line) => `test.lua:${line}`));
  });

  it('that another one replaces leave no frames of theirs, and a long traceback has both ends', async () => {
    const other = await run('pcall(Try.call, function()\n  error("inner")\nend)\nerror("other")').catch((thrown) => thrown);
    expect(other.traceback).not.toContain('test.lua:2');
    const deep = 'local function deep(n)\n  if n == 0 then error("deep") end\n  Try.call(function()\n    deep(n - 1)\n  end)\nend\ndeep(30)';
    const { traceback } = await run(deep).catch((thrown) => thrown);
    expect(traceback).toMatch(/test\.lua:2: in .*\n\t\.\.\.\n.*test\.lua:7: in main chunk$/s);
    expect(traceback.split('\n').length).toBeLessThan(50);
  });

  it('of syntax say where', async () => {
    await expect(run('local x =\n\nreturn )')).rejects.toMatchObject({ code: 'SYNTAX_ERROR', where: { file: 'test.lua', line: 3 } });
  });
});

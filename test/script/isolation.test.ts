import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import { testRuntime } from '../support/runtime.ts';

/** Walks everything reachable by properties, prototypes and descriptors and names what is there. */
const WALK_JS = `
const seen = new Set(), strange = [], queue = [[globalThis, 'globalThis']]
let handles = [Agent.create({name: 'a', model: 'local/extractive'}), Tool.get('calculator'), Workflow.sequential({name: 'w', steps: [{handler: () => 1}]})]
let failure; try { State.load('nope', 'x') } catch (e) { failure = e }
queue.push([handles, 'handles'], [failure, 'failure'], [State.list_backups(), 'list'], [Event.emit('x', {a: [1]}), 'event'])
while (queue.length > 0) {
  const [value, path] = queue.pop()
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue
  seen.add(value)
  const proto = Reflect.getPrototypeOf(value)
  if (!(value instanceof Object) && proto !== null && !seen.has(proto)) queue.push([proto, path + '.[[Prototype]]'])
  if (proto) queue.push([proto, path + '.[[Prototype]]'])
  if (typeof value === 'function') {
    if (!Function.prototype.toString.call(value).includes('[native code]')) strange.push(path + ' shows its text')
    try { if (value.constructor('return typeof process')() !== 'undefined') strange.push(path) } catch (e) { if (!(e instanceof Error)) strange.push(path) }
  }
  for (const key of Reflect.ownKeys(value)) {
    const found = Reflect.getOwnPropertyDescriptor(value, key)
    for (const part of ['value', 'get', 'set']) if (found && found[part] !== undefined) queue.push([found[part], path + '.' + String(key)])
  }
}
[strange, seen.size > 300]`;

const WALK_LUA = `
local seen, strange, queue, count = {}, {}, {_G, string, Agent.create({name = "a", model = "local/extractive"}), Tool.get("calculator"), State.list_backups(), Event.emit("x", {a = {1}})}, 0
local ok, failure = pcall(State.load, "nope", "x")
queue[#queue + 1] = failure
while #queue > 0 do
  local value = table.remove(queue)
  local kind = type(value)
  if (kind == "table" or kind == "function" or kind == "userdata" or kind == "thread") and not seen[value] then
    seen[value] = true
    count = count + 1
    local meta = getmetatable(value)
    if meta ~= nil and meta ~= false and type(meta) ~= "table" then strange[#strange + 1] = tostring(meta) end
    if type(meta) == "table" then queue[#queue + 1] = meta end
    if kind == "table" then for k, v in next, value do queue[#queue + 1] = k queue[#queue + 1] = v end end
    if kind == "userdata" and (pcall(function() value.anything = 1 end)) then strange[#strange + 1] = "userdata can be changed" end
  end
end
return {strange, count > 150}`;

async function run(language: Language, text: string, seed = 1) {
  await using test = await testRuntime({ log: { level: 'silent' } });
  return test.runtime.execute(text, { language, grants: test.grants, seed, clock: () => 1_800_000_000_000 });
}

describe('nothing of the host is reachable', () => {
  it('from JavaScript', async () => {
    expect((await run('javascript', WALK_JS)).value).toEqual([[], true]);
  });

  it('from Lua', async () => {
    expect((await run('lua', WALK_LUA)).value).toEqual([{}, true]);
  });
});

describe('what scripts find', () => {
  const golden = (name: string) => JSON.parse(readFileSync(new URL(`./golden/${name}.json`, import.meta.url), 'utf8'));

  it('in Lua is the golden list', async () => {
    const text = `local names = {} for key, value in pairs(_G) do names[#names + 1] = key if type(value) == "table" and value ~= _G and not key:find("^%u") then for inner in pairs(value) do names[#names + 1] = key .. "." .. tostring(inner) end end end table.sort(names) return names`;
    expect((await run('lua', text)).value).toEqual(golden('lua'));
  });

  it('in JavaScript is the golden list', async () => {
    expect((await run('javascript', `Reflect.ownKeys(globalThis).map(String).sort()`)).value).toEqual(golden('javascript'));
  });

  it.each([
    [
      'lua',
      'return {load(string.char(27) .. "Lua") == nil, string.dump, io, os.execute, os.getenv, package, debug.getinfo, dofile, loadfile, getmetatable("")}',
    ],
    ['lua', 'local ok = pcall(setmetatable, {}, {__gc = function() end}) return {ok}'],
  ] as const)('%s has no way out: %s', async (language, text) => {
    const { value } = await run(language, text);
    expect((value as unknown[]).every((one) => one === null || one === false || one === true)).toBe(true);
    expect((value as unknown[]).slice(1).every((one) => one === null || one === false)).toBe(true);
  });

  it('JavaScript has no way out', async () => {
    const text =
      '[typeof process, typeof require, typeof WeakRef, typeof FinalizationRegistry, typeof Atomics, typeof SharedArrayBuffer, typeof std, typeof os, typeof fetch, typeof gc]';
    expect((await run('javascript', text)).value).toEqual(Array.from({ length: 10 }, () => 'undefined'));
  });
});

describe('handles cannot be forged', () => {
  it('in Lua', async () => {
    const { value } = await run(
      'lua',
      'local t = Tool.get("calculator") local a = Agent.create({name = "a", model = "local/extractive"}) local ok, e = pcall(t.execute, a, {expression = "1"}) local ok2, e2 = pcall(t.execute, {name = "calculator"}, {}) local ok3 = pcall(function() t.name = "x" end) return {ok, e.code, ok2, e2.code, ok3}',
    );
    expect(value).toEqual([false, 'BAD_ARGUMENT', false, 'BAD_ARGUMENT', false]);
  });

  it('in JavaScript', async () => {
    const text = `const t = Tool.get("calculator"), a = Agent.create({name: "a", model: "local/extractive"}); const codes = []; for (const self of [a, {name: "calculator"}, Object.create(t), null, 5]) try { t.execute.call(self, {expression: "1"}); codes.push("ran") } catch (e) { codes.push(e.code ?? e.message) } codes`;
    expect((await run('javascript', text)).value).toEqual(['BAD_ARGUMENT', 'BAD_ARGUMENT', 'BAD_ARGUMENT', 'BAD_ARGUMENT', 'BAD_ARGUMENT']);
  });
});

describe('a run is a function of its seed and clock', () => {
  it.each([
    [
      'lua',
      'local t = {} for i = 1, 20 do t["k" .. i] = i end local out = {} for k in pairs(t) do out[#out + 1] = k end for i = 1, 5 do out[#out + 1] = math.random(1e9) end out[#out + 1] = tostring({}) out[#out + 1] = os.time() return out',
    ],
    ['javascript', '[Math.random(), Math.random(), Date.now(), new Date().toISOString()]'],
  ] as const)('%s', async (language, text) => {
    const first = (await run(language, text, 7)).value;
    expect((await run(language, text, 7)).value).toEqual(first);
    expect((await run(language, text, 8)).value).not.toEqual(first);
  });
});

describe('one run does not see another', () => {
  it.each([
    ['lua', 'local before = leaked leaked = 1 string.leaked = 1 return before == nil and string.leaked2 == nil'],
    ['javascript', 'const before = globalThis.leaked; globalThis.leaked = 1; Array.prototype.leaked = 1; before === undefined'],
  ] as const)('%s', async (language, text) => {
    await using test = await testRuntime();
    for (let i = 0; i < 3; i++) expect((await test.runtime.execute(text, { language })).value).toBe(true);
  });
});

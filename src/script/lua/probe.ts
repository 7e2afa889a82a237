import { ScriptError } from '../../errors.ts';
import { type EngineModules, loadEngine } from '../wasm/load.ts';
import { LUA_SLOTS } from '../wasm/manifests.ts';
import { LUA } from './exports.ts';
import { LuaMachine } from './machine.ts';
import { readNumbers, writeNumbers } from './numbers.ts';

/** Each must ask for fuel at least this often when it starts with next to none. */
const LEAST_TICKS = 3;
const FUEL = 3;

/** What the rewriting must have reached, as text chunks that end by themselves. */
const LOOPS = {
  for: 'for i = 1, 20 do end',
  'generic for': 'local t = {} for i = 1, 20 do t[i] = i end for _ in ipairs(t) do end',
  while: 'local i = 0 while i < 20 do i = i + 1 end',
  repeat: 'local i = 0 repeat i = i + 1 until i > 20',
  goto: 'local i = 0 ::top:: i = i + 1 if i < 20 then goto top end',
  recursion: 'local function f(n) if n > 0 then f(n - 1) end end f(20)',
  'a tail call': 'local function f(n) if n > 0 then return f(n - 1) end end f(20)',
  'a pattern': 'local _ = (("a"):rep(9)):find((".-"):rep(2) .. "b")',
  'a caught error': 'for i = 1, 4 do pcall(error) end',
  'a coroutine': 'local co = coroutine.wrap(function() for i = 1, 20 do coroutine.yield() end error() end) for i = 1, 20 do co() end pcall(co)',
} as const;

/** Calls without end reach the limit of Lua's stack, also while an error is handled, and end as errors. */
const ENDLESS = `local depth = 0 local function f() depth = depth + 1 return 1 + f() end
  local _, problem = pcall(f) assert(depth < ${LUA_SLOTS} and problem:find("stack overflow$")) assert(not xpcall(f, f))`;

/** A list as it is to come to Lua, as Lua sees it, and tables that must not pass for such a list. */
const LIST = [1, 0.5, -(2 ** 53 - 1), 2 ** 53 - 1, Number.POSITIVE_INFINITY, 6, 7, 8, 9];
const WRITTEN = `assert(#list == 9 and next(list, 9) == nil and math.type(list[1]) == "integer" and list[2] == 0.5 and list[3] == -list[4]
  and math.type(list[4]) == "integer" and list[5] == 1/0 and select("#", table.unpack(list)) == 9)`;
const READ = `list = {} for i, n in ipairs({1, 0.5, -(1 << 53) + 1, (1 << 53) - 1, 1/0, 6, 7, 8, 9}) do list[i] = n end`;
const OTHERS = ['list = {1, 2, 3, 4, 5, 6, 7, 8, "9"}', 'list = {1, 2, 3, 4, 5, 6, 7, 8, n = 9}', 'list = {1, 2, 3, 4, 5, 6, 7, 8, 1 << 53}'];

/**
 * Checks on a bare state, once per binary and version of V8, that the rewritten binary does what the runtime relies on: every kind
 * of loop asks for fuel, the running state is known while it does, errors unwind inside wasm, recursion ends in time, lists lie in their tables as we read them. Throws INTERNAL with the first thing that is not so.
 */
export function probeLua(engine: EngineModules = loadEngine('lua')): void {
  const machine = new LuaMachine(undefined, engine);
  const { x, memory } = machine;
  let ticks = 0;
  const states = new Set<number>();
  const tick = () => {
    ticks++;
    states.add(machine.running);
    x.__fuel.value = FUEL;
    return 0;
  };
  x.__fuel_slot.set(0, new WebAssembly.Instance(engine.linkers.tick, { host: { tick, pause: tick } }).exports.tick);
  x.__fuel_reset.value = FUEL;
  const L = x.luaL_newstate();
  x.luaL_openlibs(L);
  const run = (text: string) => {
    const chunk = memory.allocate(text);
    const loaded = x.luaL_loadbufferx(L, chunk.pointer, chunk.size, memory.name('=probe'), 0);
    ticks = 0;
    x.__fuel.value = FUEL;
    return loaded || x.lua_pcallk(L, 0, 0, 0, 0, 0);
  };
  for (const [name, text] of Object.entries(LOOPS)) {
    const status = run(text);
    if (status !== LUA.ok) throw failed(`${name} ends with "${memory.describe(L, -1)}"`);
    if (ticks < LEAST_TICKS) throw failed(`${name} does not ask for fuel`);
  }
  // None while a text is read, the state, its coroutine.
  if (states.size !== 3 || machine.running !== 0) throw failed('the running state is not known');
  if (run(ENDLESS) !== LUA.ok) throw failed(`calls without end do not end at ${LUA_SLOTS} values on the stack`);
  x.lua_createtable(L, LIST.length, 0);
  if (!writeNumbers(machine, L, LIST)) throw failed('a list of numbers is not written');
  x.lua_setglobal(L, memory.name('list'));
  if (run(WRITTEN) !== LUA.ok) throw failed('a list of numbers does not lie where it is written');
  const readBack = (text: string) => {
    run(text);
    x.lua_getglobal(L, memory.name('list'));
    return readNumbers(machine, L, x.lua_gettop(L));
  };
  if (String(readBack(READ)) !== String(LIST)) throw failed('a list of numbers does not lie where it is read');
  for (const text of OTHERS) if (readBack(text)) throw failed('something else passes for a list of numbers');
}

function failed(what: string): ScriptError {
  return new ScriptError('INTERNAL', `the Lua engine does not do what llmspell relies on: ${what}`);
}

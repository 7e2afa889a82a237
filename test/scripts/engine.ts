import type { Case } from '../conformance/case.ts';

/** What both engines refuse, survive and keep. */
export const cases: readonly Case[] = [
  {
    name: 'prints the first hundred items of a long list, and what stands beside them',
    lua: `local t = {} for i = 1, 150 do t[i] = i end t.x = 1 print(t) print({1, 2, nil, 4})`,
    js: `const t = [...Array(100).keys()].map(i => i + 1).join(", "); print("{" + t + ", …, x = 1}"); print("{1, 2, [4] = 4}")`,
    output: [`{${Array.from({ length: 100 }, (_, i) => i + 1).join(', ')}, …, x = 1}`, '{1, 2, [4] = 4}'],
  },
  {
    name: 'what a run keeps on the host is bounded too, and the script may catch it',
    limits: { memory_mb: 4 },
    lua: `local x = ("x"):rep(1000000) local out = {}
local function flood(f) for i = 1, 40 do local ok, e = pcall(f, i) if not ok then return e.code .. " " .. e.message:match("^[^:]*: what the run keeps") end end return "no end" end
return {
flood(function(i) Agent.create({name = "a" .. i, model = "local/extractive", system_prompt = x}) end),
flood(function(i) Workflow.sequential({name = "w" .. i, steps = {{name = "s", tool = "uuid", input = {a = x .. i}}}}) end),
flood(function(i) Tool.register({name = "t" .. i, description = x .. i, handler = print}) end),
flood(function(i) Agent.set_shared_memory("s", "k" .. i, x .. i) end)}`,
    js: `const x = "x".repeat(1000000);
const flood = f => { for (let i = 1; i <= 40; i++) try { f(i) } catch (e) { return e.code + " " + e.message.match(/^[^:]*: what the run keeps/)[0] } return "no end" };
[flood(i => Agent.create({name: "a" + i, model: "local/extractive", system_prompt: x})),
flood(i => Workflow.sequential({name: "w" + i, steps: [{name: "s", tool: "uuid", input: {a: x + i}}]})),
flood(i => Tool.register({name: "t" + i, description: x + i, handler: print})),
flood(i => Agent.set_shared_memory("s", "k" + i, x + i))]`,
    expect: [
      'LIMIT_EXCEEDED Agent.create: what the run keeps',
      'LIMIT_EXCEEDED Workflow.sequential: what the run keeps',
      'LIMIT_EXCEEDED Tool.register: what the run keeps',
      'LIMIT_EXCEEDED Agent.set_shared_memory: what the run keeps',
    ],
  },
  {
    name: 'long messages are told in part, and the script still has what it threw',
    lua: `local long = ("x"):rep(100000) local function failing() return function() error(long, 0) end end
local ok, told = pcall(State.update, "global", "k", failing())
Tool.register({name = "t", description = "d", handler = function() error({message = long}) end})
local ok2, e = pcall(Tool.execute, "t", {})
local heard Event.subscribe("tool.error", function(event) heard = event.payload.message end)
pcall(Tool.execute, "t", {}) Event.flush()
return {told == long, e.message == long, #heard < 70000, heard:sub(-3) == "…"}`,
    js: `const long = "x".repeat(100000); let told, e, heard;
try { State.update("global", "k", () => { throw long }) } catch (error) { told = error }
Tool.register({name: "t", description: "d", handler: () => { throw {message: long} }});
try { Tool.execute("t", {}) } catch (error) { e = error }
Event.subscribe("tool.error", event => { heard = event.payload.message });
try { Tool.execute("t", {}) } catch {} Event.flush();
[told === long, e.message === long, heard.length < 70000, heard.endsWith("…")]`,
    expect: [true, true, true, true],
  },
  {
    name: 'integers, floats and signs keep their values',
    lua: `State.save("global", "v", {9007199254740992, 9007199254740993, math.maxinteger, math.mininteger, 1e300, 0.1}) local v = State.load("global", "v") return {v[2] == 9007199254740993, math.type(v[3]), v[3] == math.maxinteger, v[4] == math.mininteger, v[5], v[6]}`,
    js: `State.save("global", "v", [9007199254740992, 9007199254740993n, 9223372036854775807n, -9223372036854775808n, 1e300, 0.1]); const v = State.load("global", "v"); [v[1] === 9007199254740993n, "integer", v[2] === 9223372036854775807n, v[3] === -9223372036854775808n, v[4], v[5]]`,
    expect: [true, 'integer', true, true, 1e300, 0.1],
  },
  {
    name: 'NaN, infinities and negative zero pass',
    lua: `State.save("global", "v", {0/0, 1/0, -1/0, -0.0}) local v = State.load("global", "v") return {v[1] ~= v[1], v[2] == 1/0, v[3] == -1/0, 1/v[4] == -1/0}`,
    js: `State.save("global", "v", [NaN, Infinity, -Infinity, -0]); const v = State.load("global", "v"); [Number.isNaN(v[0]), v[1] === Infinity, v[2] === -Infinity, Object.is(v[3], -0)]`,
    expect: [true, true, true, true],
  },
  {
    name: 'texts with NUL pass whole',
    lua: `State.save("global", "a\\0b", "x\\0y") return {State.list_keys("global")[1] == "a\\0b", #State.load("global", "a\\0b")}`,
    js: `State.save("global", "a\\0b", "x\\0y"); [State.list_keys("global")[0] === "a\\0b", State.load("global", "a\\0b").length]`,
    expect: [true, 3],
  },
  {
    name: 'names that are no text are refused with their place',
    lua: `State.save("global", "v", {list = {{["\\xff"] = 1}}})`,
    js: `State.save("global", "v", {list: [{["\\ud800"]: 1}]})`,
    expect_error: { code: 'BAD_ARGUMENT', message: /^State\.save: value\.list/ },
  },
  {
    name: 'a value that contains itself is refused with its place',
    lua: `local t = {} t.inner = {t} State.save("global", "v", t)`,
    js: `const t = {}; t.inner = [t]; State.save("global", "v", t)`,
    expect_error: { code: 'BAD_ARGUMENT', message: /^State\.save: value\.inner.*contains itself$/ },
  },
  {
    name: 'depth is bounded',
    lua: `local t = 1 for i = 1, 70 do t = {t} end State.save("global", "v", t)`,
    js: `let t = 1; for (let i = 0; i < 70; i++) t = [t]; State.save("global", "v", t)`,
    expect_error: { code: 'BAD_ARGUMENT', message: /nested deeper than 64$/ },
  },
  {
    name: 'the number of values is bounded',
    lua: `local t = {} for i = 1, 30 do t[i] = {} for k = 1, 4000 do t[i][k] = k end end State.save("global", "v", t)`,
    js: `State.save("global", "v", Array.from({length: 30}, () => Array(4000).fill(1)))`,
    expect_error: { code: 'BAD_ARGUMENT', message: /more than 100000 parts in one value$/ },
  },
  {
    name: 'what is refused inside a list is named with its position',
    lua: `local t = {} for i = 1, 20 do t[i] = {i = i} end t[17].i = {["a b"] = {1, coroutine.create(print)}} State.save("global", "v", {list = t})`,
    js: `const t = Array.from({length: 20}, (_, i) => ({i})); t[17].i = {"a b": [1, Symbol()]}; State.save("global", "v", {list: t})`,
    expect_error: { code: 'BAD_ARGUMENT', message: /^State\.save: value\.list\[17\]\.i\["a b"\]\[[12]\]: a (coroutine|symbol) cannot leave the script$/ },
  },
  {
    name: 'calls that nest too deep are told as such',
    at_once: true,
    lua: `local function f(n)\nreturn 1 + f(n + 1) end f(1)`,
    js: `const f = n =>\n1 + f(n + 1); f(1)`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: /^the script nests its calls too deep$/ },
  },
  {
    name: 'bytes are bounded',
    at_once: true,
    lua: `State.save("global", "v", ("x"):rep(17 * 2^20 // 1 | 0))`,
    js: `State.save("global", "v", "x".repeat(17 * 2 ** 20))`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'State.save: value: more than 16 MB in one value' },
  },
  {
    name: 'names of prototypes are data and change nothing',
    lua: `local v = {["__proto__"] = {polluted = 1}, constructor = {prototype = {polluted = 1}}, toString = "t"} State.save("global", "__proto__", v) local back = State.load("global", "__proto__") return {back["__proto__"].polluted, back.constructor.prototype.polluted, back.toString, rawget(_G, "polluted") == nil}`,
    js: `const v = {["__proto__"]: {polluted: 1}, constructor: {prototype: {polluted: 1}}, toString: "t"}; State.save("global", "__proto__", v); const back = State.load("global", "__proto__"); [Object.getOwnPropertyDescriptor(back, "__proto__").value.polluted, back.constructor.prototype.polluted, back.toString, ({}).polluted === undefined]`,
    expect: [1, 1, 't', true],
  },
  {
    name: 'names of prototypes are no options',
    lua: `State.save("global", "v", 1, {["__proto__"] = {ttl_ms = 1}})`,
    js: `State.save("global", "v", 1, {["__proto__"]: {ttl_ms: 1}})`,
    expect_error: { code: 'BAD_ARGUMENT', message: /unknown option "__proto__"/ },
  },
  {
    name: 'reading a value runs no code of the script',
    lua: `local function never() while true do end end State.save("global", "v", setmetatable({1, 2}, {__index = never, __len = never, __pairs = never, __tostring = never})) return State.load("global", "v")`,
    js: `const a = [1, 2]; a[Symbol.iterator] = a.toString = () => { for (;;); }; Object.defineProperty(a, "toJSON", {value: () => { for (;;); }}); State.save("global", "v", a); State.load("global", "v")`,
    expect: [1, 2],
  },
  {
    name: 'hostile errors come out as they are',
    lua: `local mine = setmetatable({}, {__index = error, __tostring = function() error("again") end, __eq = error}) local ok, e = pcall(parallel, {function() error(mine) end}) return rawequal(e, mine)`,
    js: `const mine = new Error("m"); for (const key of ["message", "stack", "name", "cause", "code"]) Object.defineProperty(mine, key, {get() { for (;;); }}); let same; try { parallel([() => { throw mine }]) } catch (e) { same = e === mine } same`,
    expect: true,
  },
  {
    name: 'what is thrown and is no data is said by its kind',
    lua: `error(print)`,
    js: `throw print`,
    expect_error: { code: 'SCRIPT_ERROR', message: 'the script threw a function' },
  },
  {
    name: 'an error with a text of its own is shown by it',
    lua: `error(setmetatable({}, {__tostring = function() return "my text" end}))`,
    js: `throw new Error("my text")`,
    expect_error: { code: 'SCRIPT_ERROR', message: 'my text' },
  },
  {
    name: 'recursion without end can be caught, again and again',
    at_once: true,
    lua: `local function f() return 1 + f() end local n = 0 for i = 1, 2 do if not pcall(f) then n = n + 1 end end return n`,
    js: `function f() { return 1 + f() } let n = 0; for (let i = 0; i < 2; i++) try { f() } catch { n++ } n`,
    expect: 2,
    limits: { cpu_ms: 60_000 },
  },
  {
    name: 'deep nesting of the language is an error of the language',
    lua: `local ok, problem = load("return " .. ("("):rep(100000) .. (")"):rep(100000)) local deep = pcall(string.rep, string.format("%s", ("x"):rep(10)), -1) return {ok == nil, type(problem), deep}`,
    js: `let one = false, two = false; try { eval("(".repeat(100000) + ")".repeat(100000)) } catch (e) { one = true } try { JSON.parse("[".repeat(100000)) } catch (e) { two = true } [one, "string", two]`,
    expect: [true, 'string', true],
    limits: { cpu_ms: 60_000 },
  },
  {
    name: 'deep calls of the library on a fiber are an error of the language',
    at_once: true,
    lua: `local ok = parallel({function() local function f(n) return string.format("%s", setmetatable({}, {__tostring = function() return f(n + 1) end})) end return (pcall(f, 1)) end}) return ok[1]`,
    js: `parallel([() => { try { const a = []; let b = a; for (let i = 0; i < 1e5; i++) b = b[0] = []; JSON.stringify(a); return true } catch { return false } }])[0]`,
    expect: false,
    limits: { cpu_ms: 60_000 },
  },
  {
    name: 'large texts and bytes come in whole by INPUT',
    lua: `local last = INPUT.bytes:byte(-1) return {#INPUT.text, INPUT.text:sub(-3), #INPUT.bytes, last}`,
    js: `[INPUT.text.length, INPUT.text.slice(-3), INPUT.bytes.length, INPUT.bytes.at(-1)]`,
    input: { text: `${'a'.repeat(3_000_000)}end`, bytes: new Uint8Array(3_000_000).fill(255) },
    expect: [3_000_003, 'end', 3_000_000, 255],
  },
  {
    name: 'what a script computes between large values is no part of their passing',
    lua: `State.save("global", "k", ("x"):rep(200000)) local s = State.load("global", "k") local c = os.clock() while os.clock() - c < 0.4 do end State.save("global", "k", ("y"):rep(200000)) return #s`,
    js: `State.save("global", "k", "x".repeat(200000)); const s = State.load("global", "k"); const c = Date.now(); while (Date.now() - c < 400); State.save("global", "k", "y".repeat(200000)); s.length`,
    expect: 200_000,
    at_once: true,
  },
  {
    name: 'values that wait on the way are compared and turned to text in place',
    lua: `local t = {3, 1, 2} table.sort(t, function(a, b) sleep(0) return a < b end) local object = setmetatable({}, {__tostring = function() sleep(0) return "T" end}) return {t, string.format("%s", object), tostring(object)}`,
    js: `const t = [3, 1, 2].sort((a, b) => { sleep(0); return a - b }); const object = {toString() { sleep(0); return "T" }}; [t, \`\${object}\`, String(object)]`,
    expect: [[1, 2, 3], 'T', 'T'],
  },
  {
    name: 'no addresses are shown',
    lua: `local text = tostring({}) .. tostring(print) .. string.format("%p %p", {}, "x") .. tostring(coroutine.create(print)) return text:find("0x") == nil`,
    js: `!/0x/.test(String({}) + String(print) + String(Symbol()))`,
    expect: true,
  },
];

import { expect } from 'vitest';
import type { Case } from '../conformance/case.ts';

const MODELS = { models: { mock: { responses: ['one'] } } };

/** How fibers, handlers and hooks of a run take turns, and what belongs to it. */
export const cases: readonly Case[] = [
  {
    name: 'fibers take turns at waits only',
    lua: `local seen = {} local function f(n) return function() for i = 1, 3 do seen[#seen + 1] = n end sleep(1) seen[#seen + 1] = -n end end parallel({f(1), f(2)}) return {table.concat(seen, " ", 1, 6), #seen}`,
    js: `const seen = []; const f = n => () => { for (let i = 0; i < 3; i++) seen.push(n); sleep(1); seen.push(-n) }; parallel([f(1), f(2)]); [seen.slice(0, 6).join(" "), seen.length]`,
    expect: ['1 1 1 2 2 2', 8],
  },
  {
    name: 'an event emitted in a handler comes after the other handlers of the first, and before the outermost emit returns',
    at_once: true,
    lua: `local seen = {} local function note(s) seen[#seen + 1] = s end Event.subscribe("a", function() note("a1") Event.emit("b") note("a1 ends") end) Event.subscribe("a", function() note("a2") end) Event.subscribe("b", function() note("b") Event.emit("c") end) Event.subscribe("c", function() note("c") end) Event.emit("a") note("out") return seen`,
    js: `const seen = []; const note = s => { seen.push(s) }; Event.subscribe("a", () => { note("a1"); Event.emit("b"); note("a1 ends") }); Event.subscribe("a", () => note("a2")); Event.subscribe("b", () => { note("b"); Event.emit("c") }); Event.subscribe("c", () => note("c")); Event.emit("a"); note("out"); seen`,
    expect: ['a1', 'a1 ends', 'a2', 'b', 'c', 'out'],
  },
  {
    name: 'a handler that waits takes its next event later, others go on',
    at_once: true,
    lua: `local seen, emitted = {}, false Event.subscribe("a", function(e) seen[#seen + 1] = "began " .. e.payload repeat sleep(1) until emitted seen[#seen + 1] = "ended " .. e.payload end) Event.subscribe("a", function(e) seen[#seen + 1] = "other " .. e.payload end) Event.emit("a", 1) Event.emit("a", 2) seen[#seen + 1] = "emitted" emitted = true Event.flush() return seen`,
    js: `const seen = []; let emitted = false; Event.subscribe("a", e => { seen.push("began " + e.payload); do sleep(1); while (!emitted); seen.push("ended " + e.payload) }); Event.subscribe("a", e => { seen.push("other " + e.payload) }); Event.emit("a", 1); Event.emit("a", 2); seen.push("emitted"); emitted = true; Event.flush(); seen`,
    expect: ['began 1', 'other 1', 'other 2', 'emitted', 'ended 1', 'began 2', 'ended 2'],
  },
  {
    name: 'flush waits for what handlers emit while it waits',
    lua: `local n = 0 Event.subscribe("a", function(e) sleep(2) n = n + 1 if e.payload > 0 then Event.emit("a", e.payload - 1) end end) Event.emit("a", 3) Event.flush() return n`,
    js: `let n = 0; Event.subscribe("a", e => { sleep(2); n++; if (e.payload > 0) Event.emit("a", e.payload - 1) }); Event.emit("a", 3); Event.flush(); n`,
    expect: 4,
  },
  {
    name: 'a handler of failures that fails itself is counted, and tells no more',
    lua: `local n = 0 Event.subscribe("event.handler_failed", function() n = n + 1 error("again") end) Event.subscribe("a", function() error("bad") end) Event.emit("a") Event.flush() return {n, Event.stats().failed, #Event.history({pattern = "event.handler_failed"})}`,
    js: `let n = 0; Event.subscribe("event.handler_failed", () => { n++; throw new Error("again") }); Event.subscribe("a", () => { throw new Error("bad") }); Event.emit("a"); Event.flush(); [n, Event.stats().failed, Event.history({pattern: "event.handler_failed"}).length]`,
    expect: [1, 2, 1],
  },
  {
    name: 'names are unique in a run',
    lua: `local codes = {} local function twice(f) f() local ok, e = pcall(f) codes[#codes + 1] = e.message end twice(function() Agent.create({name = "a", model = "mock/script"}) end) twice(function() Tool.register({name = "t", description = "d", handler = print}) end) twice(function() Workflow.sequential({name = "w", steps = {{handler = print}}}) end) return codes`,
    js: `const codes = []; const twice = f => { f(); try { f() } catch (e) { codes.push(e.message) } }; twice(() => Agent.create({name: "a", model: "mock/script"})); twice(() => Tool.register({name: "t", description: "d", handler: print})); twice(() => Workflow.sequential({name: "w", steps: [{handler: print}]})); codes`,
    config: MODELS,
    expect: [
      'Agent.create: name: there is an agent a already',
      'Tool.register: name: there is a tool t already',
      'Workflow.sequential: name: there is a workflow w already',
    ],
  },
  {
    name: 'tools of the host can be neither shadowed nor removed',
    lua: `local ok, e = pcall(Tool.register, {name = "calculator", description = "d", handler = print}) local ok, f = pcall(Tool.remove, "calculator") return {e.message, f.code, Tool.exists("calculator")}`,
    js: `let e, f; try { Tool.register({name: "calculator", description: "d", handler: print}) } catch (x) { e = x } try { Tool.remove("calculator") } catch (x) { f = x } [e.message, f.code, Tool.exists("calculator")]`,
    expect: ['Tool.register: name: calculator is a tool of the host', 'NOT_ALLOWED', true],
  },
  {
    name: 'asynchronous workflows are awaited when the script has ended',
    lua: `Workflow.sequential({name = "w", steps = {{handler = function() sleep(300) print("done") end}}}):execute_async() print("over")`,
    js: `Workflow.sequential({name: "w", steps: [{handler: () => { sleep(300); print("done") }}]}).execute_async(); print("over")`,
    output: ['over', 'done'],
  },
  {
    name: 'queued events are delivered when the script has ended',
    lua: `Event.subscribe("a", function(e) sleep(300) print(e.payload) end) for i = 1, 3 do Event.emit("a", i) end print("over")`,
    js: `Event.subscribe("a", e => { sleep(300); print(e.payload) }); for (let i = 1; i <= 3; i++) Event.emit("a", i); print("over")`,
    output: ['over', '1', '2', '3'],
  },
  {
    name: 'a handler that still runs when the script has ended does its work: what it calls, it waits for, and its events are handed out',
    lua: `Event.receive("c", 0) Event.subscribe("a", function() sleep(300) print(Workflow.sequential({name = "w", steps = {{handler = function() sleep(5) return "worked" end}}}):execute().output) Event.emit("b") print(Event.receive("c").payload) end) Event.subscribe("b", function() sleep(5) print("heard") Event.emit("c", 1) end) Event.emit("a") print("over")`,
    js: `Event.receive("c", 0); Event.subscribe("a", () => { sleep(300); print(Workflow.sequential({name: "w", steps: [{handler: () => { sleep(5); return "worked" }}]}).execute().output); Event.emit("b"); print(Event.receive("c").payload) }); Event.subscribe("b", () => { sleep(5); print("heard"); Event.emit("c", 1) }); Event.emit("a"); print("over")`,
    output: ['over', 'worked', 'heard', '1'],
  },
  {
    name: 'when the script has ended nothing begins that would go on by itself',
    lua: `local w = Workflow.sequential({name = "w", steps = {{handler = function() print("ran") end}}}) local agent = Agent.create({name = "a", model = "mock/script"}) local begin = {function() Event.subscribe("b", print) end, function() Event.receive("b", 0) end, function() w:on("started", print) end, function() agent:on("started", print) end, function() Hook.register("state:before_save", print) end, function() w:execute_async() end} Event.subscribe("a", function() sleep(300) for _, f in ipairs(begin) do local ok, e = pcall(f) print(ok and "began" or e.code .. " " .. e.message) end end) Event.emit("a")`,
    js: `const w = Workflow.sequential({name: "w", steps: [{handler: () => print("ran")}]}); const agent = Agent.create({name: "a", model: "mock/script"}); const begin = [() => Event.subscribe("b", print), () => Event.receive("b", 0), () => w.on("started", print), () => agent.on("started", print), () => Hook.register("state:before_save", print), () => w.execute_async()]; Event.subscribe("a", () => { sleep(300); for (const f of begin) { try { f(); print("began") } catch (e) { print(e.code + " " + e.message) } } }); Event.emit("a"); null`,
    config: MODELS,
    output: ['Event.subscribe', 'Event.receive', 'Workflow:on', 'Agent:on', 'Hook.register', 'Workflow:execute_async'].map(
      (method) => `CONFLICT ${method}: the script has ended: what it began is awaited, nothing new begins`,
    ),
  },
  {
    name: 'a subscription alone keeps no run alive',
    lua: `Event.subscribe("never", print) Event.receive("never", 0) return 1`,
    js: `Event.subscribe("never", print); Event.receive("never", 0); 1`,
    expect: 1,
  },
  {
    name: 'tools and workflows nest sixteen deep',
    lua: `local n, deep = 0, 0 Tool.register({name = "t", description = "d", handler = function() n = n + 1 return Tool.execute("t") end}) local ok, e = pcall(Tool.execute, "t") local function make(i) return Workflow.sequential({name = "w" .. i, steps = {{handler = function() deep = i return make(i + 1):execute() end}}}) end local ok, f = pcall(function() make(1):execute() end) while f.cause do f = f.cause end return {n, e.code, deep, f.code}`,
    js: `let n = 0, deep = 0, e, f; Tool.register({name: "t", description: "d", handler: () => { n++; return Tool.execute("t") }}); try { Tool.execute("t") } catch (x) { e = x } const make = i => Workflow.sequential({name: "w" + i, steps: [{handler: () => { deep = i; return make(i + 1).execute() }}]}); try { make(1).execute() } catch (x) { f = x } while (f.cause) f = f.cause; [n, e.code, deep, f.code]`,
    expect: [16, 'DEPTH_EXCEEDED', 16, 'DEPTH_EXCEEDED'],
  },
  {
    name: 'a tool of the script that takes too long is named',
    lua: `Tool.register({name = "slow", description = "d", timeout_ms = 5, handler = function() sleep(60000) end}) local _, waits = pcall(Tool.execute, "slow") Tool.register({name = "busy", description = "d", timeout_ms = 5, handler = function() while true do end end}) local _, computes = pcall(Tool.execute, "busy") return {waits.message, computes.message}`,
    js: `const message = f => { try { f() } catch (e) { return e.message } }; Tool.register({name: "slow", description: "d", timeout_ms: 5, handler: () => sleep(60000)}); Tool.register({name: "busy", description: "d", timeout_ms: 5, handler: () => { for (;;); }}); [message(() => Tool.execute("slow")), message(() => Tool.execute("busy"))]`,
    expect: ['slow: took longer than 5 ms', 'busy: took longer than 5 ms'],
  },
  {
    name: 'memory that is refused can be caught, and not only once',
    at_once: true,
    lua: `local n = 0 for i = 1, 2 do local ok = pcall(function() local t = {} for i = 1, 1e7 do t[i] = {i} end end) if not ok then n = n + 1 end if not pcall(string.rep, "x", 1e9) then n = n + 1 end end return {n, Tool.execute("calculator", {expression = "1"}).result}`,
    js: `let n = 0; for (let i = 0; i < 2; i++) { try { const t = []; for (let k = 0; k < 1e7; k++) t.push({k}) } catch { n++ } try { "x".repeat(1e9) } catch { n++ } } [n, Tool.execute("calculator", {expression: "1"}).result]`,
    limits: { cpu_ms: 60_000, memory_mb: 16 },
    expect: [4, expect.any(Number)],
  },
];

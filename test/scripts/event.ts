import type { Case } from '../conformance/case.ts';

/** Events. */
export const cases: readonly Case[] = [
  {
    name: 'reach their handlers before emit returns, in the order of subscription',
    lua: `local seen = {} Event.subscribe("a.b", function(e) seen[#seen + 1] = "first " .. e.payload end) Event.subscribe("a.*", function(e) seen[#seen + 1] = "second " .. e.payload end) Event.emit("a.b", "x") seen[#seen + 1] = "emitted" return seen`,
    js: `const seen = []; Event.subscribe("a.b", e => { seen.push("first " + e.payload) }); Event.subscribe("a.*", e => { seen.push("second " + e.payload) }); Event.emit("a.b", "x"); seen.push("emitted"); seen`,
    expect: ['first x', 'second x', 'emitted'],
  },
  {
    name: 'do not hold the emitter while a handler waits',
    lua: `local seen = {} Event.subscribe("a", function() seen[#seen + 1] = "began" sleep(10) seen[#seen + 1] = "ended" end) Event.emit("a") seen[#seen + 1] = "emitted" Event.flush() return seen`,
    js: `const seen = []; Event.subscribe("a", () => { seen.push("began"); sleep(10); seen.push("ended") }); Event.emit("a"); seen.push("emitted"); Event.flush(); seen`,
    expect: ['began', 'emitted', 'ended'],
  },
  {
    name: 'emitted inside a handler are delivered before the outermost emit returns',
    at_once: true,
    lua: `local seen = {} Event.subscribe("a", function() Event.emit("b") seen[#seen + 1] = "a" end) Event.subscribe("b", function() seen[#seen + 1] = "b" end) Event.emit("a") seen[#seen + 1] = "end" return seen`,
    js: `const seen = []; Event.subscribe("a", () => { Event.emit("b"); seen.push("a") }); Event.subscribe("b", () => { seen.push("b") }); Event.emit("a"); seen.push("end"); seen`,
    expect: ['a', 'b', 'end'],
  },
  {
    name: 'come to a handler one at a time and in order',
    lua: `local seen = {} Event.subscribe("n", function(e) sleep(6 - e.payload) seen[#seen + 1] = e.payload end) for i = 1, 5 do Event.emit("n", i) end Event.flush() return seen`,
    js: `const seen = []; Event.subscribe("n", e => { sleep(6 - e.payload); seen.push(e.payload) }); for (let i = 1; i <= 5; i++) Event.emit("n", i); Event.flush(); seen`,
    expect: [1, 2, 3, 4, 5],
  },
  {
    name: 'match patterns',
    lua: `local out = {} for _, p in ipairs({"*.error", "tool.*", "**", "tool.**", "*", "tool:error", "*.*.x", "**.x"}) do local n = 0 local id = Event.subscribe(p, function() n = n + 1 end) Event.emit("tool.error") Event.emit("tool.a.x") Event.unsubscribe(id) out[#out + 1] = n end return out`,
    js: `const out = []; for (const p of ["*.error", "tool.*", "**", "tool.**", "*", "tool:error", "*.*.x", "**.x"]) { let n = 0; const id = Event.subscribe(p, () => { n++ }); Event.emit("tool.error"); Event.emit("tool.a.x"); Event.unsubscribe(id); out.push(n) } out`,
    expect: [1, 2, 2, 2, 2, 1, 1, 1],
  },
  {
    name: 'pass filters',
    lua: `local seen = {} Event.subscribe("o", function(e) seen[#seen + 1] = e.payload.n end, {filter = {kind = "big"}}) Event.subscribe("o", function(e) seen[#seen + 1] = -e.payload.n end, {filter = function(e) return e.payload.n > 1 end}) Event.emit("o", {kind = "big", n = 1}) Event.emit("o", {kind = "small", n = 2}) return seen`,
    js: `const seen = []; Event.subscribe("o", e => { seen.push(e.payload.n) }, {filter: {kind: "big"}}); Event.subscribe("o", e => { seen.push(-e.payload.n) }, {filter: e => e.payload.n > 1}); Event.emit("o", {kind: "big", n: 1}); Event.emit("o", {kind: "small", n: 2}); seen`,
    expect: [1, -2],
  },
  {
    name: 'are received by waiting for them',
    lua: `return parallel({function() return Event.receive("job.*", 1000).payload end, function() sleep(5) Event.emit("job.done", 42) return "sent" end})`,
    js: `parallel([() => Event.receive("job.*", 1000).payload, () => { sleep(5); Event.emit("job.done", 42); return "sent" }])`,
    expect: [42, 'sent'],
  },
  { name: 'or time out with nil', lua: `return {Event.receive("never", 10) == nil}`, js: `[Event.receive("never", 10) === null]`, expect: [true] },
  {
    name: 'fail no run: errors of handlers are counted and emitted once',
    lua: `local seen Event.subscribe("event.handler_failed", function(e) seen = e.payload.message end) Event.subscribe("a", function() error("bad") end) Event.emit("a") Event.flush() return {seen, Event.stats().failed}`,
    js: `let seen; Event.subscribe("event.handler_failed", e => { seen = e.payload.message }); Event.subscribe("a", () => { throw new Error("bad") }); Event.emit("a"); Event.flush(); [seen, Event.stats().failed]`,
    expect: ['bad', 1],
  },
  {
    name: 'overflow by dropping the oldest',
    lua: `local seen = {} Event.subscribe("a", function(e) sleep(5) seen[#seen + 1] = e.payload end, {max_queue = 2}) for i = 1, 5 do Event.emit("a", i) end Event.flush() return {seen, Event.stats().dropped}`,
    js: `const seen = []; Event.subscribe("a", e => { sleep(5); seen.push(e.payload) }, {max_queue: 2}); for (let i = 1; i <= 5; i++) Event.emit("a", i); Event.flush(); [seen, Event.stats().dropped]`,
    expect: [[1, 4, 5], 2],
  },
  {
    name: 'tell where they come from',
    lua: `local e = Event.emit({event_type = "a", payload = {1}, correlation_id = "c"}) return {e.id, e.event_type, e.payload, e.sequence, e.source, e.correlation_id, type(e.timestamp)}`,
    js: `const e = Event.emit({event_type: "a", payload: [1], correlation_id: "c"}); [e.id, e.event_type, e.payload, e.sequence, e.source, e.correlation_id, typeof e.timestamp]`,
    expect: ['evt_1', 'a', [1], 1, 'script', 'c', 'number'],
  },
  {
    name: 'end endless chains',
    at_once: true,
    lua: `local n = 0 Event.subscribe("a", function() n = n + 1 Event.emit("a") end) Event.emit("a") return {n, Event.stats().failed}`,
    js: `let n = 0; Event.subscribe("a", () => { n++; Event.emit("a") }); Event.emit("a"); [n, Event.stats().failed]`,
    expect: [8, 1],
  },
  {
    name: 'are delivered when the script has ended',
    lua: `Event.subscribe("a", function() sleep(20) print("handled") end) Event.emit("a") print("over")`,
    js: `Event.subscribe("a", () => { sleep(20); print("handled") }); Event.emit("a"); print("over")`,
    output: ['over', 'handled'],
  },
  {
    name: 'of the runtime',
    lua: `local seen = {} Event.subscribe("state.*", function(e) seen[#seen + 1] = e.event_type .. " " .. e.payload.key end) Event.subscribe("*.error", function(e) seen[#seen + 1] = e.event_type .. " " .. e.payload.code end) State.save("global", "k", 1) State.delete("global", "k") pcall(Tool.execute, "calculator", {expression = "1/0"}) return seen`,
    js: `const seen = []; Event.subscribe("state.*", e => { seen.push(e.event_type + " " + e.payload.key) }); Event.subscribe("*.error", e => { seen.push(e.event_type + " " + e.payload.code) }); State.save("global", "k", 1); State.delete("global", "k"); try { Tool.execute("calculator", {expression: "1/0"}) } catch {} seen`,
    expect: ['state.saved k', 'state.deleted k', 'tool.error BAD_ARGUMENT'],
  },
  {
    name: 'cannot be flushed inside a handler',
    lua: `local code Event.subscribe("a", function() local ok, e = pcall(Event.flush) code = e.code end) Event.emit("a") return code`,
    js: `let code; Event.subscribe("a", () => { try { Event.flush() } catch (e) { code = e.code } }); Event.emit("a"); code`,
    expect: 'DEADLOCK',
  },
];

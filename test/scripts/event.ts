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
    lua: `local seen = {} Event.subscribe("a", function() seen[#seen + 1] = "began" sleep(300) seen[#seen + 1] = "ended" end) Event.emit("a") seen[#seen + 1] = "emitted" Event.flush() return seen`,
    js: `const seen = []; Event.subscribe("a", () => { seen.push("began"); sleep(300); seen.push("ended") }); Event.emit("a"); seen.push("emitted"); Event.flush(); seen`,
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
    name: 'tell of a handler that failed or took too long where it did and what it listens to',
    lua: `local failed = {} Event.subscribe("event.handler_failed", function(e) failed[#failed + 1] = {e.payload.pattern, e.payload.event_type, (e.payload.at:gsub("%.lua", ""))} end)
Event.subscribe("a.*", function() local none return none.x end) Event.subscribe("b", function() sleep(5000) end, {timeout_ms = 20})

Event.subscribe("c", function() while true do end end, {timeout_ms = 20})
for _, event_type in ipairs({"a.b", "b", "c"}) do Event.emit(event_type) Event.flush() end return failed`,
    js: `const failed = []; Event.subscribe("event.handler_failed", e => { failed.push([e.payload.pattern, e.payload.event_type, e.payload.at.replace(".js", "")]) });
Event.subscribe("a.*", () => null.x); Event.subscribe("b", () => { sleep(5000) }, {timeout_ms: 20})

Event.subscribe("c", async () => { await null; for (;;); }, {timeout_ms: 20});
for (const event_type of ["a.b", "b", "c"]) { Event.emit(event_type); Event.flush() } failed`,
    expect: [
      ['a.*', 'a.b', 'main:2'],
      ['b', 'b', 'main:2'],
      ['c', 'c', 'main:4'],
    ],
  },
  {
    name: 'overflow by dropping the oldest',
    lua: `local seen, done = {}, false Event.subscribe("a", function(e) while not done do sleep(1) end seen[#seen + 1] = e.payload end, {max_queue = 2}) for i = 1, 5 do Event.emit("a", i) end done = true Event.flush() return {seen, Event.stats().dropped}`,
    js: `const seen = []; let done = false; Event.subscribe("a", e => { while (!done) sleep(1); seen.push(e.payload) }, {max_queue: 2}); for (let i = 1; i <= 5; i++) Event.emit("a", i); done = true; Event.flush(); [seen, Event.stats().dropped]`,
    expect: [[1, 4, 5], 2],
  },
  {
    name: 'of the runtime that handlers cause too deep are counted as dropped',
    lua: `local n = 0 Event.subscribe("tool.uuid.completed", function() n = n + 1 Tool.execute("uuid", {}) end) Tool.execute("uuid", {}) Event.flush() return {n, Event.stats().dropped}`,
    js: `let n = 0; Event.subscribe("tool.uuid.completed", () => { n++; Tool.execute("uuid", {}) }); Tool.execute("uuid", {}); Event.flush(); [n, Event.stats().dropped]`,
    expect: [8, 1],
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
    lua: `Event.subscribe("a", function() sleep(300) print("handled") end) Event.emit("a") print("over")`,
    js: `Event.subscribe("a", () => { sleep(300); print("handled") }); Event.emit("a"); print("over")`,
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
  {
    name: 'go on when a handler computes past its time: it is interrupted and reported',
    lua: `local failed Event.subscribe("event.handler_failed", function(e) failed = e.payload.code end) Event.subscribe("a", function() while true do end end, {timeout_ms = 30}) Event.emit("a") Event.flush() return failed`,
    js: `let failed; Event.subscribe("event.handler_failed", e => { failed = e.payload.code }); Event.subscribe("a", () => { for (;;); }, {timeout_ms: 30}); Event.emit("a"); Event.flush(); failed`,
    expect: 'TIMEOUT',
  },
  {
    name: 'of the runtime tell of agents, tools, workflows and steps, and failures by kind too',
    lua: `local seen = {} Event.subscribe("**", function(e) if e.source == "runtime" then seen[#seen + 1] = e.event_type end end) Tool.execute("uuid") pcall(Tool.execute, "calculator", {expression = "1 / 0"}) Agent.create({name = "a", model = "mock/script"}):execute("x") pcall(function() Workflow.sequential({name = "w", steps = {{name = "s", handler = function() error("no") end}}}):execute() end) State.save("global", "k", 1) return seen`,
    js: `const seen = []; Event.subscribe("**", e => { if (e.source === "runtime") seen.push(e.event_type) }); Tool.execute("uuid"); try { Tool.execute("calculator", {expression: "1 / 0"}) } catch {} Agent.create({name: "a", model: "mock/script"}).execute("x"); try { Workflow.sequential({name: "w", steps: [{name: "s", handler: () => { throw new Error("no") }}]}).execute() } catch {} State.save("global", "k", 1); seen`,
    config: { models: { mock: { responses: ['y'] } } },
    expect: [
      'tool.uuid.started',
      'tool.uuid.completed',
      'tool.calculator.started',
      'tool.calculator.failed',
      'tool.error',
      'agent.a.started',
      'agent.a.completed',
      'workflow.w.started',
      'workflow.w.step.s.started',
      'workflow.w.step.s.failed',
      'workflow.w.failed',
      'workflow.error',
      'state.saved',
    ],
  },
  {
    name: 'have types of names, and others are refused',
    lua: `local out = {} for i, type in ipairs({"größe:a_b-1", "a..b", "a b", "a.", "", ("a"):rep(257)}) do local ok, e = pcall(Event.emit, type) out[i] = ok and "ok" or e.code end return out`,
    js: `["größe:a_b-1", "a..b", "a b", "a.", "", "a".repeat(257)].map(type => { try { Event.emit(type); return "ok" } catch (e) { return e.code } })`,
    expect: ['ok', ...Array(5).fill('BAD_ARGUMENT')],
  },
  {
    name: 'are changed, refused and skipped by hooks',
    lua: `local seen = {} Event.subscribe("a", function(e) seen[#seen + 1] = e.payload end) local id = Hook.register("event:before_emit", function(ctx) return {input = {event_type = ctx.name, payload = ctx.input.payload * 2}} end) Event.emit("a", 21) Hook.unregister(id) id = Hook.register("event:before_emit", function() return {skip = true} end) seen[#seen + 1] = Event.emit("a", 1) == nil Hook.unregister(id) Hook.register("event:before_emit", function() return {continue_execution = false, reason = "quiet"} end) local ok, e = pcall(Event.emit, "a", 1) seen[#seen + 1] = e.code return seen`,
    js: `const seen = []; Event.subscribe("a", e => { seen.push(e.payload) }); let id = Hook.register("event:before_emit", ctx => ({input: {event_type: ctx.name, payload: ctx.input.payload * 2}})); Event.emit("a", 21); Hook.unregister(id); id = Hook.register("event:before_emit", () => ({skip: true})); seen.push(Event.emit("a", 1) === null); Hook.unregister(id); Hook.register("event:before_emit", () => ({continue_execution: false, reason: "quiet"})); try { Event.emit("a", 1) } catch (e) { seen.push(e.code) } seen`,
    expect: [42, true, 'HOOK_REJECTED'],
  },
  {
    name: 'are counted, listed and kept',
    lua: `local id = Event.subscribe("a.*", function() end) Event.subscribe("b", function() error("x") end) Event.receive("c", 0) Event.emit("a.one", 1) Event.emit("a.two", 2) Event.emit("b") Event.emit("c", 3) Event.flush() local list, stats, known = Event.list_subscriptions(), Event.stats(), Event.history({pattern = "a.*"}) local since = Event.history({since = known[1].timestamp + 1e6}) return {list[1].id == id, list[1].pattern, list[1].source, list[1].delivered, list[2].failed, list[3].queue_depth, stats.emitted, stats.delivered, stats.failed, stats.dropped, stats.subscriptions, stats.queue_depth, #known, known[2].payload, #Event.history({pattern = "a.*", limit = 1}), #since, Event.unsubscribe(id), Event.unsubscribe(id), Event.stats().subscriptions}`,
    js: `const id = Event.subscribe("a.*", () => {}); Event.subscribe("b", () => { throw new Error("x") }); Event.receive("c", 0); Event.emit("a.one", 1); Event.emit("a.two", 2); Event.emit("b"); Event.emit("c", 3); Event.flush(); const list = Event.list_subscriptions(), stats = Event.stats(), known = Event.history({pattern: "a.*"}); const since = Event.history({since: known[0].timestamp + 1e6}); [list[0].id === id, list[0].pattern, list[0].source, list[0].delivered, list[1].failed, list[2].queue_depth, stats.emitted, stats.delivered, stats.failed, stats.dropped, stats.subscriptions, stats.queue_depth, known.length, known[1].payload, Event.history({pattern: "a.*", limit: 1}).length, since.length, Event.unsubscribe(id), Event.unsubscribe(id), Event.stats().subscriptions]`,
    // The failure of a handler is an event too.
    expect: [true, 'a.*', 'script', 2, 1, 1, 5, 4, 1, 0, 3, 1, 2, 2, 1, 0, true, false, 2],
  },
  {
    name: 'count in their history with all parts of their payloads',
    lua: `local many = {} for i = 1, 90000 do many[i] = 0 end Event.emit("a", many) Event.emit("b", many) Event.emit("c") local types = {} for i, e in ipairs(Event.history()) do types[i] = e.event_type end return types`,
    js: `const many = Array(90000).fill(0); Event.emit("a", many); Event.emit("b", many); Event.emit("c"); Event.history().map(e => e.event_type)`,
    expect: ['b', 'c'],
  },
];

import type { Case } from '../conformance/case.ts';

/** What scripts try that would take the host's time or memory, and how it ends. */
export const cases: readonly Case[] = [
  {
    name: 'a schema whose alternatives double at every level is given up',
    lua: `local defs = {} for i = 0, 29 do local next = {["$ref"] = "#/$defs/d" .. i + 1} defs["d" .. i] = {anyOf = {next, next}} end defs.d30 = {type = "string", minLength = 5}
      Tool.register{name = "t", description = "d", parameters = {type = "object", properties = {a = {["$ref"] = "#/$defs/d0"}}, ["$defs"] = defs}, handler = function() end} Tool.execute("t", {a = "x"})`,
    js: `const defs = {}; for (let i = 0; i < 30; i++) { const next = {$ref: "#/$defs/d" + (i + 1)}; defs["d" + i] = {anyOf: [next, next]} } defs.d30 = {type: "string", minLength: 5};
      Tool.register({name: "t", description: "d", parameters: {type: "object", properties: {a: {$ref: "#/$defs/d0"}}, $defs: defs}, handler() {}}); Tool.execute("t", {a: "x"})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: 't: the schema makes it more than 1000000 steps to check' },
  },
  {
    name: 'a schema that asks the same part twice at every level is given up',
    lua: `local defs = {} for i = 0, 29 do local next = {["$ref"] = "#/$defs/d" .. i + 1} defs["d" .. i] = {allOf = {next, next}} end defs.d30 = {type = "number"}
      Tool.register{name = "t", description = "d", parameters = {type = "object", properties = {a = {["$ref"] = "#/$defs/d0"}}, ["$defs"] = defs}, handler = function() end} Tool.execute("t", {a = 1})`,
    js: `const defs = {}; for (let i = 0; i < 30; i++) { const next = {$ref: "#/$defs/d" + (i + 1)}; defs["d" + i] = {allOf: [next, next]} } defs.d30 = {type: "number"};
      Tool.register({name: "t", description: "d", parameters: {type: "object", properties: {a: {$ref: "#/$defs/d0"}}, $defs: defs}, handler() {}}); Tool.execute("t", {a: 1})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: /more than 1000000 steps/ },
  },
  {
    name: 'a schema that is its own alternative is given up',
    lua: `Tool.register{name = "t", description = "d", parameters = {type = "object", properties = {a = {["$ref"] = "#/$defs/x"}}, ["$defs"] = {x = {anyOf = {{["$ref"] = "#/$defs/x"}, {type = "string"}}}}}, handler = function() end} Tool.execute("t", {a = 1})`,
    js: `Tool.register({name: "t", description: "d", parameters: {type: "object", properties: {a: {$ref: "#/$defs/x"}}, $defs: {x: {anyOf: [{$ref: "#/$defs/x"}, {type: "string"}]}}}, handler() {}}); Tool.execute("t", {a: 1})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: /more than 1000000 steps/ },
  },
  {
    name: 'many items of a few alternatives are checked',
    lua: `Tool.register{name = "t", description = "d", parameters = {type = "object", properties = {a = {type = "array", items = {anyOf = {{type = "string", minLength = 2}, {type = "string"}, {type = "number"}}}}}}, handler = function(p) return #p.a end} local a = {} for i = 1, 50000 do a[i] = "x" end return Tool.execute("t", {a = a})`,
    js: `Tool.register({name: "t", description: "d", parameters: {type: "object", properties: {a: {type: "array", items: {anyOf: [{type: "string", minLength: 2}, {type: "string"}, {type: "number"}]}}}}, handler: p => p.a.length}); Tool.execute("t", {a: Array(50000).fill("x")})`,
    expect: 50_000,
  },
  {
    name: 'events that handlers emit without end are bounded',
    lua: `local n, code = 0 Event.subscribe("a", function() for i = 1, 20000 do local ok, e = pcall(Event.emit, "b", i) if not ok then code = e.code break end end end) Event.subscribe("b", function() n = n + 1 end) Event.emit("a") Event.flush() return {code, n}`,
    js: `let n = 0, code; Event.subscribe("a", () => { for (let i = 0; i < 20000; i++) try { Event.emit("b", i) } catch (e) { code = e.code; break } }); Event.subscribe("b", () => { n++ }); Event.emit("a"); Event.flush(); [code, n]`,
    expect: ['LIMIT_EXCEEDED', 9_999],
    at_once: true,
  },
  {
    name: 'what events that nobody takes hold is bounded by the memory of the run',
    lua: `Event.receive("a", 0) local text = ("x"):rep(1000000) for i = 1, 20 do Event.emit("a", text .. i) end local s = Event.stats() return {s.queue_depth, s.dropped, Event.receive("a", 0).payload:sub(-2)}`,
    js: `Event.receive("a", 0); const text = "x".repeat(1000000); for (let i = 1; i <= 20; i++) Event.emit("a", text + i); const s = Event.stats(); [s.queue_depth, s.dropped, Event.receive("a", 0).payload.slice(-2)]`,
    expect: [7, 13, '14'],
    limits: { memory_mb: 16 },
  },
  {
    name: 'what events that wait for a busy handler hold is bounded too',
    lua: `Event.subscribe("a", function() sleep(60000) end) local text = ("x"):rep(1000000) for i = 1, 20 do Event.emit("a", text .. i) end local s = Event.stats() return {s.queue_depth, s.dropped}`,
    js: `Event.subscribe("a", () => sleep(60000)); const text = "x".repeat(1000000); for (let i = 1; i <= 20; i++) Event.emit("a", text + i); const s = Event.stats(); [s.queue_depth, s.dropped]`,
    expect: [7, 12],
    limits: { drain_ms: 1, memory_mb: 16 },
  },
  {
    name: 'what the host computes for the steps of a workflow counts as computed by the run, caught or not',
    lua: `local inner = Workflow.loop({name = "inner", iterator = {range = {start = 1, stop = 1000000}}, max_iterations = 1000000, body = {name = "t", when = false, tool = "uuid"}}) while true do pcall(function() inner:execute() end) end`,
    js: `const inner = Workflow.loop({name: "inner", iterator: {range: {start: 1, stop: 1000000}}, max_iterations: 1000000, body: {name: "t", when: false, tool: "uuid"}}); for (;;) { try { inner.execute() } catch {} }`,
    limits: { cpu_ms: 200 },
    expect_error: { code: 'LIMIT_EXCEEDED', message: 'the run computed longer than limits.cpu_ms = 200 ms' },
  },
  {
    name: 'times that no timer can wait for are refused',
    lua: `local codes = {} for _, f in ipairs{
      function() Event.receive("a", 3e9) end, function() Event.subscribe("a", print, {timeout_ms = 3000000000}) end,
      function() Tool.register{name = "t", description = "d", timeout_ms = 3000000000, handler = print} end,
      function() Workflow.sequential{name = "w", timeout_ms = 3000000000, steps = {{name = "x", handler = print}}} end,
      function() Workflow.sequential{name = "w", steps = {{name = "x", timeout_ms = 3000000000, handler = print}}} end,
      function() State.save("global", "k", 1, {ttl_ms = 1e300}) end,
    } do local ok, e = pcall(f) codes[#codes + 1] = ok or e.code end return codes`,
    js: `[
      () => Event.receive("a", 3e9), () => Event.subscribe("a", print, {timeout_ms: 3e9}),
      () => Tool.register({name: "t", description: "d", timeout_ms: 3e9, handler: print}),
      () => Workflow.sequential({name: "w", timeout_ms: 3e9, steps: [{name: "x", handler: print}]}),
      () => Workflow.sequential({name: "w", steps: [{name: "x", timeout_ms: 3e9, handler: print}]}),
      () => State.save("global", "k", 1, {ttl_ms: 1e300}),
    ].map(f => { try { f(); return true } catch (e) { return e.code } })`,
    expect: Array(6).fill('BAD_ARGUMENT'),
  },
  {
    name: 'wildcards that could match in endless ways are tried in one',
    lua: `local heard = 0 Event.subscribe(("*a"):rep(12) .. "*b", function() heard = heard + 1 end) Event.emit(("a"):rep(256)) Event.emit(("a"):rep(255) .. "b") Event.flush()
      Hook.register("tool:" .. ("*a"):rep(8) .. "*b:before_execution", function() heard = heard + 10 end) local name = ("a"):rep(64) Tool.register{name = name, description = "d", handler = function() end} Tool.execute(name) return heard`,
    js: `let heard = 0; Event.subscribe("*a".repeat(12) + "*b", () => { heard++ }); Event.emit("a".repeat(256)); Event.emit("a".repeat(255) + "b"); Event.flush();
      Hook.register("tool:" + "*a".repeat(8) + "*b:before_execution", () => { heard += 10 }); const name = "a".repeat(64); Tool.register({name, description: "d", handler() {}}); Tool.execute(name); heard`,
    expect: 1,
  },
  {
    name: 'a pattern longer than any name is refused',
    lua: `Event.subscribe(("a"):rep(1001), print)`,
    js: `Event.subscribe("a".repeat(1001), print)`,
    expect_error: { code: 'BAD_ARGUMENT', message: /pattern "a{40}…": more than 1000 characters$/ },
  },
  {
    name: 'names too long to be a slip are not compared, and told in part',
    lua: `local long = ("a"):rep(1000000) Tool.register{name = "t", description = "d", parameters = {properties = {[long] = true}, additionalProperties = false}, handler = print} Tool.execute("t", {["b" .. long] = 1})`,
    js: `const long = "a".repeat(1000000); Tool.register({name: "t", description: "d", parameters: {properties: {[long]: true}, additionalProperties: false}, handler: print}); Tool.execute("t", {["b" + long]: 1})`,
    expect_error: { code: 'BAD_ARGUMENT', message: /^t: unknown option "ba{79}…"; known are a{80}…$/ },
  },
  {
    name: 'workflows in workflows without end are refused when they run',
    lua: `local w = Workflow.sequential{name = "w0", steps = {{name = "x", handler = function() end}}} for i = 1, 60 do w = Workflow.sequential{name = "w" .. i, steps = {{name = "x", workflow = w}}} end w:execute{}`,
    js: `let w = Workflow.sequential({name: "w0", steps: [{name: "x", handler() {}}]}); for (let i = 1; i <= 60; i++) w = Workflow.sequential({name: "w" + i, steps: [{name: "x", workflow: w}]}); w.execute({})`,
    expect_error: { code: 'STEP_FAILED', message: /nest more than 16 deep/ },
  },
  {
    name: 'secrets in addresses read as ***',
    lua: `return {Config.get("models.providers.own.base_url"), Config.get_provider("own").base_url, Config.get_section("models").providers.own.base_url, Config.get("rag.reranker.url"), Config.get("rag").reranker.url, Config.get("mcp.servers.s.url")}`,
    js: `[Config.get("models.providers.own.base_url"), Config.get_provider("own").base_url, Config.get_section("models").providers.own.base_url, Config.get("rag.reranker.url"), Config.get("rag").reranker.url, Config.get("mcp.servers.s.url")]`,
    config: {
      models: { providers: { own: { kind: 'openai-compatible', base_url: 'https://user:secret@example.org/v1?key=secret' } } },
      rag: { reranker: { url: 'https://example.org/rank?key=secret', model: 'm' } },
      mcp: { servers: { s: { url: 'https://user@example.org/mcp?key=secret' } } },
    },
    expect: [...Array(3).fill('https://***@example.org/v1?***'), ...Array(2).fill('https://example.org/rank?***'), 'https://***@example.org/mcp?***'],
  },
];

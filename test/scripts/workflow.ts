import type { Case } from '../conformance/case.ts';

const close = (ms: number) => ({ asymmetricMatch: (value: unknown) => typeof value === 'number' && value < ms });

/** Workflows. */
export const cases: readonly Case[] = [
  {
    name: 'passes values by reference with their types',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "a", handler = function(ctx) return {list = {1, 2, {x = true}}, n = ctx.input.n} end}, {name = "b", tool = "json_query", input = {data = "$a.output", query = "$.list"}}, {name = "c", handler = function(ctx) return {ctx.b.result, ctx.a.n} end}}}) return w:execute({n = 5}).output`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", handler: ctx => ({list: [1, 2, {x: true}], n: ctx.input.n})}, {name: "b", tool: "json_query", input: {data: "$a.output", query: "$.list"}}, {name: "c", handler: ctx => [ctx.b.result, ctx.a.n]}]}); w.execute({n: 5}).output`,
    expect: [[1, 2, { x: true }], 5],
  },
  {
    name: 'puts references into texts, and $$ is a dollar',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "t", tool = "text", input = {operation = "trim", text = "$input.who costs $$5 and $input.list"}}}}) return w:execute({who = "Ada", list = {1}}).output.text`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "t", tool: "text", input: {operation: "trim", text: "$input.who costs $$5 and $input.list"}}]}); w.execute({who: "Ada", list: [1]}).output.text`,
    expect: 'Ada costs $5 and [\n 1\n]',
  },
  {
    name: 'counts positions as the language does',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "t", tool = "text", input = {operation = "upper", text = "$input.names[1]"}}}}) return w:execute({names = {"ada", "bob"}}).output.text`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "t", tool: "text", input: {operation: "upper", text: "$input.names[0]"}}]}); w.execute({names: ["ada", "bob"]}).output.text`,
    expect: 'ADA',
  },
  {
    name: 'names steps by position',
    lua: `local w = Workflow.sequential({name = "w", steps = {{handler = function() return "x" end}, {tool = "text", input = {operation = "upper", text = "$step1.output"}}}}) local r = w:execute() return {r.output.text, r.steps[2].name}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{handler: () => "x"}, {tool: "text", input: {operation: "upper", text: "$step1.output"}}]}); const r = w.execute(); [r.output.text, r.steps[1].name]`,
    expect: ['X', 'step2'],
  },
  {
    name: 'asks agents and gives their output',
    lua: `local agent = Agent.create({model = "mock/script"}) local w = Workflow.sequential({name = "w", steps = {{name = "ask", agent = agent, prompt = "Summarize: $input"}, {name = "end", handler = function(ctx) return {ctx.ask, ctx.steps.ask.usage.output_tokens > 0} end}}}) return w:execute("text").output`,
    js: `const agent = Agent.create({model: "mock/script"}); const w = Workflow.sequential({name: "w", steps: [{name: "ask", agent: agent, prompt: "Summarize: $input"}, {name: "end", handler: ctx => [ctx.ask, ctx.steps.ask.usage.output_tokens > 0]}]}); w.execute("text").output`,
    config: { models: { mock: { responses: ['short'] } } },
    expect: ['short', true],
  },
  {
    name: 'raises STEP_FAILED with the original as cause and the record',
    lua: `local mine = {} local w = Workflow.sequential({name = "w", steps = {{name = "a", handler = function() return 1 end}, {name = "b", handler = function() error("bad") end}}}) local ok, e = pcall(function() return w:execute() end) return {e.code, e.message, e.cause:match("bad$"), e.details.step, e.details.outputs.a, e.details.steps[2].status}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", handler: () => 1}, {name: "b", handler: () => { throw new Error("bad") }}]}); let r; try { w.execute() } catch (e) { r = [e.code, e.message, e.cause.message, e.details.step, e.details.outputs.a, e.details.steps[1].status] } r`,
    expect: ['STEP_FAILED', 'workflow w: step b failed: bad', 'bad', 'b', 1, 'failed'],
  },
  {
    name: 'continues where told to',
    lua: `local w = Workflow.sequential({name = "w", error_strategy = "continue", steps = {{name = "a", handler = function() error("bad") end}, {name = "b", handler = function() return 2 end}}}) local r = w:execute() return {r.success, r.output, r.steps[1].status}`,
    js: `const w = Workflow.sequential({name: "w", error_strategy: "continue", steps: [{name: "a", handler: () => { throw new Error("bad") }}, {name: "b", handler: () => 2}]}); const r = w.execute(); [r.success, r.output, r.steps[0].status]`,
    expect: [false, 2, 'failed'],
  },
  {
    name: 'retries with backoff',
    lua: `local n = 0 local w = Workflow.sequential({name = "w", steps = {{name = "a", retries = 3, backoff_ms = 1, handler = function() n = n + 1 if n < 3 then error("not yet") end return n end}}}) local r = w:execute() return {r.output, r.steps[1].attempts}`,
    js: `let n = 0; const w = Workflow.sequential({name: "w", steps: [{name: "a", retries: 3, backoff_ms: 1, handler: () => { n++; if (n < 3) throw new Error("not yet"); return n }}]}); const r = w.execute(); [r.output, r.steps[0].attempts]`,
    expect: [3, 3],
  },
  {
    name: 'lets a function mend an error',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "a", handler = function() error("bad") end, on_error = function(e, ctx) return "mended " .. e.message end}}}) return w:execute().output`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", handler: () => { throw new Error("bad") }, on_error: (e, ctx) => "mended " + e.message}]}); w.execute().output`,
    expect: 'mended bad',
  },
  {
    name: 'skips by when',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "a", when = "$input.go", handler = function() return 1 end}, {name = "b", when = function(ctx) return ctx.a == JSON.null end, handler = function() return 2 end}}}) local r = w:execute({go = false, x = 1}) return {r.output, r.steps[1].status}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", when: "$input.go", handler: () => 1}, {name: "b", when: ctx => ctx.a === null, handler: () => 2}]}); const r = w.execute({go: false, x: 1}); [r.output, r.steps[0].status]`,
    expect: [2, 'skipped'],
  },
  {
    name: 'times a step out',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "slow", timeout_ms = 20, handler = function() sleep(5000) end}}}) w:execute()`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "slow", timeout_ms: 20, handler: () => { sleep(5000) }}]}); w.execute()`,
    expect_error: { code: 'STEP_FAILED', message: /^workflow w: step slow failed: .*took longer than 20 ms$/ },
  },
  {
    name: 'runs handlers of parallel branches side by side',
    lua: `local function slow() for i = 1, 5 do sleep(10) end return 1 end local w = Workflow.parallel({name = "w", steps = {{name = "a", handler = slow}, {name = "b", handler = slow}, {name = "c", handler = slow}}}) local r = w:execute() return {r.output, r.duration_ms}`,
    js: `const slow = () => { for (let i = 0; i < 5; i++) sleep(10); return 1 }; const w = Workflow.parallel({name: "w", steps: [{name: "a", handler: slow}, {name: "b", handler: slow}, {name: "c", handler: slow}]}); const r = w.execute(); [r.output, r.duration_ms]`,
    expect: [{ a: 1, b: 1, c: 1 }, close(130)],
  },
  {
    name: 'cancels siblings of a failed branch and says so',
    lua: `local w = Workflow.parallel({name = "w", branches = {{name = "x", steps = {{name = "bad", handler = function() error("no") end}}}, {name = "y", steps = {{name = "slow", handler = function() sleep(5000) end}, {name = "never", handler = function() end}}}}}) local ok, e = pcall(function() w:execute() end) local r = {} for _, s in ipairs(e.details.steps) do r[#r + 1] = s.name .. ":" .. s.status end return {e.message, r}`,
    js: `const w = Workflow.parallel({name: "w", branches: [{name: "x", steps: [{name: "bad", handler: () => { throw new Error("no") }}]}, {name: "y", steps: [{name: "slow", handler: () => { sleep(5000) }}, {name: "never", handler: () => {}}]}]}); let e; try { w.execute() } catch (err) { e = err } [e.message, e.details.steps.map(s => s.name + ":" + s.status)]`,
    expect: ['workflow w: step x.bad failed: no', ['bad:failed', 'slow:cancelled', 'never:cancelled']],
  },
  {
    name: 'joins any',
    lua: `local w = Workflow.parallel({name = "w", join = "any", steps = {{name = "slow", handler = function() sleep(5000) return 1 end}, {name = "fast", handler = function() return 2 end}}}) return w:execute().output`,
    js: `const w = Workflow.parallel({name: "w", join: "any", steps: [{name: "slow", handler: () => { sleep(5000); return 1 }}, {name: "fast", handler: () => 2}]}); w.execute().output`,
    expect: { fast: 2 },
  },
  {
    name: 'chooses a branch',
    lua: `local function w(n) return Workflow.conditional({name = "w" .. n, branches = {{name = "big", condition = "$input.big", steps = {{name = "s", handler = function() return "big" end}}}, {name = "odd", condition = function(ctx) return ctx.input.n % 2 == 1 end, steps = {{name = "s", handler = function() return "odd" end}}}}, default = {{name = "s", handler = function() return "other" end}}}):execute({n = n, big = n > 10}).output end return {w(50), w(3), w(4)}`,
    js: `const w = n => Workflow.conditional({name: "w" + n, branches: [{name: "big", condition: "$input.big", steps: [{name: "s", handler: () => "big"}]}, {name: "odd", condition: ctx => ctx.input.n % 2 === 1, steps: [{name: "s", handler: () => "odd"}]}], default: [{name: "s", handler: () => "other"}]}).execute({n, big: n > 10}).output; [w(50), w(3), w(4)]`,
    expect: ['big', 'odd', 'other'],
  },
  {
    name: 'loops over ranges, collections and while',
    lua: `local function body() return {{name = "b", handler = function(ctx) return ctx.loop.value end}} end local n = 0 return {Workflow.loop({name = "r", iterator = {range = {start = 1, stop = 7, step = 3}}, body = body()}):execute().output, Workflow.loop({name = "c", iterator = {collection = "$input"}, body = body(), break_when = function(ctx) return ctx.b == "y" end}):execute({"x", "y", "z"}).output, Workflow.loop({name = "w", iterator = {while_condition = function() return n < 3 end}, body = {{name = "b", handler = function() n = n + 1 return n end}}}):execute().output}`,
    js: `const body = () => [{name: "b", handler: ctx => ctx.loop.value}]; let n = 0; [Workflow.loop({name: "r", iterator: {range: {start: 1, stop: 7, step: 3}}, body: body()}).execute().output, Workflow.loop({name: "c", iterator: {collection: "$input"}, body: body(), break_when: ctx => ctx.b === "y"}).execute(["x", "y", "z"]).output, Workflow.loop({name: "w", iterator: {while_condition: () => n < 3}, body: [{name: "b", handler: () => ++n}]}).execute().output]`,
    expect: [
      [1, 4, 7],
      ['x', 'y'],
      [1, 2, 3],
    ],
  },
  {
    name: 'stops an endless loop',
    lua: `Workflow.loop({name = "w", iterator = {while_condition = true}, body = {{handler = function() end}}, max_iterations = 5}):execute()`,
    js: `Workflow.loop({name: "w", iterator: {while_condition: true}, body: [{handler: () => {}}], max_iterations: 5}).execute()`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: 'Workflow.loop: the condition still holds after max_iterations = 5' },
  },
  {
    name: 'maps in order',
    lua: `return Workflow.map({name = "w", items = "$input", step = {name = "s", handler = function(ctx) sleep(10 - ctx.loop.value) return ctx.loop.value * 2 end}}):execute({1, 5, 9}).output`,
    js: `Workflow.map({name: "w", items: "$input", step: {name: "s", handler: ctx => { sleep(10 - ctx.loop.value); return ctx.loop.value * 2 }}}).execute([1, 5, 9]).output`,
    expect: [2, 10, 18],
  },
  {
    name: 'nests',
    lua: `local inner = Workflow.map({name = "inner", items = "$input", step = {name = "s", handler = function(ctx) return ctx.loop.value + 1 end}}) local outer = Workflow.sequential({name = "outer", steps = {{name = "in1", workflow = inner, input = "$input"}, {name = "in2", workflow = inner, input = "$in1.output"}}}) return outer:execute({1, 2}).output`,
    js: `const inner = Workflow.map({name: "inner", items: "$input", step: {name: "s", handler: ctx => ctx.loop.value + 1}}); const outer = Workflow.sequential({name: "outer", steps: [{name: "in1", workflow: inner, input: "$input"}, {name: "in2", workflow: inner, input: "$in1.output"}]}); outer.execute([1, 2]).output`,
    expect: [3, 4],
  },
  {
    name: 'validates',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "a", tool = "no_such", input = {x = "$b.output"}}, {name = "b", handler = function() end}, {name = "c", tool = "text", input = {text = "$zzz.output", operation = "$loop.value"}}}}) local v = w:validate() local m = {} for i, e in ipairs(v.errors) do m[i] = e.step .. ": " .. e.message end return {v.valid, m}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", tool: "no_such", input: {x: "$b.output"}}, {name: "b", handler: () => {}}, {name: "c", tool: "text", input: {operation: "$loop.value", text: "$zzz.output"}}]}); const v = w.validate(); [v.valid, v.errors.map(e => e.step + ": " + e.message)]`,
    expect: [
      false,
      [
        'a: the reference $b.output is to a step that comes later',
        'a: there is no tool "no_such"',
        'c: the reference $loop.value leads nowhere: there is no loop around it',
        'c: the reference $zzz.output leads nowhere: there is no step zzz before this one',
      ],
    ],
  },
  {
    name: 'refuses to run what cannot work',
    lua: `Workflow.sequential({name = "w", steps = {{name = "a", tool = "text", input = {operation = "trim", text = "$b.output"}}}}):execute()`,
    js: `Workflow.sequential({name: "w", steps: [{name: "a", tool: "text", input: {operation: "trim", text: "$b.output"}}]}).execute()`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'workflow w: step a: the reference $b.output leads nowhere: there is no step b before this one' },
  },
  {
    name: 'finds cycles',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "again", workflow = "w"}}}) return w:validate().errors[1].message`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "again", workflow: "w"}]}); w.validate().errors[0].message`,
    expect: 'a cycle: w → w',
  },
  {
    name: 'names the step that is malformed',
    lua: `Workflow.sequential({name = "w", steps = {{name = "a", tool = "text", agent = "x", prompt = "y"}}})`,
    js: `Workflow.sequential({name: "w", steps: [{name: "a", tool: "text", agent: "x", prompt: "y"}]})`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Workflow.sequential: step "a": expected one of tool, agent, workflow and handler, got tool and agent' },
  },
  {
    name: 'suggests the option that was meant',
    lua: `Workflow.sequential({name = "w", steps = {{name = "a", hander = function() end}}})`,
    js: `Workflow.sequential({name: "w", steps: [{name: "a", hander: () => {}}]})`,
    expect_error: { code: 'BAD_ARGUMENT', message: /unknown option "hander"; did you mean "handler"\?$/ },
  },
  {
    name: 'runs by itself and can be cancelled',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "slow", handler = function() sleep(5000) end}}}) local going = w:execute_async() local before = going:status() going:cancel() local ok, e = pcall(function() going:wait() end) return {before, going:status(), e.code}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "slow", handler: () => { sleep(5000) }}]}); const going = w.execute_async(); const before = going.status(); going.cancel(); let code; try { going.wait() } catch (e) { code = e.code } [before, going.status(), code]`,
    expect: ['running', 'cancelled', 'CANCELLED'],
  },
  {
    name: 'tells of every stage',
    lua: `local seen = {} Event.subscribe("workflow.**", function(e) seen[#seen + 1] = e.event_type end) Workflow.sequential({name = "w", steps = {{name = "a", handler = function() end}}}):execute() return seen`,
    js: `const seen = []; Event.subscribe("workflow.**", e => { seen.push(e.event_type) }); Workflow.sequential({name: "w", steps: [{name: "a", handler: () => {}}]}).execute(); seen`,
    expect: ['workflow.w.started', 'workflow.w.step.a.started', 'workflow.w.step.a.completed', 'workflow.w.completed'],
  },
  {
    name: 'fires its hooks',
    lua: `local seen = {} Hook.register("workflow:*", function(ctx) seen[#seen + 1] = ctx.point .. (ctx.step and "/" .. ctx.step or "") end) Workflow.sequential({name = "w", steps = {{name = "a", handler = function() end}}}):execute() return seen`,
    js: `const seen = []; Hook.register("workflow:*", ctx => { seen.push(ctx.point + (ctx.step ? "/" + ctx.step : "")) }); Workflow.sequential({name: "w", steps: [{name: "a", handler: () => {}}]}).execute(); seen`,
    expect: ['workflow:before_start', 'workflow:before_step/a', 'workflow:after_step/a', 'workflow:after_complete'],
  },
  {
    name: 'draws itself',
    lua: `return Workflow.sequential({name = "w", steps = {{name = "a", tool = "text", input = {}}}}):diagram()`,
    js: `Workflow.sequential({name: "w", steps: [{name: "a", tool: "text", input: {}}]}).diagram()`,
    expect: 'flowchart TD\n  start(["start"])\n  stop(["end"])\n  s_a["a (tool text)"]\n  start --> s_a\n  s_a --> stop',
  },
];

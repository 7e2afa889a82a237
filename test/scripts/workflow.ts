import { expect } from 'vitest';
import type { Case } from '../conformance/case.ts';

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
    name: 'raises STEP_FAILED with the place and the original as cause and the record',
    lua: `local mine = {} local w = Workflow.sequential({name = "w", steps = {{name = "a", handler = function() return 1 end}, {name = "b", handler = function() error("bad") end}}}) local ok, e = pcall(function() return w:execute() end) return {e.code, (e.message:gsub("%.lua", "")), e.cause:match("bad$"), e.details.step, e.details.outputs.a, e.details.steps[2].status}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", handler: () => 1}, {name: "b", handler: () => { throw new Error("bad") }}]}); let r; try { w.execute() } catch (e) { r = [e.code, e.message.replace(".js", ""), e.cause.message, e.details.step, e.details.outputs.a, e.details.steps[1].status] } r`,
    expect: ['STEP_FAILED', 'workflow w: step b failed: main:1: bad', 'bad', 'b', 1, 'failed'],
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
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "a", when = "$input.go", handler = function() return 1 end}, {name = "b", when = function(ctx) return ctx.a == nil and ctx.steps.a.status == "skipped" end, handler = function() return 2 end}}}) local r = w:execute({go = false, x = 1}) return {r.output, r.steps[1].status}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", when: "$input.go", handler: () => 1}, {name: "b", when: ctx => !("a" in ctx) && ctx.steps.a.status === "skipped", handler: () => 2}]}); const r = w.execute({go: false, x: 1}); [r.output, r.steps[0].status]`,
    expect: [2, 'skipped'],
  },
  {
    name: 'times a step out',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "slow", timeout_ms = 20, handler = function() sleep(5000) end}}}) w:execute()`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "slow", timeout_ms: 20, handler: () => { sleep(5000) }}]}); w.execute()`,
    expect_error: { code: 'STEP_FAILED', message: /^workflow w: step slow failed: .*took longer than 20 ms$/ },
  },
  {
    name: 'records, events, hooks and outputs tell steps of one name in two branches apart',
    lua: `local seen = {} Hook.register("workflow:before_step", function(ctx) seen[#seen + 1] = "hook " .. ctx.branch .. "." .. ctx.step end) local w = Workflow.parallel({name = "w", max_concurrency = 1, branches = {{name = "x", steps = {{name = "s", handler = function() return 1 end}}}, {name = "y", steps = {{name = "s", handler = function() return 2 end}, {name = "t", handler = function() error("no") end}}}}}) Event.subscribe("workflow.w.step.s.completed", function(e) seen[#seen + 1] = "event " .. e.payload.branch .. "." .. e.payload.step end) local ok, e = pcall(w.execute, w) Event.flush() local records = {} for _, r in ipairs(e.details.steps) do records[#records + 1] = r.branch .. "." .. r.name .. " " .. r.status end table.sort(seen) return {seen, records, e.details.step, e.details.outputs}`,
    js: `const seen = []; Hook.register("workflow:before_step", ctx => { seen.push("hook " + ctx.branch + "." + ctx.step) }); const w = Workflow.parallel({name: "w", max_concurrency: 1, branches: [{name: "x", steps: [{name: "s", handler: () => 1}]}, {name: "y", steps: [{name: "s", handler: () => 2}, {name: "t", handler: () => { throw new Error("no") }}]}]}); Event.subscribe("workflow.w.step.s.completed", e => { seen.push("event " + e.payload.branch + "." + e.payload.step) }); let e; try { w.execute() } catch (err) { e = err } Event.flush(); [seen.sort(), e.details.steps.map(r => r.branch + "." + r.name + " " + r.status), e.details.step, e.details.outputs]`,
    expect: [['event x.s', 'event y.s', 'hook x.s', 'hook y.s', 'hook y.t'], ['x.s completed', 'y.s completed', 'y.t failed'], 'y.t', { 'x.s': 1, 'y.s': 2 }],
  },
  {
    name: 'runs handlers of parallel branches side by side',
    lua: `local function slow() for i = 1, 5 do sleep(10) end return 1 end local w = Workflow.parallel({name = "w", steps = {{name = "a", handler = slow}, {name = "b", handler = slow}, {name = "c", handler = slow}}}) return w:execute().output`,
    js: `const slow = () => { for (let i = 0; i < 5; i++) sleep(10); return 1 }; const w = Workflow.parallel({name: "w", steps: [{name: "a", handler: slow}, {name: "b", handler: slow}, {name: "c", handler: slow}]}); w.execute().output`,
    expect: { a: 1, b: 1, c: 1 },
  },
  {
    name: 'cancels siblings of a failed branch and says so',
    lua: `local w = Workflow.parallel({name = "w", branches = {{name = "x", steps = {{name = "bad", handler = function() error("no") end}}}, {name = "y", steps = {{name = "slow", handler = function() sleep(5000) end}, {name = "never", handler = function() end}}}}}) local ok, e = pcall(function() w:execute() end) local r = {} for _, s in ipairs(e.details.steps) do r[#r + 1] = s.name .. ":" .. s.status end return {(e.message:gsub("%.lua", "")), r}`,
    js: `const w = Workflow.parallel({name: "w", branches: [{name: "x", steps: [{name: "bad", handler: () => { throw new Error("no") }}]}, {name: "y", steps: [{name: "slow", handler: () => { sleep(5000) }}, {name: "never", handler: () => {}}]}]}); let e; try { w.execute() } catch (err) { e = err } [e.message.replace(".js", ""), e.details.steps.map(s => s.name + ":" + s.status)]`,
    expect: ['workflow w: step x.bad failed: main:1: no', ['bad:failed', 'slow:cancelled', 'never:cancelled']],
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
    name: 'takes an empty list for items and collections',
    lua: `local step = {name = "s", handler = function() return 1 end} return {Workflow.map({name = "m", items = {}, step = step}):execute().output, Workflow.map({name = "i", items = "$input", step = step}):execute({}).output, Workflow.loop({name = "l", iterator = {collection = {}}, body = {step}}):execute().output}`,
    js: `const step = {name: "s", handler: () => 1}; [Workflow.map({name: "m", items: [], step}).execute().output, Workflow.map({name: "i", items: "$input", step}).execute([]).output, Workflow.loop({name: "l", iterator: {collection: []}, body: [step]}).execute().output]`,
    expect: [[], [], []],
  },
  {
    name: 'stops an endless loop',
    lua: `Workflow.loop({name = "w", iterator = {while_condition = true}, body = {{handler = function() end}}, max_iterations = 5}):execute()`,
    js: `Workflow.loop({name: "w", iterator: {while_condition: true}, body: [{handler: () => {}}], max_iterations: 5}).execute()`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: 'workflow w: the condition still holds after max_iterations = 5' },
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
        'a: there is no tool "no_such" (Tool.list() names all)',
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
    name: 'looks at a workflow once, however many steps run it',
    lua: `local w = Workflow.sequential({name = "w0", steps = {{name = "a", tool = "nope"}}}) for i = 1, 11 do local steps = {} for k = 1, 8 do steps[k] = {name = "a" .. k, workflow = w} end w = Workflow.sequential({name = "w" .. i, steps = steps}) end return w:validate().errors`,
    js: `let w = Workflow.sequential({name: "w0", steps: [{name: "a", tool: "nope"}]}); for (let i = 1; i < 12; i++) { const nested = w; w = Workflow.sequential({name: "w" + i, steps: [1, 2, 3, 4, 5, 6, 7, 8].map(k => ({name: "a" + k, workflow: nested}))}) } w.validate().errors`,
    expect: [{ step: 'a1', message: 'in workflow w0: step a: there is no tool "nope" (Tool.list() names all)' }],
  },
  {
    name: 'finds the first problem of nested workflows before it runs anything',
    lua: `local w = Workflow.sequential({name = "w0", steps = {{name = "a", tool = "nope"}}}) for i = 1, 11 do local steps = {} for k = 1, 8 do steps[k] = {name = "a" .. k, workflow = w} end w = Workflow.sequential({name = "w" .. i, steps = steps}) end w:execute()`,
    js: `let w = Workflow.sequential({name: "w0", steps: [{name: "a", tool: "nope"}]}); for (let i = 1; i < 12; i++) { const nested = w; w = Workflow.sequential({name: "w" + i, steps: [1, 2, 3, 4, 5, 6, 7, 8].map(k => ({name: "a" + k, workflow: nested}))}) } w.execute()`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'workflow w11: step a1: in workflow w0: step a: there is no tool "nope" (Tool.list() names all)' },
  },
  {
    name: 'finds a cycle that only nested workflows make, and cuts a long one',
    lua: `for i = 1, 30 do Workflow.sequential({name = "w" .. i, steps = {{name = "s", workflow = "w" .. (i < 30 and i + 1 or 20)}, {name = "t", workflow = "w" .. (i < 30 and i + 1 or 20)}}}) end local v = Workflow.get("w1"):validate() return {#v.errors, v.errors[1].message}`,
    js: `for (let i = 1; i <= 30; i++) Workflow.sequential({name: "w" + i, steps: [{name: "s", workflow: "w" + (i < 30 ? i + 1 : 20)}, {name: "t", workflow: "w" + (i < 30 ? i + 1 : 20)}]}); const v = Workflow.get("w1").validate(); [v.errors.length, v.errors[0].message]`,
    expect: [2, 'in workflow w30: step s: a cycle: w1 → w2 → w3 → w4 → w5 → w6 → w7 → w8 → … → w24 → w25 → w26 → w27 → w28 → w29 → w30 → w20'],
  },
  {
    name: 'tells at most a hundred problems',
    lua: `local steps = {} for i = 1, 300 do steps[i] = {tool = "text", input = "$q.output"} end return #Workflow.sequential({name = "w", steps = steps}):validate().errors`,
    js: `const steps = Array.from({length: 300}, () => ({tool: "text", input: "$q.output"})); Workflow.sequential({name: "w", steps}).validate().errors.length`,
    expect: 100,
  },
  {
    name: 'refuses texts with too many references, and references that are too long',
    lua: `local function first(text) return Workflow.sequential({name = "w" .. #Workflow.list(), steps = {{name = "a", tool = "text", input = {operation = "trim", text = text}}}}):validate().errors[1].message end
return {first(("$input "):rep(1001)), first("$input" .. (".x"):rep(101)), first('$input["' .. ("x"):rep(1001) .. '"]'), first("$" .. ("x"):rep(1001)), first("$input[" .. ("1"):rep(1001) .. "]")}`,
    js: `const first = text => Workflow.sequential({name: "w" + Workflow.list().length, steps: [{name: "a", tool: "text", input: {operation: "trim", text}}]}).validate().errors[0].message;
[first("$input ".repeat(1001)), first("$input" + ".x".repeat(101)), first('$input["' + "x".repeat(1001) + '"]'), first("$" + "x".repeat(1001)), first("$input[" + "1".repeat(1001) + "]")]`,
    expect: [
      'references: expected at most 1000 in one text, got more',
      `the reference $input${'.x'.repeat(27)}… is too long: expected at most 1000 characters and 100 parts`,
      `the reference $input["${'x'.repeat(52)}… is too long: expected at most 1000 characters and 100 parts`,
      `the reference $${'x'.repeat(59)}… is too long: expected at most 1000 characters and 100 parts`,
      `the reference $input[${'1'.repeat(53)}… is too long: expected at most 1000 characters and 100 parts`,
    ],
  },
  {
    name: 'takes a thousand references and many dollar signs in one text',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "a", tool = "text", input = {operation = "upper", text = ("$$$5 $ "):rep(3000) .. ("$input "):rep(1000)}}}}) local text = w:execute("a").output.text return {#text, text:sub(1, 6), text:sub(-5)}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", tool: "text", input: {operation: "upper", text: "$$$5 $ ".repeat(3000) + "$input ".repeat(1000)}}]}); const text = w.execute("a").output.text; [text.length, text.slice(0, 6), text.slice(-5)]`,
    expect: [20_000, '$$5 $ ', ' A A '],
  },
  {
    name: 'bounds what references put in',
    lua: `local function failure(input, given) local ok, e = pcall(function() return Workflow.sequential({name = "w" .. #Workflow.list(), steps = {{name = "a", tool = "json_query", input = input}}}):execute(given) end) return {e.code, e.cause.code, e.message} end
local ones, all = {}, {} for i = 1, 400 do ones[i] = 1 all[i] = "$input" end
return {failure({query = ("$input "):rep(200), data = 1}, ("x"):rep(100000)), failure({query = "$$", data = all}, ones)}`,
    js: `const failure = (input, given) => { try { Workflow.sequential({name: "w" + Workflow.list().length, steps: [{name: "a", tool: "json_query", input}]}).execute(given) } catch (e) { return [e.code, e.cause.code, e.message] } };
[failure({query: "$input ".repeat(200), data: 1}, "x".repeat(100000)), failure({query: "$$", data: Array(400).fill("$input")}, Array(400).fill(1))]`,
    expect: [
      ['STEP_FAILED', 'LIMIT_EXCEEDED', 'workflow w0: step a failed: references put in too much: expected at most 16 MB in one value, got more'],
      ['STEP_FAILED', 'LIMIT_EXCEEDED', 'workflow w1: step a failed: references put in too much: expected at most 100000 parts in one value, got more'],
    ],
  },
  {
    name: 'makes texts of lists and maps that are put in',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "a", tool = "text", input = {operation = "trim", text = "$input.a, $input.b and $input.e"}}}}) return w:execute({a = {1, {true, 'x"y'}}, b = {c = {d = {k = 2.5}}}, e = ("é"):rep(150000)}).output.text`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "a", tool: "text", input: {operation: "trim", text: "$input.a, $input.b and $input.e"}}]}); w.execute({a: [1, [true, 'x"y']], b: {c: {d: {k: 2.5}}}, e: "é".repeat(150000)}).output.text`,
    expect: `${JSON.stringify([1, [true, 'x"y']], null, 1)}, ${JSON.stringify({ c: { d: { k: 2.5 } } }, null, 1)} and ${'é'.repeat(150_000)}`,
  },
  {
    name: 'cuts long names of steps in messages',
    lua: `Workflow.sequential({name = "w", steps = {{name = ("x"):rep(100000), handler = function() end}}})`,
    js: `Workflow.sequential({name: "w", steps: [{name: "x".repeat(100000), handler: () => {}}]})`,
    expect_error: {
      code: 'BAD_ARGUMENT',
      message: `Workflow.sequential: step "${'x'.repeat(60)}…": name: expected an identifier of up to 64 letters, digits, _ and -`,
    },
  },
  {
    name: 'refuses long names of branches',
    lua: `Workflow.parallel({name = "w", branches = {{name = ("x"):rep(100000), steps = {{handler = function() end}}}}})`,
    js: `Workflow.parallel({name: "w", branches: [{name: "x".repeat(100000), steps: [{handler: () => {}}]}]})`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Workflow.parallel: branch 1: name: expected at most 200 characters, got 100000' },
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
  {
    name: 'nests kinds in each other to any depth',
    lua: `local add = Workflow.sequential({name = "add", steps = {{name = "s", handler = function(ctx) return ctx.input + 1 end}}})
local each = Workflow.map({name = "each", items = "$input", step = {name = "s", workflow = add, input = "$loop.value"}})
local twice = Workflow.loop({name = "twice", iterator = {range = {start = 1, stop = 2}}, body = {{name = "s", workflow = each, input = "$input.list"}}})
local choose = Workflow.conditional({name = "choose", branches = {{name = "go", condition = "$input.go", steps = {{name = "s", workflow = twice}}}}, default = {{name = "s", handler = function() return "no" end}}})
local all = Workflow.parallel({name = "all", steps = {{name = "a", workflow = choose, input = {go = true, list = {1, 2}}}, {name = "b", workflow = choose, input = {go = false, x = 1}}}})
return Workflow.sequential({name = "top", steps = {{name = "s", workflow = all}, {name = "end", handler = function(ctx) return ctx.s end}}}):execute().output`,
    js: `const add = Workflow.sequential({name: "add", steps: [{name: "s", handler: ctx => ctx.input + 1}]})
const each = Workflow.map({name: "each", items: "$input", step: {name: "s", workflow: add, input: "$loop.value"}})
const twice = Workflow.loop({name: "twice", iterator: {range: {start: 1, stop: 2}}, body: [{name: "s", workflow: each, input: "$input.list"}]})
const choose = Workflow.conditional({name: "choose", branches: [{name: "go", condition: "$input.go", steps: [{name: "s", workflow: twice}]}], default: [{name: "s", handler: () => "no"}]})
const all = Workflow.parallel({name: "all", steps: [{name: "a", workflow: choose, input: {go: true, list: [1, 2]}}, {name: "b", workflow: choose, input: {go: false, x: 1}}]})
Workflow.sequential({name: "top", steps: [{name: "s", workflow: all}, {name: "end", handler: ctx => ctx.s}]}).execute().output`,
    expect: {
      a: [
        [2, 3],
        [2, 3],
      ],
      b: 'no',
    },
  },
  {
    name: 'nests at most sixteen deep',
    lua: `local w = Workflow.sequential({name = "w0", steps = {{name = "s", handler = function() return 1 end}}}) for i = 1, 17 do w = Workflow.sequential({name = "w" .. i, steps = {{name = "s", workflow = w}}}) end w:execute()`,
    js: `let w = Workflow.sequential({name: "w0", steps: [{name: "s", handler: () => 1}]}); for (let i = 1; i <= 17; i++) w = Workflow.sequential({name: "w" + i, steps: [{name: "s", workflow: w}]}); w.execute()`,
    expect_error: { code: 'STEP_FAILED', message: /agents, tools and workflows nest more than 16 deep \(at workflow w1\)$/ },
  },
  {
    name: 'keeps the cause through nested failures',
    lua: `local inner = Workflow.sequential({name = "inner", steps = {{name = "bad", handler = function() error({mine = 7}) end}}}) local outer = Workflow.sequential({name = "outer", steps = {{name = "in1", workflow = inner}}}) local ok, e = pcall(function() outer:execute() end) return {e.code, e.cause.code, e.cause.details.step, e.cause.cause.mine}`,
    js: `const inner = Workflow.sequential({name: "inner", steps: [{name: "bad", handler: () => { throw {mine: 7} }}]}); const outer = Workflow.sequential({name: "outer", steps: [{name: "in1", workflow: inner}]}); let e; try { outer.execute() } catch (thrown) { e = thrown } [e.code, e.cause.code, e.cause.details.step, e.cause.cause.mine]`,
    expect: ['STEP_FAILED', 'STEP_FAILED', 'bad', 7],
  },
  {
    name: 'takes no references from data',
    lua: `local inner = Workflow.sequential({name = "inner", steps = {{name = "s", handler = function(ctx) return ctx.input end}}}) return Workflow.sequential({name = "w", steps = {{name = "a", handler = function() return "$b.output" end}, {name = "b", tool = "text", input = {operation = "trim", text = "$a.output"}}, {name = "c", workflow = inner}}}):execute("costs $nothing.at.all").output`,
    js: `const inner = Workflow.sequential({name: "inner", steps: [{name: "s", handler: ctx => ctx.input}]}); Workflow.sequential({name: "w", steps: [{name: "a", handler: () => "$b.output"}, {name: "b", tool: "text", input: {operation: "trim", text: "$a.output"}}, {name: "c", workflow: inner}]}).execute("costs $nothing.at.all").output`,
    expect: 'costs $nothing.at.all',
  },
  {
    name: 'tells hooks what a step really gets, and takes theirs as it is',
    lua: `local seen Hook.register("workflow:before_step", function(ctx) if ctx.step == "up" then seen = ctx.input.text return {input = {operation = "upper", text = "$as it is"}} end end) local r = Workflow.sequential({name = "w", steps = {{name = "up", tool = "text", input = {operation = "upper", text = "$input"}}}}):execute("ada") return {seen, r.output.text}`,
    js: `let seen; Hook.register("workflow:before_step", ctx => { if (ctx.step === "up") { seen = ctx.input.text; return {input: {operation: "upper", text: "$as it is"}} } }); const r = Workflow.sequential({name: "w", steps: [{name: "up", tool: "text", input: {operation: "upper", text: "$input"}}]}).execute("ada"); [seen, r.output.text]`,
    expect: ['ada', '$AS IT IS'],
  },
  {
    name: 'may be answered by a hook alone',
    lua: `Hook.register("workflow:before_start", function() return {skip = true, output = "instead"} end) local r = Workflow.sequential({name = "w", steps = {{name = "a", handler = function() return 1 end}}}):execute() return {r.success, r.output, #r.steps, r.workflow_id}`,
    js: `Hook.register("workflow:before_start", () => ({skip: true, output: "instead"})); const r = Workflow.sequential({name: "w", steps: [{name: "a", handler: () => 1}]}).execute(); [r.success, r.output, r.steps.length, r.workflow_id]`,
    expect: [true, 'instead', 0, 'w_1'],
  },
  {
    name: 'retries until it works, then as the strategy says',
    lua: `local n = 0 local r = Workflow.sequential({name = "w", error_strategy = "continue", steps = {{name = "a", on_error = "retry", backoff_ms = 0, handler = function() n = n + 1 error("bad") end}, {name = "b", handler = function() return n end}}}):execute() return {r.output, r.steps[1].status, r.steps[1].attempts}`,
    js: `let n = 0; const r = Workflow.sequential({name: "w", error_strategy: "continue", steps: [{name: "a", on_error: "retry", backoff_ms: 0, handler: () => { n++; throw new Error("bad") }}, {name: "b", handler: () => n}]}).execute(); [r.output, r.steps[0].status, r.steps[0].attempts]`,
    expect: [4, 'failed', 4],
  },
  {
    name: 'does not retry what cannot change',
    lua: `local n = 0 Hook.register("tool:text:before_execution", function() n = n + 1 return {continue_execution = false, reason = "no"} end) local ok, e = pcall(function() Workflow.sequential({name = "w", steps = {{name = "a", retries = 5, backoff_ms = 0, tool = "text", input = {operation = "trim", text = "x"}}}}):execute() end) return {n, e.cause.code}`,
    js: `let n = 0; Hook.register("tool:text:before_execution", () => { n++; return {continue_execution: false, reason: "no"} }); let e; try { Workflow.sequential({name: "w", steps: [{name: "a", retries: 5, backoff_ms: 0, tool: "text", input: {operation: "trim", text: "x"}}]}).execute() } catch (thrown) { e = thrown } [n, e.cause.code]`,
    expect: [1, 'HOOK_REJECTED'],
  },
  {
    name: 'fails a step whose when or on_error fails',
    lua: `local function try(step) local ok, e = pcall(function() Workflow.sequential({name = step.name .. "w", steps = {step}}):execute() end) return e.code .. " " .. e.details.step .. " " .. e.details.steps[1].status .. " " .. e.cause:match("%a+$") end return {try({name = "a", when = function() error("unsure") end, handler = function() end}), try({name = "b", handler = function() error("bad") end, on_error = function() error("worse") end})}`,
    js: `const attempt = step => { try { Workflow.sequential({name: step.name + "w", steps: [step]}).execute() } catch (e) { return e.code + " " + e.details.step + " " + e.details.steps[0].status + " " + e.cause.message } }; [attempt({name: "a", when: () => { throw new Error("unsure") }, handler: () => {}}), attempt({name: "b", handler: () => { throw new Error("bad") }, on_error: () => { throw new Error("worse") }})]`,
    expect: ['STEP_FAILED a failed unsure', 'STEP_FAILED b failed worse'],
  },
  {
    name: 'tells on_error which step it was',
    lua: `return Workflow.sequential({name = "w", steps = {{name = "a", tool = "calculator", input = {expression = "1/0"}, on_error = function(e, ctx) return {e.step, e.code, ctx.input} end}}}):execute("in").output`,
    js: `Workflow.sequential({name: "w", steps: [{name: "a", tool: "calculator", input: {expression: "1/0"}, on_error: (e, ctx) => [e.step, e.code, ctx.input]}]}).execute("in").output`,
    expect: ['a', 'BAD_ARGUMENT', 'in'],
  },
  {
    name: 'times out as a whole',
    lua: `Workflow.sequential({name = "w", timeout_ms = 20, steps = {{name = "slow", handler = function() sleep(5000) end}}}):execute()`,
    js: `Workflow.sequential({name: "w", timeout_ms: 20, steps: [{name: "slow", handler: () => { sleep(5000) }}]}).execute()`,
    expect_error: { code: 'TIMEOUT', message: 'workflow w: took longer than 20 ms' },
  },
  {
    name: 'joins so many, and goes on after failures that leave enough',
    lua: `local r = Workflow.parallel({name = "w", join = 2, steps = {{name = "bad", handler = function() error("no") end}, {name = "a", handler = function() return 1 end}, {name = "b", handler = function() return 2 end}, {name = "never", handler = function() sleep(5000) end}}}):execute() local status = {} for _, s in ipairs(r.steps) do status[s.name] = s.status end return {r.output, status, r.success}`,
    js: `const r = Workflow.parallel({name: "w", join: 2, steps: [{name: "bad", handler: () => { throw new Error("no") }}, {name: "a", handler: () => 1}, {name: "b", handler: () => 2}, {name: "never", handler: () => { sleep(5000) }}]}).execute(); const status = {}; for (const s of r.steps) status[s.name] = s.status; [r.output, status, r.success]`,
    expect: [{ a: 1, b: 2 }, { bad: 'failed', a: 'completed', b: 'completed', never: 'cancelled' }, false],
  },
  {
    name: 'lets the others finish without fail_fast',
    lua: `local done = false local ok, e = pcall(function() Workflow.parallel({name = "w", fail_fast = false, steps = {{name = "bad", handler = function() error("no") end}, {name = "good", handler = function() sleep(5) done = true return 1 end}}}):execute() end) return {done, e.details.step, e.details.steps[2].status, e.details.outputs.good}`,
    js: `let done = false, e; try { Workflow.parallel({name: "w", fail_fast: false, steps: [{name: "bad", handler: () => { throw new Error("no") }}, {name: "good", handler: () => { sleep(5); done = true; return 1 }}]}).execute() } catch (thrown) { e = thrown } [done, e.details.step, e.details.steps[1].status, e.details.outputs.good]`,
    expect: [true, 'bad', 'completed', 1],
  },
  {
    name: 'reports the items of a map that a failure cancelled',
    lua: `local ok, e = pcall(function() Workflow.map({name = "w", max_concurrency = 2, items = {1, 2, 3}, step = {name = "s", handler = function(ctx) if ctx.loop.value == 1 then error("no") end sleep(5000) end}}):execute() end) local r = {} for i, s in ipairs(e.details.steps) do r[i] = s.status end return r`,
    js: `let e; try { Workflow.map({name: "w", max_concurrency: 2, items: [1, 2, 3], step: {name: "s", handler: ctx => { if (ctx.loop.value === 1) throw new Error("no"); sleep(5000) }}}).execute() } catch (thrown) { e = thrown } e.details.steps.map(s => s.status)`,
    expect: ['failed', 'cancelled', 'cancelled'],
  },
  {
    name: 'runs each item of a map whatever becomes of others, if told to',
    lua: `local r = Workflow.map({name = "w", items = {1, 2, 3}, step = {name = "s", on_error = "continue", handler = function(ctx) if ctx.loop.index == 2 then error("no") end return ctx.loop.value * 10 end}}):execute() return {r.success, r.output[1], r.output[3], r.steps[2].status, r.steps[2].index}`,
    js: `const r = Workflow.map({name: "w", items: [1, 2, 3], step: {name: "s", on_error: "continue", handler: ctx => { if (ctx.loop.index === 1) throw new Error("no"); return ctx.loop.value * 10 }}}).execute(); [r.success, r.output[0], r.output[2], r.steps[1].status, r.steps[1].index + 1]`,
    expect: [false, 10, 30, 'failed', 2],
  },
  {
    name: 'finds conditions and lists that lead nowhere before anything runs',
    lua: `local function step() return {name = "s", handler = function() end} end local function first(w) local e = w:validate().errors[1] return e and e.message or "fine" end return {
first(Workflow.conditional({name = "a", branches = {{name = "x", condition = "$s.output", steps = {step()}}}})),
first(Workflow.loop({name = "b", iterator = {while_condition = "$s.output"}, body = {step()}})),
first(Workflow.loop({name = "c", iterator = {while_condition = true}, break_when = "$s.output", body = {step()}})),
first(Workflow.map({name = "d", items = "$other.output", step = step()})),
first(Workflow.sequential({name = "e", steps = {{name = "s", tool = "text", input = {operation = "trim", text = "$step2.output"}}, {handler = function() end}}})) == "fine",
first(Workflow.sequential({name = "f", steps = {{name = "s", when = "$s.output", handler = function() end}}}))}`,
    js: `const step = () => ({name: "s", handler: () => {}}); const first = w => w.validate().errors[0]?.message ?? "fine"; [
first(Workflow.conditional({name: "a", branches: [{name: "x", condition: "$s.output", steps: [step()]}]})),
first(Workflow.loop({name: "b", iterator: {while_condition: "$s.output"}, body: [step()]})),
first(Workflow.loop({name: "c", iterator: {while_condition: true}, break_when: "$s.output", body: [step()]})),
first(Workflow.map({name: "d", items: "$other.output", step: step()})),
first(Workflow.sequential({name: "e", steps: [{name: "s", tool: "text", input: {operation: "trim", text: "$step2.output"}}, {...step(), name: "t"}]})) === "fine",
first(Workflow.sequential({name: "f", steps: [{name: "s", when: "$s.output", handler: () => {}}]}))]`,
    expect: [
      'the reference $s.output is to a step that comes later',
      'the reference $s.output is to a step that comes later',
      'fine',
      'the reference $other.output leads nowhere: there is no step other before this one',
      false,
      'the reference $s.output is to a step that comes later',
    ],
  },
  {
    name: 'finds cycles through others, and unknown agents and workflows',
    lua: `Workflow.sequential({name = "a", steps = {{name = "s", workflow = "b"}}}) Workflow.sequential({name = "b", steps = {{name = "s", workflow = "a"}, {name = "t", agent = "nobody", prompt = "x"}, {name = "u", workflow = "none"}}}) local m = {} for i, e in ipairs(Workflow.get("a"):validate().errors) do m[i] = e.message end return m`,
    js: `Workflow.sequential({name: "a", steps: [{name: "s", workflow: "b"}]}); Workflow.sequential({name: "b", steps: [{name: "s", workflow: "a"}, {name: "t", agent: "nobody", prompt: "x"}, {name: "u", workflow: "none"}]}); Workflow.get("a").validate().errors.map(e => e.message)`,
    expect: [
      'in workflow b: step s: a cycle: a → b → a',
      'in workflow b: step t: there is no agent "nobody"',
      'in workflow b: step u: there is no workflow "none"',
    ],
  },
  {
    name: 'reads State in references',
    lua: `State.save("custom:town", "name", {short = "Rome"}) State.save("global", "n", 41) return Workflow.sequential({name = "w", steps = {{name = "a", tool = "calculator", input = {expression = "$state.global.n + 1"}}, {name = "b", tool = "text", input = {operation = "upper", text = '$state["custom:town"].name.short'}}, {name = "c", handler = function(ctx) return {ctx.a.result, ctx.b.text} end}}}):execute().output`,
    js: `State.save("custom:town", "name", {short: "Rome"}); State.save("global", "n", 41); Workflow.sequential({name: "w", steps: [{name: "a", tool: "calculator", input: {expression: "$state.global.n + 1"}}, {name: "b", tool: "text", input: {operation: "upper", text: '$state["custom:town"].name.short'}}, {name: "c", handler: ctx => [ctx.a.result, ctx.b.text]}]}).execute().output`,
    expect: [42, 'ROME'],
  },
  {
    name: 'names step and reference that lead nowhere at run time',
    lua: `Workflow.sequential({name = "w", steps = {{name = "look", tool = "text", input = {operation = "trim", text = "$input.deep.field"}}}}):execute({deep = {other = 1}})`,
    js: `Workflow.sequential({name: "w", steps: [{name: "look", tool: "text", input: {operation: "trim", text: "$input.deep.field"}}]}).execute({deep: {other: 1}})`,
    expect_error: { code: 'STEP_FAILED', message: 'workflow w: step look failed: the reference $input.deep.field leads nowhere' },
  },
  {
    name: 'asks agents by name with data, a schema and a context',
    lua: `Agent.create({name = "clerk", model = "local/extractive"}) return Workflow.sequential({name = "w", steps = {{name = "ask", agent = "clerk", prompt = "When does the $input.what leave?", options = {context = "$input.text", output_schema = {type = "object", properties = {quote = {type = "string"}}, required = {"quote"}}}}}}):execute({what = "ferry", text = "The ferry leaves at noon. The bus is late."}).output`,
    js: `Agent.create({name: "clerk", model: "local/extractive"}); Workflow.sequential({name: "w", steps: [{name: "ask", agent: "clerk", prompt: "When does the $input.what leave?", options: {context: "$input.text", output_schema: {type: "object", properties: {quote: {type: "string"}}, required: ["quote"]}}}]}).execute({what: "ferry", text: "The ferry leaves at noon. The bus is late."}).output`,
    expect: { quote: 'The ferry leaves at noon. The bus is late.' },
  },
  {
    name: 'takes tools, agents and workflows as handles or by name',
    lua: `local agent = Agent.create({name = "echo", model = "mock/script"}) Agent.wrap_as_tool(agent, {name = "ask_echo"}) return Workflow.sequential({name = "w", steps = {{name = "a", tool = Tool.get("text"), input = {operation = "upper", text = "x"}}, {name = "b", tool = "ask_echo", input = {prompt = "$a.output.text"}}}}):execute().output`,
    js: `const agent = Agent.create({name: "echo", model: "mock/script"}); Agent.wrap_as_tool(agent, {name: "ask_echo"}); Workflow.sequential({name: "w", steps: [{name: "a", tool: Tool.get("text"), input: {operation: "upper", text: "x"}}, {name: "b", tool: "ask_echo", input: {prompt: "$a.output.text"}}]}).execute().output`,
    config: { models: { mock: { responses: ['heard'] } } },
    expect: 'heard',
  },
  {
    name: 'goes on by itself until the run ends',
    lua: `local w = Workflow.sequential({name = "w", steps = {{name = "s", handler = function(ctx) sleep(5) return ctx.input * 2 end}}}) local going = w:execute_async(21) local r = going:wait() w:execute_async(1) return {r.output, going:status(), going:cancel(), going.workflow}`,
    js: `const w = Workflow.sequential({name: "w", steps: [{name: "s", handler: ctx => { sleep(5); return ctx.input * 2 }}]}); const going = w.execute_async(21); const r = going.wait(); w.execute_async(1); [r.output, going.status(), going.cancel(), going.workflow]`,
    expect: [42, 'completed', false, 'w'],
  },
  {
    name: 'raises from wait what the workflow raised',
    lua: `local going = Workflow.sequential({name = "w", steps = {{name = "s", handler = function() error("bad") end}}}):execute_async() local ok, e = pcall(function() going:wait() end) return {ok, e.code, going:status()}`,
    js: `const going = Workflow.sequential({name: "w", steps: [{name: "s", handler: () => { throw new Error("bad") }}]}).execute_async(); let e; try { going.wait() } catch (thrown) { e = thrown } [e === undefined, e.code, going.status()]`,
    expect: [false, 'STEP_FAILED', 'failed'],
  },
  {
    name: 'tells of failures with code and message',
    lua: `local seen = {} Event.subscribe("workflow.**", function(e) if e.payload.code then seen[#seen + 1] = {e.event_type, e.payload.code} end end) Event.subscribe("workflow.error", function(e) seen[#seen + 1] = {e.event_type, e.payload.name} end) pcall(function() Workflow.sequential({name = "w", steps = {{name = "a", tool = "calculator", input = {expression = "1/0"}}}}):execute() end) return seen`,
    js: `const seen = []; Event.subscribe("workflow.**", e => { if (e.payload.code) seen.push([e.event_type, e.payload.code]) }); Event.subscribe("workflow.error", e => { seen.push([e.event_type, e.payload.name]) }); try { Workflow.sequential({name: "w", steps: [{name: "a", tool: "calculator", input: {expression: "1/0"}}]}).execute() } catch {} seen`,
    expect: [
      ['workflow.w.step.a.failed', 'BAD_ARGUMENT'],
      ['workflow.w.failed', 'STEP_FAILED'],
      ['workflow.error', 'STEP_FAILED'],
      ['workflow.error', 'w'],
    ],
  },
  {
    name: 'calls on() for its own events only',
    lua: `local seen = {} local function make(n) return Workflow.sequential({name = n, steps = {{name = "s", handler = function() end}}}) end local a, b = make("a"), make("b") for _, event in ipairs({"started", "step", "completed"}) do a:on(event, function(e) seen[#seen + 1] = e.event_type end) end b:execute() a:execute() return seen`,
    js: `const seen = []; const make = n => Workflow.sequential({name: n, steps: [{name: "s", handler: () => {}}]}); const a = make("a"), b = make("b"); for (const event of ["started", "step", "completed"]) a.on(event, e => { seen.push(e.event_type) }); b.execute(); a.execute(); seen`,
    expect: ['workflow.a.started', 'workflow.a.step.s.started', 'workflow.a.step.s.completed', 'workflow.a.completed'],
  },
  {
    name: 'sees truth as the language does',
    lua: `local function taken(v) return Workflow.sequential({name = "w" .. tostring(v):gsub("%W", "_"), steps = {{name = "s", when = function() return v end, handler = function() end}}}):execute().steps[1].status end return {taken(0), taken(""), taken(false)}`,
    js: `const taken = v => Workflow.sequential({name: "w" + String(v).replace(/\\W/g, "_"), steps: [{name: "s", when: () => v, handler: () => {}}]}).execute().steps[0].status; [taken(1), taken("x"), taken(0)]`,
    expect: ['completed', 'completed', 'skipped'],
  },
  {
    name: 'draws branches by their names, and steps of the same name apart',
    lua: `return Workflow.parallel({name = "w", branches = {{name = "x", steps = {{name = "s", tool = "text", input = {}}}}, {name = "y", steps = {{name = "s", tool = "hash", input = {}}}}}}):diagram()`,
    js: `Workflow.parallel({name: "w", branches: [{name: "x", steps: [{name: "s", tool: "text", input: {}}]}, {name: "y", steps: [{name: "s", tool: "hash", input: {}}]}]}).diagram()`,
    expect:
      'flowchart TD\n  start(["start"])\n  stop(["end"])\n  b1_s_s["s (tool text)"]\n  start -->|"x"| b1_s_s\n  b1_s_s --> stop\n  b2_s_s["s (tool hash)"]\n  start -->|"y"| b2_s_s\n  b2_s_s --> stop',
  },
  {
    name: 'says what it is',
    lua: `local w = Workflow.map({name = "w", description = "d", items = {1}, step = {name = "s", tool = "text", input = {}}}) local d = w:describe() return {d.kind, d.description, d.parts[1].label, d.parts[1].steps[1], Workflow.types(), Workflow.list()[1].kind, w.kind, Workflow.get("none") == nil}`,
    js: `const w = Workflow.map({name: "w", description: "d", items: [1], step: {name: "s", tool: "text", input: {}}}); const d = w.describe(); [d.kind, d.description, d.parts[0].label, d.parts[0].steps[0], Workflow.types(), Workflow.list()[0].kind, w.kind, Workflow.get("none") === null]`,
    expect: [
      'map',
      'd',
      'step',
      { name: 's', action: 'tool', tool: 'text', input: {} },
      ['sequential', 'parallel', 'conditional', 'loop', 'map'],
      'map',
      'map',
      true,
    ],
  },
  {
    name: 'says what its steps run and how',
    lua: `local a = Agent.create({name = "a", model = "mock/script"}) Workflow.map({name = "m", items = {}, step = {tool = Tool.get("text"), input = {}}}) local w = Workflow.sequential({name = "w", steps = {{name = "t", tool = "text", input = {text = "$input"}, when = "$input", retries = 2, on_error = function() end}, {agent = a, prompt = "?", on_error = "continue"}, {workflow = "m", timeout_ms = 5}, {handler = function() end, when = function() end}}}) return w:describe().parts[1].steps`,
    js: `const a = Agent.create({name: "a", model: "mock/script"}); Workflow.map({name: "m", items: [], step: {tool: Tool.get("text"), input: {}}}); const w = Workflow.sequential({name: "w", steps: [{name: "t", tool: "text", input: {text: "$input"}, when: "$input", retries: 2, on_error: () => {}}, {agent: a, prompt: "?", on_error: "continue"}, {workflow: "m", timeout_ms: 5}, {handler: () => {}, when: () => {}}]}); w.describe().parts[0].steps`,
    expect: [
      { name: 't', action: 'tool', tool: 'text', input: { text: '$input' }, when: '$input', retries: 2 },
      { name: 'step2', action: 'agent', agent: 'a', prompt: '?', on_error: 'continue' },
      { name: 'step3', action: 'workflow', workflow: 'm', timeout_ms: 5 },
      { name: 'step4', action: 'handler' },
    ],
  },
  {
    name: 'gives the turn of each step of a loop in its record, events and hooks',
    lua: `local seen = {} Hook.register("workflow:before_step", function(ctx) seen[#seen + 1] = ctx.index end) Event.subscribe("workflow.w.step.s.failed", function(e) seen[#seen + 1] = e.payload.index end) local ok, e = pcall(function() Workflow.loop({name = "w", iterator = {range = {start = 5, stop = 9}}, body = {name = "s", handler = function(ctx) if ctx.loop.index == 2 then error("no") end return 0 end}}):execute() end) for i, s in ipairs(e.details.steps) do seen[#seen + 1] = s.status .. " " .. s.index end return seen`,
    js: `const seen = []; Hook.register("workflow:before_step", ctx => { seen.push(ctx.index + 1) }); Event.subscribe("workflow.w.step.s.failed", e => { seen.push(e.payload.index + 1) }); try { Workflow.loop({name: "w", iterator: {range: {start: 5, stop: 9}}, body: {name: "s", handler: ctx => { if (ctx.loop.index === 1) throw new Error("no"); return 0 }}}).execute() } catch (e) { for (const s of e.details.steps) seen.push(s.status + " " + (s.index + 1)) } seen`,
    expect: [1, 2, 2, 'completed 1', 'failed 2'],
  },
  {
    name: 'that runs itself says the outermost step and the cause',
    lua: `local m = {} local a, b a = Workflow.sequential({name = "a", steps = {{name = "s", handler = function() return (b or a):execute().output end}}}) m[1] = select(2, pcall(function() a:execute() end)).message b = Workflow.sequential({name = "b", steps = {{name = "t", handler = function() return a:execute().output end}}}) m[2] = select(2, pcall(function() a:execute() end)).message return m`,
    js: `const m = []; let b; const a = Workflow.sequential({name: "a", steps: [{name: "s", handler: () => (b ?? a).execute().output}]}); try { a.execute() } catch (e) { m.push(e.message) } b = Workflow.sequential({name: "b", steps: [{name: "t", handler: () => a.execute().output}]}); try { a.execute() } catch (e) { m.push(e.message) } m`,
    expect: [
      expect.stringMatching(
        /^workflow a: step s failed: main[.\w]*:1: Workflow:execute: agents, tools and workflows nest more than 16 deep \(at workflow a\)$/,
      ),
      expect.stringMatching(
        /^workflow a: step s failed: main[.\w]*:1: workflow b: step t failed: main[.\w]*:1: Workflow:execute: agents, .* \(at workflow a\)$/,
      ),
    ],
  },
  {
    name: 'gives handlers every output however many steps there were',
    lua: `local kept, seen = {}, {} local steps = {} for i = 1, 40 do steps[i] = {name = "s" .. i, handler = function(ctx) kept[i] = ctx return {n = i} end} end
steps[41] = {name = "count", handler = function(ctx) local n = 0 for k, v in pairs(ctx) do n = n + 1 end return n end}
steps[42] = {name = "old", handler = function(ctx) return {ctx.s1.n, ctx.s40.n, ctx.none == nil, ctx.steps.s2.status, ctx.steps.s2.output.n, ctx.input} end}
steps[43] = {name = "whole", handler = function(ctx) State.save("global", "ctx", ctx) return ctx end}
steps[44] = {name = "own", handler = function(ctx) ctx.s1 = "mine" ctx.extra = 1 ctx.s40.n = 0 return {ctx.s1, ctx.extra, ctx.s2.n} end}
steps[45] = {name = "text", handler = function(ctx) return JSON.stringify(ctx):match('"s1":{"n":1}') end}
local out = Workflow.sequential({name = "w", steps = steps}):execute("in").outputs
return {out.count, out.old, out.whole.s1.n, out.whole.steps.s40.status, out.whole.count, State.load("global", "ctx").s3.n, out.own, out.text, kept[30].s29.n, kept[30].s1.n, kept[30].s31 == nil, out.s40.n}`,
    js: `const kept = {}; const steps = []; for (let i = 1; i <= 40; i++) steps.push({name: "s" + i, handler: ctx => { kept[i] = ctx; return {n: i} }})
steps.push({name: "count", handler: ctx => Object.keys(ctx).length})
steps.push({name: "old", handler: ctx => [ctx.s1.n, ctx.s40.n, ctx.none === undefined, ctx.steps.s2.status, ctx.steps.s2.output.n, ctx.input]})
steps.push({name: "whole", handler: ctx => { State.save("global", "ctx", ctx); return ctx }})
steps.push({name: "own", handler: ctx => { ctx.s1 = "mine"; ctx.extra = 1; ctx.s40.n = 0; const {s2} = ctx; return [ctx.s1, ctx.extra, s2.n] }})
steps.push({name: "text", handler: ctx => JSON.stringify({...ctx}).match(/"s1":{"n":1}/)[0]})
const out = Workflow.sequential({name: "w", steps}).execute("in").outputs;
[out.count, out.old, out.whole.s1.n, out.whole.steps.s40.status, out.whole.count, State.load("global", "ctx").s3.n, out.own, out.text, kept[30].s29.n, kept[30].s1.n, kept[30].s31 === undefined, out.s40.n]`,
    expect: [43, [1, 40, true, 'completed', 2, 'in'], 1, 'completed', 43, 3, ['mine', 1, 2], '"s1":{"n":1}', 29, 1, true, 40],
  },
  {
    name: 'prints the whole ctx of many steps',
    lua: `local steps = {} for i = 1, 20 do steps[i] = {name = "s" .. i, handler = function() return i end} end steps[21] = {name = "last", handler = function(ctx) ctx.steps = nil print(ctx) print("s1" .. (ctx.s1 or "")) end} Workflow.sequential({name = "w", steps = steps}):execute() return true`,
    js: `const steps = []; for (let i = 1; i <= 20; i++) steps.push({name: "s" + i, handler: () => i}); steps.push({name: "last", handler: ctx => { delete ctx.steps; print(ctx); print("s1" + ("s1" in ctx ? ctx.s1 : "")) }}); Workflow.sequential({name: "w", steps}).execute(); true`,
    expect: true,
    output: { asymmetricMatch: (lines: readonly string[]) => /s1[:= ]+1\b/.test(lines[0] ?? '') && lines[1] === 's11' } as never,
  },
  ...refusals(),
];

/** What is wrong with a workflow, in each kind, told in one sentence that names the step. */
function refusals(): Case[] {
  const of = (name: string, lua: string, js: string, message: string | RegExp): Case => ({
    name: `refuses ${name}`,
    lua,
    js,
    expect_error: { code: 'BAD_ARGUMENT', message },
  });
  const h = { lua: 'handler = function() end', js: 'handler: () => {}' };
  return [
    of(
      'a step that does nothing',
      'Workflow.sequential({name = "w", steps = {{name = "a"}}})',
      'Workflow.sequential({name: "w", steps: [{name: "a"}]})',
      'Workflow.sequential: step "a": expected one of tool, agent, workflow and handler, got none',
    ),
    of(
      'a reserved name',
      `Workflow.loop({name = "w", iterator = {range = {start = 1, stop = 2}}, body = {{name = "loop", ${h.lua}}}})`,
      `Workflow.loop({name: "w", iterator: {range: {start: 1, stop: 2}}, body: [{name: "loop", ${h.js}}]})`,
      'Workflow.loop: body: step "loop": name: loop is reserved',
    ),
    of(
      'two steps of one name',
      `Workflow.conditional({name = "w", branches = {{name = "x", condition = true, steps = {{name = "a", ${h.lua}}, {name = "a", ${h.lua}}}}}})`,
      `Workflow.conditional({name: "w", branches: [{name: "x", condition: true, steps: [{name: "a", ${h.js}}, {name: "a", ${h.js}}]}]})`,
      'Workflow.conditional: branch "x": step "a": name: there is a step of this name already',
    ),
    of(
      'two branches of one name',
      `Workflow.parallel({name = "w", branches = {{name = "x", steps = {{${h.lua}}}}}, steps = {{name = "x", ${h.lua}}}})`,
      `Workflow.parallel({name: "w", branches: [{name: "x", steps: [{${h.js}}]}], steps: [{name: "x", ${h.js}}]})`,
      'Workflow.parallel: branch "x": name: there is a branch of this name already',
    ),
    of('no branches', 'Workflow.parallel({name = "w"})', 'Workflow.parallel({name: "w"})', 'Workflow.parallel: expected branches or steps'),
    of(
      'more to join than there are',
      `Workflow.parallel({name = "w", join = 3, steps = {{${h.lua}}}})`,
      `Workflow.parallel({name: "w", join: 3, steps: [{${h.js}}]})`,
      'Workflow.parallel: join: expected at most the number of branches (1), got 3',
    ),
    of(
      'a range that never ends',
      `Workflow.loop({name = "w", iterator = {range = {start = 1, stop = 2, step = 0}}, body = {{${h.lua}}}})`,
      `Workflow.loop({name: "w", iterator: {range: {start: 1, stop: 2, step: 0}}, body: [{${h.js}}]})`,
      'Workflow.loop: iterator.range.step: expected a number other than 0',
    ),
    of(
      'items that are no list',
      `Workflow.map({name = "w", items = "$input", step = {${h.lua}}}):execute("text")`,
      `Workflow.map({name: "w", items: "$input", step: {${h.js}}}).execute("text")`,
      'workflow w: items: expected a list, got a string',
    ),
    of(
      'a loop over nothing',
      `Workflow.loop({name = "w", iterator = {}, body = {{${h.lua}}}})`,
      `Workflow.loop({name: "w", iterator: {}, body: [{${h.js}}]})`,
      'Workflow.loop: iterator: expected one of range, collection, while_condition, got none',
    ),
    of(
      'a loop over two things',
      `Workflow.loop({name = "w", iterator = {range = {start = 1, stop = 2}, collection = {1}}, body = {{${h.lua}}}})`,
      `Workflow.loop({name: "w", iterator: {range: {start: 1, stop: 2}, collection: [1]}, body: [{${h.js}}]})`,
      'Workflow.loop: iterator: expected one of range, collection, while_condition, got range and collection',
    ),
    of(
      'options that an action does not have',
      `Workflow.sequential({name = "w", steps = {{name = "a", ${h.lua}, options = {temperature = 1}}}})`,
      `Workflow.sequential({name: "w", steps: [{name: "a", ${h.js}, options: {temperature: 1}}]})`,
      'Workflow.sequential: step "a": options: only an agent step has them',
    ),
    of(
      'an unknown option of an agent',
      `Workflow.sequential({name = "w", steps = {{name = "a", agent = "x", prompt = "y", options = {temprature = 1}}}})`,
      `Workflow.sequential({name: "w", steps: [{name: "a", agent: "x", prompt: "y", options: {temprature: 1}}]})`,
      /steps\[\d\]\.options: unknown option "temprature"; did you mean "temperature"\?$/,
    ),
    of(
      'a name with a dot',
      `Workflow.sequential({name = "a.b", steps = {{${h.lua}}}})`,
      `Workflow.sequential({name: "a.b", steps: [{${h.js}}]})`,
      'Workflow.sequential: name: expected 1 to 64 of A-Z a-z 0-9 _ -, got "a.b"',
    ),
    {
      name: 'a time limit of the whole ends functions that compute, caught or not',
      lua: `local m = {} for i, f in ipairs({function() while true do end end, function() while true do pcall(function() while true do end end) end end}) do local ok, e = pcall(function() Workflow.sequential({name = "w" .. i, timeout_ms = 50, steps = {{name = "a", handler = f}}}):execute() end) m[i] = e.code .. " " .. e.message end return m`,
      js: `[() => { for (;;); }, () => { for (;;) try { for (;;); } catch {} }].map((handler, i) => { try { Workflow.sequential({name: "w" + (i + 1), timeout_ms: 50, steps: [{name: "a", handler}]}).execute() } catch (e) { return e.code + " " + e.message } })`,
      expect: ['TIMEOUT workflow w1: took longer than 50 ms', 'TIMEOUT workflow w2: took longer than 50 ms'],
    },
  ];
}

import { expect } from 'vitest';
import type { Case } from '../conformance/case.ts';

const mock = (...responses: string[]) => ({ models: { mock: { responses } } });

/** Agents. */
export const cases: readonly Case[] = [
  {
    name: 'refuses more tools than an agent may have',
    lua: `local names, agent = {}, Agent.create({name = "a", model = "local/extractive"}) for i = 1, 129 do names[i] = {name = "t" .. i, description = "d", handler = function() end} if i < 129 then agent:add_tool(names[i]) end end
agent:add_tool(names[1])
local function failure(fn) local ok, e = pcall(fn) return e.message end
return {failure(function() Agent.create({model = "local/extractive", tools = names}) end), failure(function() agent:add_tool(names[129]) end), #agent:list_tools()}`,
    js: `const names = Array.from({length: 129}, (_, i) => ({name: "t" + i, description: "d", handler: () => 1})), agent = Agent.create({name: "a", model: "local/extractive"}); for (const tool of names.slice(0, 128)) agent.add_tool(tool);
agent.add_tool(names[0]);
const failure = fn => { try { fn() } catch (e) { return e.message } };
[failure(() => Agent.create({model: "local/extractive", tools: names})), failure(() => agent.add_tool(names[128])), agent.list_tools().length]`,
    expect: ['Agent.create: tools: expected at most 128, got 129', 'Agent:add_tool: tools: expected at most 128, got 129', 128],
  },
  {
    name: 'answer with usage and the rest',
    lua: `local r = Agent.create({model = "mock/script"}):execute("hi") return {r.output, r.model, r.finish_reason, r.steps, #r.tool_calls, r.usage.total_tokens == r.usage.input_tokens + r.usage.output_tokens}`,
    js: `const r = Agent.create({model: "mock/script"}).execute("hi"); [r.output, r.model, r.finish_reason, r.steps, r.tool_calls.length, r.usage.total_tokens === r.usage.input_tokens + r.usage.output_tokens]`,
    config: mock('hello'),
    expect: ['hello', 'mock/script', 'stop', 1, 0, true],
  },
  {
    name: 'keep a history',
    lua: `local a = Agent.create({model = "mock/script"}) a:execute("one") a:execute("two") local roles = {} for i, m in ipairs(a:get_history()) do roles[i] = m.role .. ":" .. m.content end a:clear_history() return {roles, #a:get_history()}`,
    js: `const a = Agent.create({model: "mock/script"}); a.execute("one"); a.execute("two"); const roles = a.get_history().map(m => m.role + ":" + m.content); a.clear_history(); [roles, a.get_history().length]`,
    config: mock('1', '2'),
    expect: [['user:one', 'assistant:1', 'user:two', 'assistant:2'], 0],
  },
  {
    name: 'keep their conversation in State',
    lua: `local a = Agent.create({name = "k", model = "mock/script"}) a:execute("one") a:save_state() a:clear_history() return {a:load_state(), #a:get_history()}`,
    js: `const a = Agent.create({name: "k", model: "mock/script"}); a.execute("one"); a.save_state(); a.clear_history(); [a.load_state(), a.get_history().length]`,
    config: mock('1'),
    expect: [true, 2],
  },
  {
    name: 'answer with data',
    lua: `return Agent.execute({model = "mock/script", prompt = "x", output_schema = {type = "object", properties = {n = {type = "integer"}}, required = {"n"}}}).output.n`,
    js: `Agent.execute({model: "mock/script", prompt: "x", output_schema: {type: "object", properties: {n: {type: "integer"}}, required: ["n"]}}).output.n`,
    config: mock('Sure:\n```json\n{"n": 7,}\n```'),
    expect: 7,
  },
  {
    name: 'read a long answer, and none that is too long',
    lua: `local function answer(n, more) local id = Hook.register("agent:after_model_call", function(ctx) ctx.output.content = "[" .. ("1.5,"):rep(n) .. "2]" .. more return {output = ctx.output} end) local ok, r = pcall(Agent.execute, {model = "mock/script", prompt = "x", output_schema = {type = "array", items = {type = "number"}}}) Hook.unregister(id) return ok and {#r.output, r.output[1]} or r.message:match("asked twice: (.*)") end return {answer(10000, ""), answer(10000, " thanks"), answer(10000, "]"), answer(300000, "")}`,
    js: `const answer = (n, more) => { const id = Hook.register("agent:after_model_call", ctx => ({output: {...ctx.output, content: "[" + "1.5,".repeat(n) + "2]" + more}})); try { const r = Agent.execute({model: "mock/script", prompt: "x", output_schema: {type: "array", items: {type: "number"}}}); return [r.output.length, r.output[0]] } catch (e) { return e.message.match(/asked twice: (.*)/)?.[1] ?? e.message } finally { Hook.unregister(id) } }; [answer(10000, ""), answer(10000, " thanks"), answer(10000, "]"), answer(300000, "")]`,
    config: mock('x', 'x', 'x', 'x', 'x', 'x'),
    expect: [[10_001, 1.5], [10_001, 1.5], 'it is no JSON', 'it has more than 1000000 characters'],
  },
  {
    name: 'are asked once more when the data does not fit',
    lua: `local r = Agent.execute({model = "mock/script", prompt = "x", output_schema = {type = "object", properties = {n = {type = "integer"}}, required = {"n"}}}) return {r.output.n, r.steps}`,
    js: `const r = Agent.execute({model: "mock/script", prompt: "x", output_schema: {type: "object", properties: {n: {type: "integer"}}, required: ["n"]}}); [r.output.n, r.steps]`,
    config: mock('{"n": "seven"}', '{"n": 7}'),
    expect: [7, 2],
  },
  {
    name: 'and then give up with a clear error',
    lua: `Agent.execute({model = "mock/script", prompt = "x", output_schema = {type = "object"}})`,
    js: `Agent.execute({model: "mock/script", prompt: "x", output_schema: {type: "object"}})`,
    config: mock('no', 'still no'),
    expect_error: { code: 'MODEL_FAILED', message: 'mock/script: the answer does not fit output_schema, asked twice: it is no JSON' },
  },
  {
    name: 'stream',
    lua: `local pieces = {} local r = Agent.create({model = "mock/script"}):stream("x", function(text) pieces[#pieces + 1] = text end) return {pieces, r.output}`,
    js: `const pieces = []; const r = Agent.create({model: "mock/script"}).stream("x", text => { pieces.push(text) }); [pieces, r.output]`,
    config: mock('one two three'),
    expect: [['one ', 'two ', 'three'], 'one two three'],
  },
  {
    name: 'stop streaming when the function fails',
    lua: `local ok, e = pcall(function() Agent.create({model = "mock/script"}):stream("x", function(text) error("enough") end) end) return {ok, tostring(e):match("enough$")}`,
    js: `let m; try { Agent.create({model: "mock/script"}).stream("x", () => { throw new Error("enough") }) } catch (e) { m = e.message } [false, m]`,
    config: mock('one two'),
    expect: [false, 'enough'],
  },
  {
    name: 'respect a budget of tokens before they ask',
    lua: `Agent.create({model = "mock/script", budget = {max_tokens_total = 10}}):execute("x")`,
    js: `Agent.create({model: "mock/script", budget: {max_tokens_total: 10}}).execute("x")`,
    config: mock('a'),
    expect_error: { code: 'LIMIT_EXCEEDED', message: /^agent_1: budget\.max_tokens_total = 10: 0 are used and the next call needs about \d+$/ },
  },
  {
    name: 'refuse a budget of money where no price is known',
    lua: `Agent.create({model = "mock/script", budget = {max_cost_usd = 1}}):execute("x")`,
    js: `Agent.create({model: "mock/script", budget: {max_cost_usd: 1}}).execute("x")`,
    config: mock('a'),
    expect_error: { code: 'BAD_CONFIG', message: /no price is known for mock\/script/ },
  },
  {
    name: 'tell what they cost',
    lua: `return Agent.execute({model = "mock/script", prompt = "x"}).cost_usd > 0`,
    js: `Agent.execute({model: "mock/script", prompt: "x"}).cost_usd > 0`,
    config: { models: { mock: { responses: ['a b c'] }, prices: { 'mock/script': { input: 1, output: 2 } } } },
    expect: true,
  },
  {
    name: 'stop at the limit of model calls',
    lua: `local a = Agent.create({model = "mock/script"}) a:execute("1") a:execute("2") a:execute("3")`,
    js: `const a = Agent.create({model: "mock/script"}); a.execute("1"); a.execute("2"); a.execute("3")`,
    config: mock('1', '2', '3'),
    limits: { model_calls: 2 },
    expect_error: { code: 'LIMIT_EXCEEDED', message: 'agent_1: more than limits.model_calls = 2 calls of models in one run' },
  },
  {
    name: 'vote',
    lua: `local function a(n) return Agent.create({name = n, model = "mock/script"}) end return Agent.create_composite({agents = {a("x"), a("y"), a("z")}, strategy = "vote"}):execute("?").output`,
    js: `const a = n => Agent.create({name: n, model: "mock/script"}); Agent.create_composite({agents: [a("x"), a("y"), a("z")], strategy: "vote"}).execute("?").output`,
    config: mock('Blue', 'red', ' red '),
    expect: 'red',
  },
  {
    name: 'work in a row',
    lua: `local function a(n) return Agent.create({name = n, model = "mock/script"}) end local team = Agent.create_composite({name = "team", agents = {a("x"), a("y")}, strategy = "sequential"}) local r = team:execute("?") return {r.output, r.steps, Agent.get("y"):get_history()[1].content, Agent.get_hierarchy("team").members[2].name}`,
    js: `const a = n => Agent.create({name: n, model: "mock/script"}); const team = Agent.create_composite({name: "team", agents: [a("x"), a("y")], strategy: "sequential"}); const r = team.execute("?"); [r.output, r.steps, Agent.get("y").get_history()[0].content, Agent.get_hierarchy("team").members[1].name]`,
    config: mock('first', 'second'),
    expect: ['second', 2, 'first', 'y'],
  },
  {
    name: 'are routed by a function',
    lua: `local function a(n) return Agent.create({name = n, model = "mock/script"}) end return Agent.create_composite({agents = {a("poet"), a("clerk")}, strategy = "route", router = function(prompt, names) return names[2] end}):execute("?").output == Agent.get("clerk"):get_history()[2].content`,
    js: `const a = n => Agent.create({name: n, model: "mock/script"}); Agent.create_composite({agents: [a("poet"), a("clerk")], strategy: "route", router: (prompt, names) => names[1]}).execute("?").output === Agent.get("clerk").get_history()[1].content`,
    config: mock('only one answer'),
    expect: true,
  },
  {
    name: 'share contexts',
    lua: `local id = Agent.create_context({data = {town = "Rome"}}) local child = Agent.create_child_context(id, {data = {year = 2026}}) Agent.update_context(id, {town = "Oslo"}) local a = Agent.create({model = "mock/script"}) a:execute({prompt = "?", context = child}) return {a:get_history()[1].context, Agent.get_context_data(child)}`,
    js: `const id = Agent.create_context({data: {town: "Rome"}}); const child = Agent.create_child_context(id, {data: {year: 2026}}); Agent.update_context(id, {town: "Oslo"}); const a = Agent.create({model: "mock/script"}); a.execute({prompt: "?", context: child}); [a.get_history()[0].context, Agent.get_context_data(child)]`,
    config: mock('x'),
    expect: ['town: Oslo\nyear: 2026', { town: 'Oslo', year: 2026 }],
  },
  {
    name: 'fire their hooks and events',
    lua: `local seen = {} Hook.register("agent:*", function(ctx) seen[#seen + 1] = ctx.point end) Event.subscribe("agent.**", function(e) seen[#seen + 1] = e.event_type end) Agent.create({name = "a", model = "mock/script"}):execute("x") return seen`,
    js: `const seen = []; Hook.register("agent:*", ctx => { seen.push(ctx.point) }); Event.subscribe("agent.**", e => { seen.push(e.event_type) }); Agent.create({name: "a", model: "mock/script"}).execute("x"); seen`,
    config: mock('x'),
    expect: [
      'agent:before_creation',
      'agent:after_creation',
      'agent.a.started',
      'agent:before_execution',
      'agent:before_model_call',
      'agent:after_model_call',
      'agent:after_execution',
      'agent.a.completed',
    ],
  },
  {
    name: 'name the variable that is missing',
    lua: `Agent.create({model = "groq/llama"}):execute("x")`,
    js: `Agent.create({model: "groq/llama"}).execute("x")`,
    grants: { models: ['*'] },
    expect_error: { code: 'BAD_CONFIG', message: 'groq/llama: no key; set the environment variable GROQ_API_KEY' },
  },
  {
    name: 'name the grant that is missing',
    lua: `Agent.create({model = "openai/gpt-4"})`,
    js: `Agent.create({model: "openai/gpt-4"})`,
    expect_error: { code: 'NOT_ALLOWED', message: /the model openai\/gpt-4 was not granted to this run/ },
  },
  {
    name: 'say what a model name looks like',
    lua: `Agent.create({model = "gpt-4"})`,
    js: `Agent.create({model: "gpt-4"})`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Agent.create: model: expected provider/model such as openai/gpt-4 or local/extractive, got "gpt-4"' },
  },
  {
    name: 'have names of their own',
    lua: `Agent.create({name = "a", model = "local/extractive"}) Agent.create({name = "a", model = "local/extractive"})`,
    js: `Agent.create({name: "a", model: "local/extractive"}); Agent.create({name: "a", model: "local/extractive"})`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Agent.create: name: there is an agent a already' },
  },
  {
    name: 'are kept as templates for the tenant',
    lua: `Agent.register({name = "clerk", model = "local/extractive", description = "keeps books"}) local a = Agent.create_from_template("clerk", {name = "bob"}) local names = {} for _, t in ipairs(Agent.list_templates()) do names[t.name] = true end return {a.description, names.clerk, names.researcher}`,
    js: `Agent.register({name: "clerk", model: "local/extractive", description: "keeps books"}); const a = Agent.create_from_template("clerk", {name: "bob"}); const names = Agent.list_templates().map(t => t.name); [a.description, names.includes("clerk"), names.includes("researcher")]`,
    expect: ['keeps books', true, true],
  },
  {
    name: 'refuse two tools of one name, bad names and schemas that are none, before a model is asked',
    lua: `local function try(f) local ok, e = pcall(f) return e.code .. " " .. e.message end local h = function() end return {
try(function() Agent.create({model = "mock/script", tools = {"text", "text"}}) end),
try(function() Agent.create({model = "mock/script", tools = {{name = "My Tool", description = "x", handler = h}}}) end),
try(function() Agent.create({model = "mock/script", tools = {"text", {name = "t", description = "x", parameters = {type = "objct"}, handler = h}}}) end),
try(function() Agent.create({model = "mock/script", output_schema = {type = "nonsense"}}) end):match('^[^"]*'),
try(function() Agent.create({model = "mock/script"}):execute("") end),
try(function() Agent.create({model = "mock/script", tools = {"calculater"}}) end)}`,
    js: `const attempt = f => { try { f() } catch (e) { return e.code + " " + e.message } }, h = () => {}; [
attempt(() => Agent.create({model: "mock/script", tools: ["text", "text"]})),
attempt(() => Agent.create({model: "mock/script", tools: [{name: "My Tool", description: "x", handler: h}]})),
attempt(() => Agent.create({model: "mock/script", tools: ["text", {name: "t", description: "x", parameters: {type: "objct"}, handler: h}]})),
attempt(() => Agent.create({model: "mock/script", output_schema: {type: "nonsense"}})).match(/^[^"]*/)[0],
attempt(() => Agent.create({model: "mock/script"}).execute("")),
attempt(() => Agent.create({model: "mock/script", tools: ["calculater"]}))]`,
    expect: [
      'BAD_ARGUMENT Agent.create: tools: there are two of the name text',
      expect.stringMatching(/^BAD_ARGUMENT Agent\.create: tools\[[01]\]\.name: expected snake_case \(a-z, 0-9, _; up to 64\), got "My Tool"$/),
      expect.stringMatching(/^BAD_ARGUMENT Agent\.create: tools\[[12]\]\.parameters\.type: expected "object", got "objct"$/),
      'BAD_ARGUMENT Agent.create: output_schema.type: expected ',
      'BAD_ARGUMENT Agent:execute: prompt: expected some text',
      'NOT_FOUND Agent.create: tools: there is no tool "calculater"; the nearest is calculator (Tool.list() names all)',
    ],
  },
  {
    name: 'stream through composites: the one that answers last, or all in one piece',
    lua: `local function a(n) return Agent.create({name = n, model = "mock/script"}) end local function pieces(strategy, agents) local p = {} Agent.create_composite({agents = agents, strategy = strategy}):stream("?", function(text) p[#p + 1] = text end) return p end return {pieces("sequential", {a("s1"), a("s2")}), pieces("route", {a("r1")}), pieces("vote", {a("v1"), a("v2")})}`,
    js: `const a = n => Agent.create({name: n, model: "mock/script"}); const pieces = (strategy, agents) => { const p = []; Agent.create_composite({agents, strategy}).stream("?", text => { p.push(text) }); return p }; [pieces("sequential", [a("s1"), a("s2")]), pieces("route", [a("r1")]), pieces("vote", [a("v1"), a("v2")])]`,
    config: mock('not seen', 'one two', 'three four', 'same thing', 'same thing'),
    expect: [['one ', 'two'], ['three ', 'four'], ['same thing']],
  },
  {
    name: 'answer side by side, each with its name',
    lua: `local function a(n) return Agent.create({name = n, model = "mock/script"}) end local r = Agent.create_composite({agents = {a("x"), a("y")}, strategy = "parallel"}):execute("?") return {r.output[1].agent, r.output[2].agent, r.steps, r.usage.total_tokens > 0}`,
    js: `const a = n => Agent.create({name: n, model: "mock/script"}); const r = Agent.create_composite({agents: [a("x"), a("y")], strategy: "parallel"}).execute("?"); [r.output[0].agent, r.output[1].agent, r.steps, r.usage.total_tokens > 0]`,
    config: mock('1', '2'),
    expect: ['x', 'y', 2, true],
  },
  {
    name: 'are routed by the best description, or by an agent whose work counts',
    lua: `local function a(n, d) return Agent.create({name = n, model = "mock/script", description = d}) end local agents = {a("billing", "invoices and payments"), a("technical", "errors and crashes")} local best = Agent.create_composite({agents = agents, strategy = "route"}) best:execute("my invoices are wrong") local routed = Agent.create_composite({agents = agents, strategy = "route", router = a("router")}):execute("help") return {#agents[1]:get_history(), #agents[2]:get_history(), routed.output, routed.steps}`,
    js: `const a = (n, d) => Agent.create({name: n, model: "mock/script", description: d}); const agents = [a("billing", "invoices and payments"), a("technical", "errors and crashes")]; const best = Agent.create_composite({agents, strategy: "route"}); best.execute("my invoices are wrong"); const routed = Agent.create_composite({agents, strategy: "route", router: a("router")}).execute("help"); [agents[0].get_history().length, agents[1].get_history().length, routed.output, routed.steps]`,
    config: mock('paid', 'The technical one.', 'restarted'),
    expect: [2, 2, 'restarted', 2],
  },
  {
    name: 'refuse a router that names nobody, and one without route',
    lua: `local a = Agent.create({name = "a", model = "mock/script"}) local function try(s) local ok, e = pcall(function() Agent.create_composite(s):execute("x") end) return e.message end return {try({agents = {a}, strategy = "route", router = function() return "bob" end}), try({agents = {a}, strategy = "vote", router = function() return "a" end})}`,
    js: `const a = Agent.create({name: "a", model: "mock/script"}); const attempt = s => { try { Agent.create_composite(s).execute("x") } catch (e) { return e.message } }; [attempt({agents: [a], strategy: "route", router: () => "bob"}), attempt({agents: [a], strategy: "vote", router: () => "a"})]`,
    expect: ['Agent:execute: the router chose "bob", which is none of a', 'Agent.create_composite: router: only the strategy "route" has one'],
  },
  {
    name: 'of a composite are charged to its budget, and made inside hooks',
    lua: `local points = {} Hook.register("agent:after_creation", function(ctx) points[#points + 1] = ctx.name end) local a = Agent.create({name = "a", model = "mock/script"}) local c = Agent.create_composite({name = "c", agents = {a}, strategy = "sequential", budget = {max_tokens_total = 5}}) local ok, e = pcall(function() c:execute("x") end) return {points, e.code, (e.message:match("^c: budget.max_tokens_total = 5"))}`,
    js: `const points = []; Hook.register("agent:after_creation", ctx => { points.push(ctx.name) }); const a = Agent.create({name: "a", model: "mock/script"}); const c = Agent.create_composite({name: "c", agents: [a], strategy: "sequential", budget: {max_tokens_total: 5}}); let e; try { c.execute("x") } catch (thrown) { e = thrown } [points, e.code, e.message.match(/^c: budget.max_tokens_total = 5/)[0]]`,
    config: mock('1'),
    expect: [['a', 'c'], 'LIMIT_EXCEEDED', 'c: budget.max_tokens_total = 5'],
  },
  {
    name: 'tell who is made of whom, tools included',
    lua: `local inner = Agent.create({name = "inner", model = "mock/script"}) local outer = Agent.create({name = "outer", model = "mock/script", tools = {inner, "text"}}) outer:add_tool(outer) Agent.create_composite({name = "team", agents = {outer}, strategy = "vote"}) return {Agent.get_hierarchy("team"), Agent.get_hierarchy("nobody") == nil}`,
    js: `const inner = Agent.create({name: "inner", model: "mock/script"}); const outer = Agent.create({name: "outer", model: "mock/script", tools: [inner, "text"]}); outer.add_tool(outer); Agent.create_composite({name: "team", agents: [outer], strategy: "vote"}); [Agent.get_hierarchy("team"), Agent.get_hierarchy("nobody") === null]`,
    expect: [
      {
        name: 'team',
        kind: 'vote',
        members: [
          {
            role: 'member',
            name: 'outer',
            kind: 'agent',
            members: [
              { role: 'tool', name: 'inner', kind: 'agent', members: [] },
              { role: 'tool', name: 'outer', kind: 'agent' },
            ],
          },
        ],
      },
      true,
    ],
  },
  {
    name: 'see contexts that are inherited, copied or isolated',
    lua: `local id = Agent.create_context({name = "base", data = {town = "Rome"}}) local kids = {} for _, mode in ipairs({"inherit", "copy", "isolate"}) do kids[mode] = Agent.create_child_context(id, {mode = mode, data = {year = 1}}) end Agent.update_context(id, {town = "Oslo", new = true}) local seen = {} for mode, kid in pairs(kids) do seen[mode] = Agent.get_context_data(kid) end local gone = Agent.remove_context(id) local ok, e = pcall(Agent.get_context_data, id) return {seen, gone, Agent.remove_context(id), e.code, e.message, Agent.get_context_data(kids.copy, "town"), Agent.get_context_data(kids.copy, "none") == nil}`,
    js: `const id = Agent.create_context({name: "base", data: {town: "Rome"}}); const kids = {}; for (const mode of ["inherit", "copy", "isolate"]) kids[mode] = Agent.create_child_context(id, {mode, data: {year: 1}}); Agent.update_context(id, {town: "Oslo", new: true}); const seen = {}; for (const mode of Object.keys(kids)) seen[mode] = Agent.get_context_data(kids[mode]); const gone = Agent.remove_context(id); let e; try { Agent.get_context_data(id) } catch (thrown) { e = thrown } [seen, gone, Agent.remove_context(id), e.code, e.message, Agent.get_context_data(kids.copy, "town"), Agent.get_context_data(kids.copy, "none") === null]`,
    expect: [
      { inherit: { town: 'Oslo', new: true, year: 1 }, copy: { town: 'Rome', year: 1 }, isolate: { year: 1 } },
      true,
      false,
      'NOT_FOUND',
      'Agent.get_context_data: id: there is no context "ctx_1"',
      'Rome',
      true,
    ],
  },
  {
    name: 'share memory between their tools',
    lua: `local put = {name = "put", description = "x", handler = function(p) Agent.set_shared_memory("board", "note", p.text) return true end} Agent.create({name = "writer", model = "mock/script", tools = {put}}) return {Agent.get_shared_memory("board", "note") == nil, Tool.execute("text", {operation = "trim", text = " x "}).text, (function() Agent.set_shared_memory("board", "note", {a = {1}}) return Agent.get_shared_memory("board", "note").a[1] end)(), Agent.get_shared_memory("other", "note") == nil}`,
    js: `const put = {name: "put", description: "x", handler: p => { Agent.set_shared_memory("board", "note", p.text); return true }}; Agent.create({name: "writer", model: "mock/script", tools: [put]}); [Agent.get_shared_memory("board", "note") === null, Tool.execute("text", {operation: "trim", text: " x "}).text, (() => { Agent.set_shared_memory("board", "note", {a: [1]}); return Agent.get_shared_memory("board", "note").a[0] })(), Agent.get_shared_memory("other", "note") === null]`,
    expect: [true, 'x', 1, true],
  },
  {
    name: 'are found by what they are and what their models can do',
    lua: `Agent.create({name = "quoter", model = "local/extractive", description = "quotes text"}) Agent.create({name = "caller", model = "mock/script", tools = {"text"}}) local function names(list) local n = {} for i, a in ipairs(list) do n[i] = a.name end return JSON.array(n) end return {names(Agent.list()), names(Agent.discover({query = "QUOTES"})), names(Agent.discover_by_capability("tools")), names(Agent.discover({capability = "vision", query = "quoter"})), Agent.list_capabilities(), Agent.get_info("quoter").capabilities, Agent.get_info("nobody") == nil, Agent.get_details("nobody") == nil, Agent.get_details("caller").tools, Agent.get("nobody") == nil}`,
    js: `Agent.create({name: "quoter", model: "local/extractive", description: "quotes text"}); Agent.create({name: "caller", model: "mock/script", tools: ["text"]}); const names = list => list.map(a => a.name); [names(Agent.list()), names(Agent.discover({query: "QUOTES"})), names(Agent.discover_by_capability("tools")), names(Agent.discover({capability: "vision", query: "quoter"})), Agent.list_capabilities(), Agent.get_info("quoter").capabilities, Agent.get_info("nobody") === null, Agent.get_details("nobody") === null, Agent.get_details("caller").tools, Agent.get("nobody") === null]`,
    config: mock(),
    expect: [
      ['quoter', 'caller'],
      ['quoter'],
      ['caller'],
      [],
      ['streaming', 'tools', 'structured_output', 'vision'],
      ['streaming', 'structured_output'],
      true,
      true,
      ['text'],
      true,
    ],
  },
  {
    name: 'count what they do',
    lua: `local a = Agent.create({name = "a", model = "mock/script", retries = 0}) a:execute("x") pcall(function() a:execute("y") end) local m = Agent.list_instances()[1].metrics return {m.executions, m.failures, m.tool_calls, m.tokens > 0, a:get_metrics().executions}`,
    js: `const a = Agent.create({name: "a", model: "mock/script", retries: 0}); a.execute("x"); try { a.execute("y") } catch {} const m = Agent.list_instances()[0].metrics; [m.executions, m.failures, m.tool_calls, m.tokens > 0, a.get_metrics().executions]`,
    config: mock('1'),
    expect: [1, 1, 0, true, 1],
  },
  {
    name: 'change their settings and tools',
    lua: `local a = Agent.create({name = "a", model = "mock/script"}) a:set_config({temperature = 0.5, tools = {"text"}}) a:add_tool({name = "mine", description = "x", handler = function() end}) local had = a:list_tools() a:remove_tool("text") local ok, e = pcall(function() a:set_config({model = "openai/gpt-4"}) end) return {had, a:list_tools(), a:remove_tool("text"), a:get_config().temperature, e.code, a:get_config().model}`,
    js: `const a = Agent.create({name: "a", model: "mock/script"}); a.set_config({temperature: 0.5, tools: ["text"]}); a.add_tool({name: "mine", description: "x", handler: () => {}}); const had = a.list_tools(); a.remove_tool("text"); let e; try { a.set_config({model: "openai/gpt-4"}) } catch (thrown) { e = thrown } [had, a.list_tools(), a.remove_tool("text"), a.get_config().temperature, e.code, a.get_config().model]`,
    expect: [['text', 'mine'], ['mine'], false, 0.5, 'NOT_ALLOWED', 'mock/script'],
  },
  {
    name: 'end, and leave their name',
    lua: `local a = Agent.create({name = "a", model = "mock/script"}) a:destroy() local ok, e = pcall(function() a:execute("x") end) Agent.create({name = "a", model = "mock/script"}) return {e.message, Agent.remove("a"), Agent.remove("a")}`,
    js: `const a = Agent.create({name: "a", model: "mock/script"}); a.destroy(); let e; try { a.execute("x") } catch (thrown) { e = thrown } Agent.create({name: "a", model: "mock/script"}); [e.message, Agent.remove("a"), Agent.remove("a")]`,
    expect: ['Agent:execute: the agent a was destroyed', true, false],
  },
  {
    name: 'are answered by hooks, and called back at their events',
    lua: `local seen = {} Hook.register("agent:before_execution", function(ctx) if ctx.input.prompt == "skip" then return {skip = true, output = "by a hook"} end return {input = {prompt = ctx.input.prompt .. "!"}} end) local a = Agent.create({name = "a", model = "mock/script"}) for _, event in ipairs({"started", "completed", "failed"}) do a:on(event, function(e) seen[#seen + 1] = e.event_type end) end local first = a:execute("skip").output a:execute("ask") return {first, a:get_history()[1].content, seen}`,
    js: `const seen = []; Hook.register("agent:before_execution", ctx => ctx.input.prompt === "skip" ? {skip: true, output: "by a hook"} : {input: {prompt: ctx.input.prompt + "!"}}); const a = Agent.create({name: "a", model: "mock/script"}); for (const event of ["started", "completed", "failed"]) a.on(event, e => { seen.push(e.event_type) }); const first = a.execute("skip").output; a.execute("ask"); [first, a.get_history()[0].content, seen]`,
    config: mock('1'),
    expect: ['by a hook', 'ask!', ['agent.a.started', 'agent.a.completed', 'agent.a.started', 'agent.a.completed']],
  },
  {
    name: 'read their history at the start and append when done',
    lua: `local a = Agent.create({name = "a", model = "mock/script"}) parallel({function() a:execute("one") end, function() a:execute("two") end}) return {#a:get_history(), a:get_history()[1].role, a:get_history()[2].role}`,
    js: `const a = Agent.create({name: "a", model: "mock/script"}); parallel([() => { a.execute("one") }, () => { a.execute("two") }]); [a.get_history().length, a.get_history()[0].role, a.get_history()[1].role]`,
    config: mock('1', '2'),
    expect: [4, 'user', 'assistant'],
  },
  {
    name: 'let each request stand alone where told to',
    lua: `local a = Agent.create({model = "local/extractive", keep_history = false}) a:execute({prompt = "What is red?", context = "Roses are red."}) return {#a:get_history(), a:execute("Summarize.").output:find("Roses") == nil}`,
    js: `const a = Agent.create({model: "local/extractive", keep_history: false}); a.execute({prompt: "What is red?", context: "Roses are red."}); [a.get_history().length, !a.execute("Summarize.").output.includes("Roses")]`,
    expect: [0, true],
  },
  {
    name: 'call workflows and agents as tools',
    lua: `Hook.register("agent:before_model_call", function(ctx) if ctx.name ~= "boss" then return {skip = true, output = "from " .. ctx.name} end local last = ctx.input.messages[#ctx.input.messages] if last.role == "tool" then return {skip = true, output = last.content} end local offered = {} for i, tool in ipairs(ctx.input.tools) do offered[i] = tool.name .. ": " .. tool.description end return {skip = true, output = {content = table.concat(offered, ", "), tool_calls = {{id = "1", name = last.content, input = '{"input": "ada", "prompt": "?"}'}}}} end)
local greet = Workflow.sequential({name = "greet", description = "Greets", steps = {{name = "s", handler = function(ctx) return "hello " .. ctx.input end}}})
local clerk = Agent.create({name = "clerk", description = "Knows", model = "mock/script"})
local boss = Agent.create({name = "boss", model = "mock/script", tools = {greet}}) boss:add_tool(clerk)
return {boss:execute("greet").output, boss:execute("clerk").output, boss:get_history()[2].content, boss:execute("nobody").tool_calls[1].input.input}`,
    js: `Hook.register("agent:before_model_call", ctx => { if (ctx.name !== "boss") return {skip: true, output: "from " + ctx.name}; const last = ctx.input.messages.at(-1); if (last.role === "tool") return {skip: true, output: last.content}; const offered = ctx.input.tools.map(tool => tool.name + ": " + tool.description).join(", "); return {skip: true, output: {content: offered, tool_calls: [{id: "1", name: last.content, input: '{"input": "ada", "prompt": "?"}'}]}} });
const greet = Workflow.sequential({name: "greet", description: "Greets", steps: [{name: "s", handler: ctx => "hello " + ctx.input}]});
const clerk = Agent.create({name: "clerk", description: "Knows", model: "mock/script"});
const boss = Agent.create({name: "boss", model: "mock/script", tools: [greet]}); boss.add_tool(clerk);
[boss.execute("greet").output, boss.execute("clerk").output, boss.get_history()[1].content, boss.execute("nobody").tool_calls[0].input.input]`,
    config: mock('never asked'),
    expect: ['hello ada', 'from clerk', 'greet: Greets, clerk: Knows', 'ada'],
  },
  {
    name: 'refuse settings that a composite does not have',
    lua: `local team = Agent.create_composite({name = "team", agents = {Agent.create({name = "a", model = "mock/script"})}, strategy = "parallel"}) team:set_config({description = "two", timeout_ms = 5}) local m = {} for i, f in ipairs({function() team:add_tool("text") end, function() team:set_config({model = "mock/script"}) end}) do local _, e = pcall(f) m[i] = e.message end return {team:get_config().description, m}`,
    js: `const team = Agent.create_composite({name: "team", agents: [Agent.create({name: "a", model: "mock/script"})], strategy: "parallel"}); team.set_config({description: "two", timeout_ms: 5}); const m = [() => team.add_tool("text"), () => team.set_config({model: "mock/script"})].map(f => { try { f() } catch (e) { return e.message } }); [team.get_config().description, m]`,
    expect: [
      'two',
      [
        'Agent:add_tool: tools: team is a composite, which has description, timeout_ms, budget only; set it for its members (a)',
        'Agent:set_config: model: team is a composite, which has description, timeout_ms, budget only; set it for its members (a)',
      ],
    ],
  },
  {
    name: 'that have no name are called by the method in messages',
    lua: `local m = {} for i, spec in ipairs({{budget = {max_tokens_total = 1}}, {timeout_ms = 1}}) do spec.model = "mock/script" spec.prompt = "x" Hook.register("agent:before_model_call", function() sleep(100) end) local _, e = pcall(Agent.execute, spec) m[i] = e.message end return m`,
    js: `[{budget: {max_tokens_total: 1}}, {timeout_ms: 1}].map(spec => { Hook.register("agent:before_model_call", () => { sleep(100) }); try { Agent.execute({model: "mock/script", prompt: "x", ...spec}) } catch (e) { return e.message } })`,
    config: mock('a'),
    expect: [expect.stringMatching(/^Agent\.execute: budget\.max_tokens_total = 1: 0 are used/), 'Agent.execute: took longer than 1 ms'],
  },
  {
    name: 'a schema that only requires asks once more, then fails',
    lua: `Agent.execute({model = "mock/script", prompt = "x", output_schema = {type = "object", required = {"name"}}})`,
    js: `Agent.execute({model: "mock/script", prompt: "x", output_schema: {type: "object", required: ["name"]}})`,
    config: mock('{}', '{}'),
    expect_error: {
      code: 'MODEL_FAILED',
      message: 'mock/script: the answer does not fit output_schema, asked twice: answer.name: expected a value, got nothing',
    },
  },
  {
    name: 'an empty table is an empty array where JSON Schema is checked in Lua',
    lua: `local function valid(data, schema) return Tool.execute("json_schema", {data = data, schema = schema}).valid end
return {valid({}, {type = "array"}), valid({}, {type = "array", minItems = 1}), valid({list = {}}, {properties = {list = {type = "array"}}, required = {}})}`,
    js: `const valid = (data, schema) => Tool.execute("json_schema", {data, schema}).valid;
[valid([], {type: "array"}), valid({}, {type: "array"}), valid({list: []}, {properties: {list: {type: "array"}}, required: []})]`,
    expect: [true, false, true],
  },
  {
    name: 'cost nothing where the model runs here',
    lua: `return Agent.execute({model = "local/extractive", prompt = "Why?", context = "Because it is so."}).cost_usd`,
    js: `Agent.execute({model: "local/extractive", prompt: "Why?", context: "Because it is so."}).cost_usd`,
    expect: 0,
  },
  {
    name: 'an unknown tool suggests the nearest',
    lua: `Tool.execute("calculater", {})`,
    js: `Tool.execute("calculater", {})`,
    expect_error: { code: 'NOT_FOUND', message: /no tool "calculater"; the nearest is calculator/ },
  },
  {
    name: 'a model that was not granted names the variable of its key',
    lua: `Agent.create({model = "openai/gpt-4o"})`,
    js: `Agent.create({model: "openai/gpt-4o"})`,
    expect_error: { code: 'NOT_ALLOWED', message: /OPENAI_API_KEY/ },
  },
];

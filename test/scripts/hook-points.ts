import { expect } from 'vitest';
import type { Case } from '../conformance/case.ts';

const MODELS = { models: { mock: { responses: ['one', 'two', 'three', 'four'] } } };

/** A script that notes every point under these patterns as it fires, and gives the list at its end. */
const noting = (patterns: readonly string[], lua: string, js: string) => ({
  lua: `local seen = {} for _, p in ipairs({${patterns.map((pattern) => `"${pattern}"`).join(', ')}}) do Hook.register(p, function(ctx) seen[#seen + 1] = ctx.point end) end ${lua} return seen`,
  js: `const seen = []; for (const p of ${JSON.stringify(patterns)}) Hook.register(p, ctx => { seen.push(ctx.point) }); ${js}; seen`,
});

/** What every hook is told, as text: which fields there are. */
const FIELDS = ['point', 'id', 'name', 'agent_id', 'tool_name', 'workflow_id', 'input', 'output', 'error', 'duration_ms', 'correlation_id', 'tenant'];
const told = (point: string, lua: string, js: string) => ({
  lua: `local seen Hook.register("${point}", function(ctx) seen = {} for _, k in ipairs({${FIELDS.map((field) => `"${field}"`).join(', ')}}) do if ctx[k] ~= nil then seen[#seen + 1] = k end end end) ${lua} return seen`,
  js: `let seen; Hook.register("${point}", ctx => { seen = ${JSON.stringify(FIELDS)}.filter(k => ctx[k] !== undefined && ctx[k] !== null) }); ${js}; seen`,
});

const agent = {
  lua: 'local a = Agent.create({name = "a", model = "mock/script"}) a:execute("x")',
  js: 'const a = Agent.create({name: "a", model: "mock/script"}); a.execute("x")',
};
const failing = {
  lua: 'pcall(function() Workflow.sequential({name = "w", steps = {{name = "s", handler = function() error("no") end}}}):execute("in") end)',
  js: 'try { Workflow.sequential({name: "w", steps: [{name: "s", handler: () => { throw new Error("no") }}]}).execute("in") } catch {}',
};
const flow = {
  lua: 'Workflow.sequential({name = "w", steps = {{name = "s", handler = function() return 7 end}}}):execute("in")',
  js: 'Workflow.sequential({name: "w", steps: [{name: "s", handler: () => 7}]}).execute("in")',
};
const division = {
  lua: 'pcall(Tool.execute, "calculator", {expression = "1 / 0"})',
  js: 'try { Tool.execute("calculator", {expression: "1 / 0"}) } catch {}',
};
const refused = { lua: 'pcall(State.backup)', js: 'try { State.backup() } catch {}' };
const NO_ADMIN = { capabilities: new Set<never>() };

/** Every point fires where it should and tells what it should. */
export const cases: readonly Case[] = [
  {
    name: 'of an agent: creation, execution and each call of a model',
    ...noting(['agent:*'], agent.lua, agent.js),
    config: MODELS,
    expect: ['before_creation', 'after_creation', 'before_execution', 'before_model_call', 'after_model_call', 'after_execution'].map((m) => `agent:${m}`),
  },
  {
    name: 'of a composite agent: its creation',
    ...noting(
      ['agent:*_creation'],
      'local a = Agent.create({name = "a", model = "mock/script"}) Agent.create_composite({name = "both", agents = {a}, strategy = "parallel"})',
      'const a = Agent.create({name: "a", model: "mock/script"}); Agent.create_composite({name: "both", agents: [a], strategy: "parallel"})',
    ),
    config: MODELS,
    expect: ['agent:before_creation', 'agent:after_creation', 'agent:before_creation', 'agent:after_creation'],
  },
  {
    name: 'of an agent that fails',
    ...noting(
      ['agent:error'],
      'pcall(function() Agent.execute({model = "mock/script", prompt = "x"}) end)',
      'try { Agent.execute({model: "mock/script", prompt: "x"}) } catch {}',
    ),
    config: { models: { mock: { responses: [] } } },
    expect: ['agent:error'],
  },
  {
    name: 'of an agent that takes too long',
    lua: `local seen Hook.register("agent:error", function(ctx) seen = {ctx.error.code, ctx.agent_id} end) Hook.register("agent:before_model_call", function() sleep(5000) end, {timeout_ms = 6000}) local a = Agent.create({name = "a", model = "mock/script", timeout_ms = 30}) local ok, e = pcall(function() a:execute("x") end) return {e.code, seen}`,
    js: `let seen; Hook.register("agent:error", ctx => { seen = [ctx.error.code, ctx.agent_id] }); Hook.register("agent:before_model_call", () => { sleep(5000) }, {timeout_ms: 6000}); const a = Agent.create({name: "a", model: "mock/script", timeout_ms: 30}); let code; try { a.execute("x") } catch (e) { code = e.code } [code, seen]`,
    config: MODELS,
    expect: ['TIMEOUT', ['TIMEOUT', 'a']],
  },
  {
    name: 'of a tool: validation, execution, in this order',
    ...noting(['tool:*'], 'Tool.execute("calculator", {expression = "1"})', 'Tool.execute("calculator", {expression: "1"})'),
    expect: ['validation', 'before_execution', 'after_execution'].map((moment) => `tool:calculator:${moment}`),
  },
  { name: 'of a tool that fails', ...noting(['tool:calculator:error'], division.lua, division.js), expect: ['tool:calculator:error'] },
  {
    name: 'of a tool before its arguments are checked, so that they can be mended or refused',
    lua: `local id = Hook.register("tool:calculator:validation", function(ctx) return {input = {expression = ctx.input.formula}} end) local mended = Tool.execute("calculator", {formula = "6 * 7"}).result Hook.unregister(id) Hook.register("tool:*:validation", function() return {continue_execution = false, reason = "no"} end) local ok, e = pcall(Tool.execute, "calculator", {expression = "1"}) return {mended, e.message}`,
    js: `const id = Hook.register("tool:calculator:validation", ctx => ({input: {expression: ctx.input.formula}})); const mended = Tool.execute("calculator", {formula: "6 * 7"}).result; Hook.unregister(id); Hook.register("tool:*:validation", () => ({continue_execution: false, reason: "no"})); let message; try { Tool.execute("calculator", {expression: "1"}) } catch (e) { message = e.message } [mended, message]`,
    expect: [42, 'calculator: refused by a hook at tool:calculator:validation: no'],
  },
  {
    name: 'of a workflow and its steps',
    ...noting(['workflow:*'], flow.lua, flow.js),
    expect: ['before_start', 'before_step', 'after_step', 'after_complete'].map((moment) => `workflow:${moment}`),
  },
  {
    name: 'of a workflow that fails: the step, then the whole',
    lua: `local seen = {} Hook.register("workflow:error", function(ctx) seen[#seen + 1] = {ctx.name, ctx.step or "whole", ctx.error.code, ctx.workflow_id} end) ${failing.lua} return seen`,
    js: `const seen = []; Hook.register("workflow:error", ctx => { seen.push([ctx.name, ctx.step ?? "whole", ctx.error.code, ctx.workflow_id]) }); ${failing.js}; seen`,
    expect: [
      ['w', 's', 'SCRIPT_ERROR', 'w_1'],
      ['w', 'whole', 'STEP_FAILED', 'w_1'],
    ],
  },
  {
    name: 'of a workflow that takes too long',
    lua: `local seen = {} Hook.register("workflow:error", function(ctx) if not ctx.step then seen[#seen + 1] = ctx.error.code end end) local ok, e = pcall(function() Workflow.sequential({name = "w", timeout_ms = 30, steps = {{handler = function() sleep(5000) end}}}):execute() end) return {e.code, seen}`,
    js: `const seen = []; Hook.register("workflow:error", ctx => { if (!ctx.step) seen.push(ctx.error.code) }); let code; try { Workflow.sequential({name: "w", timeout_ms: 30, steps: [{handler: () => sleep(5000)}]}).execute() } catch (e) { code = e.code } [code, seen]`,
    expect: ['TIMEOUT', ['TIMEOUT']],
  },
  {
    name: "of a workflow: a step's input and output may be changed",
    lua: `Hook.register("workflow:before_step", function(ctx) return {input = {expression = ctx.input.expression .. " + 1"}} end) Hook.register("workflow:after_step", function(ctx) return {output = {result = ctx.output.result * 10}} end) return Workflow.sequential({name = "w", steps = {{tool = "calculator", input = {expression = "1"}}}}):execute().output.result`,
    js: `Hook.register("workflow:before_step", ctx => ({input: {expression: ctx.input.expression + " + 1"}})); Hook.register("workflow:after_step", ctx => ({output: {result: ctx.output.result * 10}})); Workflow.sequential({name: "w", steps: [{tool: "calculator", input: {expression: "1"}}]}).execute().output.result`,
    expect: 20,
  },
  {
    name: 'of State: save, load and delete',
    ...noting(
      ['state:*'],
      'State.save("global", "k", 1) State.load("global", "k") State.delete("global", "k")',
      'State.save("global", "k", 1); State.load("global", "k"); State.delete("global", "k")',
    ),
    expect: ['before_save', 'after_save', 'before_load', 'after_load', 'before_delete', 'after_delete'].map((moment) => `state:${moment}`),
  },
  {
    name: 'of State: migration, which can be refused and not be changed',
    lua: `local seen = {} State.save("custom:m", "k", {a = 1}) Hook.register("state:*_migrate", function(ctx) seen[#seen + 1] = ctx.point end) local m = {scope = "custom:m", from_version = 1, to_version = 2, transformations = {{field = "a", transform = "remove"}}} State.migrate(m) Hook.register("state:before_migrate", function(ctx) return {input = ctx.input} end, {on_error = "fail"}) m.from_version, m.to_version = 2, 3 local ok, e = pcall(State.migrate, m) seen[#seen + 1] = e.message return seen`,
    js: `const seen = []; State.save("custom:m", "k", {a: 1}); Hook.register("state:*_migrate", ctx => { seen.push(ctx.point) }); const m = {scope: "custom:m", from_version: 1, to_version: 2, transformations: [{field: "a", transform: "remove"}]}; State.migrate(m); Hook.register("state:before_migrate", ctx => ({input: ctx.input}), {on_error: "fail"}); try { State.migrate({...m, from_version: 2, to_version: 3}) } catch (e) { seen.push(e.message) } seen`,
    expect: [
      'state:before_migrate',
      'state:after_migrate',
      'state:before_migrate',
      'the hook hook_2 at state:before_migrate: State.migrate: input: a hook cannot change a migration, only refuse it',
    ],
  },
  {
    name: 'of State: scope, key and value may be changed, and are checked',
    lua: `Hook.register("state:before_save", function(ctx) return {input = {scope = "custom:kept", key = ctx.input.key .. "2", value = ctx.input.value + 1}} end) State.save("global", "k", 1) return {State.load("global", "k") == nil, State.load("custom:kept", "k2")}`,
    js: `Hook.register("state:before_save", ctx => ({input: {scope: "custom:kept", key: ctx.input.key + "2", value: ctx.input.value + 1}})); State.save("global", "k", 1); [State.load("global", "k") === null, State.load("custom:kept", "k2")]`,
    expect: [true, 2],
  },
  { name: 'of events', ...noting(['event:*'], 'Event.emit("a")', 'Event.emit("a")'), expect: ['event:before_emit', 'event:after_emit'] },
  {
    name: 'of the script itself',
    lua: `local seen Hook.register("custom:stage.*", function(ctx) seen = {ctx.point, ctx.name, ctx.input} return {output = "done"} end) local made = Hook.fire("stage.one", {input = 5, output = "open"}) return {seen, made.output, made.input}`,
    js: `let seen; Hook.register("custom:stage.*", ctx => { seen = [ctx.point, ctx.name, ctx.input]; return {output: "done"} }); const made = Hook.fire("stage.one", {input: 5, output: "open"}); [seen, made.output, made.input]`,
    expect: [['custom:stage.one', 'stage.one', 5], 'done', 5],
  },
  {
    name: 'of the script itself with input and output alone: nothing else is taken for what hooks are told',
    lua: `local told Hook.register("custom:a", function(ctx) told = {ctx.input == nil, ctx.output == nil, ctx.tenant} end) Hook.fire("a", {}) local _, e = pcall(Hook.fire, "a", {inptu = 1}) local _, f = pcall(Hook.fire, "a", {tenant = "other"}) return {told, e.code, e.message, f.code}`,
    js: `let told; Hook.register("custom:a", ctx => { told = [ctx.input === undefined, ctx.output === undefined, ctx.tenant] }); Hook.fire("a", {}); const refused = fields => { try { Hook.fire("a", fields) } catch (e) { return e } }; const e = refused({inptu: 1}); [told, e.code, e.message, refused({tenant: "other"}).code]`,
    expect: [[true, true, 'default'], 'BAD_ARGUMENT', 'Hook.fire: fields: unknown option "inptu"; did you mean "input"?', 'BAD_ARGUMENT'],
  },
  {
    name: 'security:violation, whose hooks look on and cannot allow it',
    lua: `local seen Hook.register("security:violation", function(ctx) seen = {ctx.point, ctx.name, ctx.input.code, ctx.tenant} return {skip = true, output = "allowed"} end) local ok, e = pcall(State.backup) return {ok, e.code, seen}`,
    js: `let seen; Hook.register("security:violation", ctx => { seen = [ctx.point, ctx.name, ctx.input.code, ctx.tenant]; return {skip: true, output: "allowed"} }); let code; try { State.backup() } catch (e) { code = e.code } [false, code, seen]`,
    grants: NO_ADMIN,
    expect: [false, 'NOT_ALLOWED', ['security:violation', 'State.backup', 'NOT_ALLOWED', 'default']],
  },
  {
    name: 'security:violation once for one refusal, however deep it happens',
    lua: `local n = 0 Hook.register("security:violation", function() n = n + 1 end) Tool.register({name = "reader", description = "x", handler = function() return Tool.execute("file_read", {path = "/etc/hostname"}) end}) pcall(Tool.execute, "reader") return n`,
    js: `let n = 0; Hook.register("security:violation", () => { n++ }); Tool.register({name: "reader", description: "x", handler: () => Tool.execute("file_read", {path: "/etc/hostname"})}); try { Tool.execute("reader") } catch {} n`,
    expect: 1,
  },
  {
    name: 'security:violation of a tool that a model asked for',
    lua: `local seen Hook.register("security:violation", function(ctx) seen = ctx.input.code end) Hook.register("agent:after_model_call", function(ctx) if ctx.output.content == "one" then return {output = {content = "", tool_calls = {{id = "1", name = "file_read", input = '{"path": "/etc/hostname"}'}}}} end end) return {Agent.execute({model = "mock/script", prompt = "x", tools = {"file_read"}}).output, seen}`,
    js: `let seen; Hook.register("security:violation", ctx => { seen = ctx.input.code }); Hook.register("agent:after_model_call", ctx => { if (ctx.output.content === "one") return {output: {content: "", tool_calls: [{id: "1", name: "file_read", input: '{"path": "/etc/hostname"}'}]}} }); [Agent.execute({model: "mock/script", prompt: "x", tools: ["file_read"]}).output, seen]`,
    config: MODELS,
    expect: ['two', 'NOT_ALLOWED'],
  },
  {
    name: 'limit:exceeded',
    lua: `local seen Hook.register("limit:exceeded", function(ctx) seen = {ctx.input.code, ctx.input.message} end) pcall(function() for i = 1, 5 do Hook.register("state:*", function() end) end end) return seen`,
    js: `let seen; Hook.register("limit:exceeded", ctx => { seen = [ctx.input.code, ctx.input.message] }); try { for (let i = 0; i < 5; i++) Hook.register("state:*", () => {}) } catch {} seen`,
    limits: { hooks: 3 },
    expect: ['LIMIT_EXCEEDED', 'more than limits.hooks = 3 hooks in one run'],
  },
  {
    name: 'tell before an agent answers',
    ...told('agent:before_execution', agent.lua, agent.js),
    config: MODELS,
    expect: ['point', 'id', 'name', 'agent_id', 'input', 'correlation_id', 'tenant'],
  },
  {
    name: 'tell after an agent has answered',
    ...told('agent:after_execution', agent.lua, agent.js),
    config: MODELS,
    expect: ['point', 'id', 'name', 'agent_id', 'input', 'output', 'duration_ms', 'correlation_id', 'tenant'],
  },
  {
    name: 'tell why a tool failed',
    ...told('tool:calculator:error', division.lua, division.js),
    expect: ['point', 'id', 'name', 'tool_name', 'input', 'error', 'duration_ms', 'correlation_id', 'tenant'],
  },
  {
    name: 'tell after a workflow',
    ...told('workflow:after_complete', flow.lua, flow.js),
    expect: ['point', 'id', 'name', 'workflow_id', 'input', 'output', 'duration_ms', 'correlation_id', 'tenant'],
  },
  {
    name: 'tell of a value that was loaded',
    ...told('state:after_load', 'State.save("global", "k", 1) State.load("global", "k")', 'State.save("global", "k", 1); State.load("global", "k")'),
    expect: ['point', 'id', 'name', 'input', 'output', 'duration_ms', 'correlation_id', 'tenant'],
  },
  {
    name: 'tell how long it took to the microsecond, as results do',
    lua: `local all = {} local function see(ctx) all[#all + 1] = ctx.duration_ms end Hook.register("tool:*:after_execution", see) Hook.register("tool:*:error", see) Hook.register("agent:after_model_call", see) Event.subscribe("*.*.completed", function(e) all[#all + 1] = e.payload.duration_ms end) Tool.execute("calculator", {expression = "1"}) pcall(Tool.execute, "calculator", {expression = "1 / 0"}) local answer = Agent.execute({model = "mock/script", prompt = "x"}) local made = Workflow.sequential({name = "w", steps = {{name = "a", handler = function() return 1 end}}}):execute() Event.flush() for _, ms in ipairs({answer.duration_ms, made.duration_ms, made.steps[1].duration_ms}) do all[#all + 1] = ms end local rounded = 0 for _, ms in ipairs(all) do if math.floor(ms * 1000 + 0.5) / 1000 == ms then rounded = rounded + 1 end end return {#all, rounded}`,
    js: `const all = []; const see = ctx => { all.push(ctx.duration_ms) }; Hook.register("tool:*:after_execution", see); Hook.register("tool:*:error", see); Hook.register("agent:after_model_call", see); Event.subscribe("*.*.completed", e => { all.push(e.payload.duration_ms) }); Tool.execute("calculator", {expression: "1"}); try { Tool.execute("calculator", {expression: "1 / 0"}) } catch {} const answer = Agent.execute({model: "mock/script", prompt: "x"}); const made = Workflow.sequential({name: "w", steps: [{name: "a", handler: () => 1}]}).execute(); Event.flush(); all.push(answer.duration_ms, made.duration_ms, made.steps[0].duration_ms); [all.length, all.filter(ms => Math.round(ms * 1000) / 1000 === ms).length]`,
    config: MODELS,
    expect: [9, 9],
  },
  {
    name: 'tell of a refusal',
    ...told('security:violation', refused.lua, refused.js),
    grants: NO_ADMIN,
    expect: ['point', 'id', 'name', 'input', 'error', 'correlation_id', 'tenant'],
  },
  {
    name: 'of a model call: the request may be changed and tools left out',
    lua: `local seen Hook.register("agent:before_model_call", function(ctx) local m = ctx.input.messages m[#m].content = "changed" return {input = {model = ctx.input.model, messages = m, tools = {ctx.input.tools[2]}}} end) Hook.register("agent:after_model_call", function(ctx) seen = {ctx.input.model, #ctx.input.tools, ctx.input.messages[#ctx.input.messages].content} end) local a = Agent.create({name = "a", model = "mock/script", tools = {"calculator", "text"}}) a:execute("x") return seen`,
    js: `let seen; Hook.register("agent:before_model_call", ctx => { const m = ctx.input.messages; m.at(-1).content = "changed"; return {input: {model: ctx.input.model, messages: m, tools: [ctx.input.tools[1]]}} }); Hook.register("agent:after_model_call", ctx => { seen = [ctx.input.model, ctx.input.tools.length, ctx.input.messages.at(-1).content] }); const a = Agent.create({name: "a", model: "mock/script", tools: ["calculator", "text"]}); a.execute("x"); seen`,
    config: MODELS,
    expect: ['mock/script', 1, 'changed'],
  },
  {
    name: 'of a model call: another model and tools that were not given are refused',
    lua: `local failed = {} Event.subscribe("hook.failed", function(e) failed[#failed + 1] = e.payload.message end) Hook.register("agent:before_model_call", function(ctx) ctx.input.model = "openai/gpt-4" return {input = ctx.input} end) Hook.register("agent:before_model_call", function(ctx) table.insert(ctx.input.tools, {name = "process", description = "", parameters = {}}) return {input = ctx.input} end) local seen Hook.register("agent:after_model_call", function(ctx) seen = {ctx.input.model, #ctx.input.tools} end) Agent.create({name = "a", model = "mock/script", tools = {"calculator"}}):execute("x") return {failed, seen}`,
    js: `const failed = []; Event.subscribe("hook.failed", e => { failed.push(e.payload.message) }); Hook.register("agent:before_model_call", ({input}) => ({input: {...input, model: "openai/gpt-4"}})); Hook.register("agent:before_model_call", ({input}) => ({input: {...input, tools: [...input.tools, {name: "process", description: "", parameters: {}}]}})); let seen; Hook.register("agent:after_model_call", ctx => { seen = [ctx.input.model, ctx.input.tools.length] }); Agent.create({name: "a", model: "mock/script", tools: ["calculator"]}).execute("x"); [failed, seen]`,
    config: MODELS,
    expect: [
      [
        'mock/script: input.model: a hook cannot change it, got "openai/gpt-4"',
        'mock/script: input.tools: a hook can leave out tools but add none, got "process"',
      ],
      ['mock/script', 1],
    ],
  },
  {
    name: 'of a model call: a request that is none is refused',
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = e.payload.message end) Hook.register("agent:before_model_call", function() return {input = {prompt = "x"}} end) return {Agent.execute({model = "mock/script", prompt = "x"}).output, failed}`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = e.payload.message }); Hook.register("agent:before_model_call", () => ({input: {prompt: "x"}})); [Agent.execute({model: "mock/script", prompt: "x"}).output, failed]`,
    config: MODELS,
    expect: ['one', expect.stringMatching(/^mock\/script: input/)],
  },
  {
    name: 'of a model call: an answer in its place reaches the caller and its stream',
    lua: `Hook.register("agent:before_model_call", function() return {skip = true, output = "instead"} end) local parts = {} local a = Agent.create({name = "a", model = "mock/script"}) local out = a:stream("x", function(part) parts[#parts + 1] = part end).output return {out, parts}`,
    js: `Hook.register("agent:before_model_call", () => ({skip: true, output: "instead"})); const parts = []; const a = Agent.create({name: "a", model: "mock/script"}); const out = a.stream("x", part => { parts.push(part) }).output; [out, parts]`,
    config: MODELS,
    expect: ['instead', ['instead']],
  },
  {
    name: 'all of them are listed and can be registered at',
    lua: `local n = 0 for _, p in ipairs(Hook.list_points()) do Hook.register((p.point:gsub("<name>", "x")), function() end) n = n + 1 end return n == #Hook.list()`,
    js: `let n = 0; for (const p of Hook.list_points()) { Hook.register(p.point.replace("<name>", "x"), () => {}); n++ } n === Hook.list().length`,
    expect: true,
  },
];

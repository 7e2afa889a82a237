import type { Case } from '../conformance/case.ts';

const anyText = { asymmetricMatch: (value: unknown) => typeof value === 'string' };
const models = { override: 'local/extractive' };

/** The scripts that the project started from, word for word, in Lua and translated to JavaScript; retrieval is still to come. */
export const cases: readonly Case[] = [
  {
    name: 'global objects: agent, tool, workflow, state, hook, event',
    config: { models, tools: { web_search: { kind: 'json', url: 'http://127.0.0.1:9/search' } } },
    lua: `
local messages = {{role = "user", content = "hi"}}
local agent = Agent.create({
    model = "openai/gpt-4",
    system_prompt = "You are helpful"
})
local response = agent:execute({prompt = "Hello"})

local tool = Tool.get("web_search")
local ok, problem = pcall(function() return tool:execute({query = "rs-llmspell"}) end)

local workflow = Workflow.sequential({
    name = "research_flow",
    steps = {
        {tool = "web_search", input = {query = "$input"}},
        {agent = agent, prompt = "Summarize: $step1.output"}
    }
})

State.save("agent:gpt-4", "history", messages)
local data = State.load("global", "config")
State.migrate({from_version = 1, to_version = 2})

Hook.register("agent:before_execution", function(ctx)
    Logger.info("Starting", {id = ctx.agent_id})
    return {continue_execution = true}
end)

Event.subscribe("*.error", function(event)
    Alert.send("Error", event.payload)
end)
local failed, err = pcall(function() return workflow:execute({input = "x"}) end)
Event.flush()
return {#response.output > 0, ok, problem.code, data == nil, State.get_schema_version(), failed, err.code, State.load("agent:gpt-4", "history")[1].content}`,
    js: `
const messages = [{role: "user", content: "hi"}]
const agent = Agent.create({
    model: "openai/gpt-4",
    system_prompt: "You are helpful"
})
const response = agent.execute({prompt: "Hello"})

const tool = Tool.get("web_search")
let ok = true, problem
try { tool.execute({query: "rs-llmspell"}) } catch (e) { ok = false; problem = e }

const workflow = Workflow.sequential({
    name: "research_flow",
    steps: [
        {tool: "web_search", input: {query: "$input"}},
        {agent: agent, prompt: "Summarize: $step1.output"}
    ]
})

State.save("agent:gpt-4", "history", messages)
const data = State.load("global", "config")
State.migrate({from_version: 1, to_version: 2})

Hook.register("agent:before_execution", ctx => {
    Logger.info("Starting", {id: ctx.agent_id})
    return {continue_execution: true}
})

Event.subscribe("*.error", event => {
    Alert.send("Error", event.payload)
})
let failed = true, err
try { workflow.execute({input: "x"}) } catch (e) { failed = false; err = e }
Event.flush()
return [response.output.length > 0, ok, problem.code, data === null, State.get_schema_version(), failed, err.code, State.load("agent:gpt-4", "history")[0].content]`,
    expect: [true, false, 'TOOL_FAILED', true, 2, false, 'STEP_FAILED', 'hi'],
  },
  {
    name: 'state management',
    lua: `
local scope, key, value, default_value = "global", "k", {a = 1}, {a = 0}
State.save(scope, key, value)
local value = State.load(scope, key) or default_value
State.delete(scope, key)
local keys = State.list_keys(scope)
State.save(scope, "record", {old_field = 7})
State.migrate({
    from_version = 1,
    to_version = 2,
    transformations = {
        {field = "old_field", transform = "copy", to = "new_field"},
        {field = "version", transform = "default", value = 2}
    }
})
local backup_id = State.backup({description = "Pre-update"})
State.restore(backup_id)
return {value.a, #keys, State.load(scope, "record"), backup_id}`,
    js: `
const scope = "global", key = "k", given = {a: 1}, default_value = {a: 0}
State.save(scope, key, given)
const value = State.load(scope, key) || default_value
State.delete(scope, key)
const keys = State.list_keys(scope)
State.save(scope, "record", {old_field: 7})
State.migrate({
    from_version: 1,
    to_version: 2,
    transformations: [
        {field: "old_field", transform: "copy", to: "new_field"},
        {field: "version", transform: "default", value: 2}
    ]
})
const backup_id = State.backup({description: "Pre-update"})
State.restore(backup_id);
[value.a, keys.length, State.load(scope, "record"), backup_id]`,
    expect: [1, 0, { old_field: 7, new_field: 7, version: 2 }, anyText],
  },
  {
    name: 'hook system and event system',
    lua: `
local seen = {}
local handler = function(x) seen[#seen + 1] = x.point or x.event_type end
local hook_id = Hook.register("tool:*:before_execution", handler, "high")
Tool.execute("calculator", {expression = "1"})
local hooks = Hook.list({hook_point = "agent:*", language = "lua", priority = "high"})
Hook.pause(hook_id)
Tool.execute("calculator", {expression = "1"})
Hook.resume(hook_id)
Tool.execute("calculator", {expression = "1"})
Hook.unregister(hook_id)
Tool.execute("calculator", {expression = "1"})

local sub_id = Event.subscribe("workflow.*.completed", handler)
Event.emit({
    event_type = "custom:milestone",
    payload = {progress = 0.75}
})
Workflow.sequential({name = "w", steps = {{handler = function() end}}}):execute()
Event.unsubscribe(sub_id)
local stats = Event.stats()
return {seen, #hooks, stats.subscriptions, stats.emitted > 1}`,
    js: `
const seen = []
const handler = x => { seen.push(x.point ?? x.event_type) }
const hook_id = Hook.register("tool:*:before_execution", handler, "high")
Tool.execute("calculator", {expression: "1"})
const hooks = Hook.list({hook_point: "agent:*", language: "lua", priority: "high"})
Hook.pause(hook_id)
Tool.execute("calculator", {expression: "1"})
Hook.resume(hook_id)
Tool.execute("calculator", {expression: "1"})
Hook.unregister(hook_id)
Tool.execute("calculator", {expression: "1"})

const sub_id = Event.subscribe("workflow.*.completed", handler)
Event.emit({
    event_type: "custom:milestone",
    payload: {progress: 0.75}
})
Workflow.sequential({name: "w", steps: [{handler: () => {}}]}).execute()
Event.unsubscribe(sub_id)
const stats = Event.stats();
[seen, hooks.length, stats.subscriptions, stats.emitted > 1]`,
    expect: [['tool:calculator:before_execution', 'tool:calculator:before_execution', 'workflow.w.completed'], 0, 0, true],
  },
];

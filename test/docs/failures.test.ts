import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import { testRuntime } from '../support/runtime.ts';

/** What goes wrong, and what of it the runtime's own events tell, as the chapter on events has it; `started` and `completed` left out. */
const CASES: readonly { name: string; lua: string; javascript: string; events: string }[] = [
  {
    name: 'a tool that has begun fails',
    lua: 'Tool.execute("calculator", {expression = "1 / 0"})',
    javascript: 'Tool.execute("calculator", {expression: "1 / 0"})',
    events: 'tool.calculator.failed tool.error',
  },
  {
    name: 'a tool may not read a file',
    lua: 'Tool.execute("file_read", {path = "/etc/passwd"})',
    javascript: 'Tool.execute("file_read", {path: "/etc/passwd"})',
    events: 'tool.file_read.failed tool.error',
  },
  {
    name: 'a hook refuses an execution',
    lua: 'Hook.register("tool:uuid:before_execution", function() return {continue_execution = false, reason = "no"} end) Tool.execute("uuid", {})',
    javascript: 'Hook.register("tool:uuid:before_execution", () => ({continue_execution: false, reason: "no"})); Tool.execute("uuid", {})',
    events: 'tool.uuid.failed tool.error',
  },
  {
    name: 'a hook refuses at validation',
    lua: 'Hook.register("tool:uuid:validation", function() return {continue_execution = false, reason = "no"} end) Tool.execute("uuid", {})',
    javascript: 'Hook.register("tool:uuid:validation", () => ({continue_execution: false, reason: "no"})); Tool.execute("uuid", {})',
    events: '',
  },
  {
    name: 'arguments do not fit',
    lua: 'Tool.execute("calculator", {})',
    javascript: 'Tool.execute("calculator", {})',
    events: '',
  },
  { name: 'there is no such tool', lua: 'Tool.execute("calculatr", {})', javascript: 'Tool.execute("calculatr", {})', events: '' },
  {
    name: 'a capability was not granted',
    lua: 'Tool.execute("process", {program = "ls"})',
    javascript: 'Tool.execute("process", {program: "ls"})',
    events: '',
  },
  {
    name: 'a model fails',
    lua: 'Agent.create({name = "clerk", model = "mock/script"}):execute("Hello")',
    javascript: 'Agent.create({name: "clerk", model: "mock/script"}).execute("Hello")',
    events: 'agent.clerk.failed agent.error',
  },
  {
    name: 'a prompt is empty',
    lua: 'Agent.execute({model = "local/extractive", prompt = ""})',
    javascript: 'Agent.execute({model: "local/extractive", prompt: ""})',
    events: '',
  },
  {
    name: 'a model was not granted',
    lua: 'Agent.execute({model = "openai/gpt-4o", prompt = "Hello"})',
    javascript: 'Agent.execute({model: "openai/gpt-4o", prompt: "Hello"})',
    events: '',
  },
  {
    name: 'a step fails',
    lua: 'Workflow.sequential({name = "w", steps = {{name = "s", handler = function() error("x") end}}}):execute()',
    javascript: 'Workflow.sequential({name: "w", steps: [{name: "s", handler: () => { throw new Error("x") }}]}).execute()',
    events: 'workflow.w.step.s.failed workflow.w.failed workflow.error',
  },
  {
    name: 'a workflow goes on without a step, by its own wish',
    lua: 'Workflow.sequential({name = "w", steps = {{name = "s", on_error = "continue", handler = function() error("x") end}}}):execute() error("done")',
    javascript:
      'Workflow.sequential({name: "w", steps: [{name: "s", on_error: "continue", handler: () => { throw new Error("x") }}]}).execute(); throw new Error("done")',
    events: 'workflow.w.step.s.failed',
  },
  {
    name: 'a workflow goes on without a step whose tool fails',
    lua: 'Workflow.sequential({name = "w", error_strategy = "continue", steps = {{name = "s", tool = "calculator", input = {expression = "1 / 0"}}}}):execute() error("done")',
    javascript:
      'Workflow.sequential({name: "w", error_strategy: "continue", steps: [{name: "s", tool: "calculator", input: {expression: "1 / 0"}}]}).execute(); throw new Error("done")',
    events: 'tool.calculator.failed tool.error workflow.w.step.s.failed',
  },
  {
    name: 'validate finds something',
    lua: 'Workflow.sequential({name = "w", steps = {{name = "s", tool = "nothing", input = {}}}}):execute()',
    javascript: 'Workflow.sequential({name: "w", steps: [{name: "s", tool: "nothing", input: {}}]}).execute()',
    events: '',
  },
  {
    name: 'a tool runs out of the time of its step',
    lua: 'Tool.register({name = "slow", description = "waits", parameters = {type = "object"}, handler = function() sleep(60000) end}) Workflow.sequential({name = "w", steps = {{name = "s", timeout_ms = 5, tool = "slow"}}}):execute()',
    javascript:
      'Tool.register({name: "slow", description: "waits", parameters: {type: "object"}, handler: () => sleep(60000)}); Workflow.sequential({name: "w", steps: [{name: "s", timeout_ms: 5, tool: "slow"}]}).execute()',
    events: 'workflow.w.step.s.failed workflow.w.failed workflow.error',
  },
  {
    name: 'a retrieval that has begun fails',
    lua: 'RAG.retrieve("global", {query = "ferry", metadata_filters = {["$like"] = 1}})',
    javascript: 'RAG.retrieve("global", {query: "ferry", metadata_filters: {$like: 1}})',
    events: 'rag.main.failed rag.error',
  },
  {
    name: 'a mode of retrieval is none',
    lua: 'RAG.retrieve("global", {query = "ferry", mode = "fast"})',
    javascript: 'RAG.retrieve("global", {query: "ferry", mode: "fast"})',
    events: '',
  },
  { name: 'another call fails', lua: 'State.save("nowhere", "key", 1)', javascript: 'State.save("nowhere", "key", 1)', events: '' },
];

/** Runs what fails and prints the events of it. */
const SCRIPTS: Readonly<Record<Language, (code: string) => string>> = {
  lua: (code) => `local heard = {}
Event.subscribe("**", function(event) if event.event_type:match("error$") or event.event_type:match("failed$") then heard[#heard + 1] = event.event_type end end)
print(pcall(function() ${code} end))
Event.flush()
print(table.concat(heard, " "))`,
  javascript: (code) => `const heard = []
Event.subscribe("**", event => { if (/(error|failed)$/.test(event.event_type)) heard.push(event.event_type) })
let failed = false
try { ${code} } catch { failed = true }
print(!failed)
Event.flush()
print(heard.join(" "))`,
};

describe.each(['lua', 'javascript'] as const)('events of failures in %s', (language) => {
  it.each(CASES)('$name', async ({ events, ...code }) => {
    await using test = await testRuntime({ log: { level: 'silent' } });
    const { output } = await test.runtime.execute(SCRIPTS[language](code[language]), {
      language,
      grants: { read: [], write: [], models: ['local/*', 'mock/*'] },
    });
    expect([output[0]?.split('\t')[0], output.at(-1)]).toEqual(['false', events]);
  });
});

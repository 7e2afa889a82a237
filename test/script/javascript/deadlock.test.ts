import { describe, expect, it } from 'vitest';
import type { MockSource } from '../../../src/model/mock.ts';
import { type Message, messageText } from '../../../src/model/model.ts';
import { testRuntime } from '../../support/runtime.ts';

const NEVER = 'await new Promise(() => {})';
const OPEN = 'let go; const gate = new Promise(done => { go = done });';

const TOOL = `Tool.register({name: "t", description: "d", handler: async () => { ${NEVER} }});`;

/** A model that asks for the tools that the prompt names, after a while, and then says how that went. */
const caller: MockSource = ({ messages }) => {
  const last = messages.at(-1);
  const names = last?.role === 'tool' ? [] : messageText(messages.at(-1) as Message).split(' ');
  return { text: last?.role === 'tool' ? messageText(last) : '', tool_calls: names.map((name) => ({ name, input: {} })), delay_ms: 20 };
};

async function run(text: string, limits = {}): Promise<unknown> {
  await using test = await testRuntime({ log: { level: 'silent' } }, { models: { 'mock/caller': caller } });
  return (await test.runtime.execute(text, { language: 'javascript', grants: test.grants, limits })).value;
}

describe('a promise that nothing can settle is a deadlock', () => {
  it.each([
    ['in the script itself', NEVER],
    ['in a function of parallel()', `parallel([async () => { ${NEVER} }])`],
    ['beside a function that ends', `parallel([async () => { ${NEVER} }, () => sleep(5)])`],
    ['in all functions of parallel()', `parallel([1, 2, 3], async () => { ${NEVER} })`],
    ['in a function of State.update', `State.update("global", "k", async () => { ${NEVER} })`],
    ['in a transaction inside parallel()', `parallel([() => State.transaction(async () => { ${NEVER} })])`],
    ['in a tool', `${TOOL} Tool.execute("t")`],
    ['in a tool by its handle', `${TOOL} Tool.get("t").execute()`],
    [
      'in a tool of a tool inside parallel()',
      `${TOOL} Tool.register({name: "u", description: "d", handler: () => Tool.execute("t")}); parallel([() => Tool.execute("u")])`,
    ],
    ['while a handler waits in the same way', `Event.subscribe("a", async () => { ${NEVER} }); Event.emit("a"); parallel([async () => { ${NEVER} }])`],
  ])('%s', async (_, text) => {
    await expect(run(text)).rejects.toMatchObject({ code: 'DEADLOCK' });
  });

  const step = (name: string, more = '') => `{name: "${name}", ${more} handler: async () => { ${NEVER} }}`;
  const tool = '{name: "t", tool: "calculator", input: {expression: "1"}}';

  it.each([
    ['a sequential one', `Workflow.sequential({name: "w", steps: [{name: "a", handler: () => sleep(1)}, ${tool}, ${step('b')}]})`],
    ['a parallel one', `Workflow.parallel({name: "w", steps: [${step('a')}, ${step('b')}]})`],
    ['a parallel one of which a branch ends later', `Workflow.parallel({name: "w", steps: [${step('a')}, ${tool}, {name: "c", handler: () => sleep(20)}]})`],
    ['a map', `Workflow.map({name: "w", items: [1, 2], step: ${step('a')}})`],
    ['a condition', `Workflow.sequential({name: "w", steps: [{name: "a", when: async () => { ${NEVER} }, handler: () => 1}]})`],
    ['one with a tool', `(${TOOL.slice(0, -1)}, Workflow.sequential({name: "w", steps: [{name: "a", tool: "t"}]}))`],
    ['one in another', `Workflow.sequential({name: "w", steps: [{name: "a", workflow: Workflow.parallel({name: "v", steps: [${step('b')}]})}]})`],
  ])('in a workflow, %s', async (_, workflow) => {
    const codes = 'let code; try { w.execute() } catch (e) { while (e.cause) e = e.cause; code = e.code } code';
    expect(await run(`const w = ${workflow}; ${codes}`)).toBe('DEADLOCK');
    expect(await run(`const w = ${workflow}; parallel([() => { ${codes.replace(/code$/, 'return code')} }])[0]`)).toBe('DEADLOCK');
  });

  const agent = `Agent.create({model: "mock/caller", timeout_ms: 5000, tools: [{name: "t", description: "d", handler: async () => { ${NEVER} }}, "uuid"]})`;
  const failed = 'r.tool_calls[0].error.code';

  it.each([
    ['by itself', `const r = ${agent}.execute("t"); ${failed}`],
    ['that streams', `const r = ${agent}.stream("t", () => {}); ${failed}`],
    [
      'beside a tool that ends',
      `const r = ${agent}.execute("uuid t t"); [r.tool_calls[1], r.tool_calls[2]].map(c => c.error.code).join() === "DEADLOCK,DEADLOCK" && "DEADLOCK"`,
    ],
    [
      'that answers once',
      `const r = Agent.execute({model: "mock/caller", prompt: "t", tools: [{name: "t", description: "d", handler: async () => { ${NEVER} }}]}); ${failed}`,
    ],
    [
      'of another, inside parallel()',
      `const a = ${agent}; parallel([() => { const r = Agent.create_composite({name: "c", agents: [a], strategy: "sequential"}).execute("t"); return ${failed} }])[0]`,
    ],
    ['in a workflow', `Workflow.sequential({name: "w", steps: [{name: "a", agent: ${agent}, prompt: "t"}]}).execute().output.split(":")[0]`],
  ])('in a tool of an agent, %s, which its model is told', async (_, text) => {
    expect(await run(text)).toBe('DEADLOCK');
  });

  it('in the function that routes to an agent', async () => {
    const text = `Agent.create_composite({name: "c", agents: [${agent}], strategy: "route", router: async () => { ${NEVER} }}).execute("t")`;
    await expect(run(text)).rejects.toMatchObject({ code: 'DEADLOCK' });
  });

  it('but a step or workflow with a time limit ends by that', async () => {
    const limited = (text: string) => run(`let code; try { ${text}.execute() } catch (e) { while (e.cause) e = e.cause; code = e.code } code`);
    expect(await limited(`Workflow.sequential({name: "w", steps: [${step('a', 'timeout_ms: 30,')}]})`)).toBe('TIMEOUT');
    expect(await limited(`Workflow.sequential({name: "w", timeout_ms: 30, steps: [${step('a')}]})`)).toBe('TIMEOUT');
  });

  it('which the script may catch and go on', async () => {
    expect(
      await run(`const codes = []; try { parallel([async () => { ${NEVER} }]) } catch (e) { codes.push(e.code) } codes.push(parallel([() => 1])[0]); codes`),
    ).toEqual(['DEADLOCK', 1]);
  });
});

describe('a promise that somebody will settle is waited for', () => {
  const later = `Workflow.sequential({name: "later", steps: [{name: "x", handler: () => { sleep(30); go("here") }}]}).execute_async()`;
  const again = `let tried; Workflow.sequential({name: "again", steps: [{name: "x", retries: 1, backoff_ms: 50, handler: () => { if (tried) go("here"); else { tried = true; throw new Error("again") } }}]}).execute_async()`;
  const three = `Workflow.parallel({name: "three", steps: [1, 2, 3].map(n => ({name: "x" + n, handler: async () => { await gate }}))}).execute_async()`;

  it.each([
    ['a function beside it', `${OPEN} parallel([async () => await gate, () => { sleep(30); go("here") }])[0]`],
    ['a function that has not begun', `${OPEN} parallel([async () => await gate, () => 1, () => 2, () => go("here")], {max_concurrency: 2})[0]`],
    ['a handler', `${OPEN} Event.subscribe("a", () => { sleep(30); go("here") }); Event.emit("a"); parallel([async () => await gate])[0]`],
    ['a workflow that goes on', `${OPEN} ${later}; parallel([async () => await gate])[0]`],
    ['a workflow, while steps of another wait too', `${OPEN} ${three}; ${again}; await gate`],
    [
      'a later step of a branch',
      `${OPEN} Workflow.parallel({name: "w", steps: [{name: "a", handler: async () => await gate}, {name: "b", workflow: Workflow.sequential({name: "v", steps: [{name: "s", retries: 1, backoff_ms: 30, handler: () => { if (!globalThis.tried) { tried = true; throw new Error("again") } }}, {name: "t", handler: () => go("here")}]})}]}).execute().outputs.a`,
    ],
    [
      'a tool, while another waits',
      `${OPEN} Tool.register({name: "a", description: "d", handler: async () => await gate}); Tool.register({name: "b", description: "d", handler: () => { sleep(30); go("here") }}); parallel([() => Tool.execute("a"), () => Tool.execute("b")])[0]`,
    ],
    [
      'a tool of an agent whose model has not answered yet',
      `${OPEN} const tools = [{name: "a", description: "d", handler: async () => await gate}, {name: "b", description: "d", handler: () => go("here")}]; const ask = prompt => Agent.execute({model: "mock/caller", prompt, tools}); parallel([() => ask("a"), () => { sleep(40); ask("b") }])[0].tool_calls[0].output`,
    ],
    ['a retry of what changed meanwhile', `State.update("global", "k", async () => { await null; return "here" })`],
  ])('by %s', async (_, text) => {
    expect(await run(text)).toBe('here');
  });
});

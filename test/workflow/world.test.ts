import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Language } from '../../src/call/context.ts';
import { defineTool } from '../../src/index.ts';
import { testRuntime } from '../support/runtime.ts';

/** Answers are held until so many requests are open at once, or for good. */
let gate: { readonly size: number; readonly patience_ms: number } | 'shut' = 'shut';
let open: ServerResponse[] = [];
let most = 0;
/** Told when a request has come, and when its connection is closed: whether before it was answered. */
let arrived = Promise.withResolvers<void>();
let closed = Promise.withResolvers<'cut' | 'answered'>();
let port = 0;

const server = createServer((request, response) => {
  request.resume();
  open.push(response);
  most = Math.max(most, open.length);
  arrived.resolve();
  response.on('close', () => closed.resolve(response.writableFinished ? 'answered' : 'cut'));
  if (gate === 'shut') return;
  if (open.length >= gate.size) release();
  else setTimeout(release, gate.patience_ms);
});

function release(): void {
  for (const response of open.splice(0)) response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
}

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  open = [];
  most = 0;
  arrived = Promise.withResolvers();
  closed = Promise.withResolvers();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const waitForRequest = defineTool({
  name: 'arrived',
  description: 'Waits until the server has a request',
  category: 'test',
  input: z.strictObject({}),
  output: z.null(),
  execute: () => arrived.promise.then(() => null),
});

async function run(language: Language, text: string, signal?: AbortSignal) {
  const url = `http://127.0.0.1:${port}`;
  const providers = { there: { kind: 'openai-compatible' as const, base_url: `${url}/v1` } };
  await using test = await testRuntime({ log: { level: 'silent' }, models: { providers } }, { tools: [waitForRequest] });
  const grants = { ...test.grants, net: [`127.0.0.1:${port}`], models: ['*'] };
  return (await test.runtime.execute(text.replaceAll('URL', url), { language, grants, signal })).value;
}

const FIVE_CALLS = {
  lua: 'local function five() for i = 1, 5 do Tool.execute("http_request", {url = "URL"}) end return 5 end local w = Workflow.parallel({name = "w", max_concurrency = MOST, steps = {{name = "a", handler = five}, {name = "b", handler = five}, {name = "c", handler = five}}}) return w:execute().output',
  javascript:
    'const five = () => { for (let i = 0; i < 5; i++) Tool.execute("http_request", {url: "URL"}); return 5 }; Workflow.parallel({name: "w", max_concurrency: MOST, steps: [{name: "a", handler: five}, {name: "b", handler: five}, {name: "c", handler: five}]}).execute().output',
};
const LANGUAGES = ['lua', 'javascript'] as const;

describe.each(LANGUAGES)('handlers of parallel branches in %s', (language) => {
  it('have their calls open at the same time', async () => {
    // The server answers none of three calls before it has all of them.
    gate = { size: 3, patience_ms: 15_000 };
    expect(await run(language, FIVE_CALLS[language].replace('MOST', '3'))).toEqual({ a: 5, b: 5, c: 5 });
    expect(most).toBe(3);
  });

  it('have one at a time when told to', async () => {
    gate = { size: 3, patience_ms: 5 };
    expect(await run(language, FIVE_CALLS[language].replace('MOST', '1'))).toEqual({ a: 5, b: 5, c: 5 });
    expect(most).toBe(1);
  });
});

const CALL = {
  lua: {
    tool: '{name = "call", tool = "http_request", input = {url = "URL"}',
    agent: '{name = "call", agent = Agent.create({model = "there/x"}), prompt = "hi"',
  },
  javascript: {
    tool: '{name: "call", tool: "http_request", input: {url: "URL"}',
    agent: '{name: "call", agent: Agent.create({model: "there/x"}), prompt: "hi"',
  },
};
const CANCELS = {
  lua: {
    'by its time': 'local ok, e = pcall(function() Workflow.sequential({name = "w", steps = {CALL, timeout_ms = 600}}}):execute() end) return e.cause.code',
    'by a failed sibling':
      'local ok, e = pcall(function() Workflow.parallel({name = "w", steps = {CALL}, {name = "bad", handler = function() Tool.execute("arrived", {}) error("no") end}}}):execute() end) return e.details.steps[1].status',
    'by cancel()':
      'local going = Workflow.sequential({name = "w", steps = {CALL}}}):execute_async() Tool.execute("arrived", {}) going:cancel() local ok, e = pcall(function() going:wait() end) return e.code',
  },
  javascript: {
    'by its time': 'let e; try { Workflow.sequential({name: "w", steps: [CALL, timeout_ms: 600}]}).execute() } catch (thrown) { e = thrown } e.cause.code',
    'by a failed sibling':
      'let e; try { Workflow.parallel({name: "w", steps: [CALL}, {name: "bad", handler: () => { Tool.execute("arrived", {}); throw new Error("no") }}]}).execute() } catch (thrown) { e = thrown } e.details.steps[0].status',
    'by cancel()':
      'const going = Workflow.sequential({name: "w", steps: [CALL}]}).execute_async(); Tool.execute("arrived", {}); going.cancel(); let e; try { going.wait() } catch (thrown) { e = thrown } e.code',
  },
};
const OUTCOMES = { 'by its time': 'TIMEOUT', 'by a failed sibling': 'cancelled', 'by cancel()': 'CANCELLED' } as const;

describe.each(LANGUAGES)('a call that is under way in %s', (language) => {
  describe.each(['tool', 'agent'] as const)('of a step with a %s', (action) => {
    it.each(['by its time', 'by a failed sibling', 'by cancel()'] as const)('is cut %s', async (how) => {
      gate = 'shut';
      const text = CANCELS[language][how].replace('CALL', CALL[language][action]);
      expect(await run(language, text)).toBe(OUTCOMES[how]);
      expect(await closed.promise).toBe('cut');
    });

    it('is cut when the run is cancelled', async () => {
      gate = 'shut';
      const abort = new AbortController();
      arrived.promise.then(() => abort.abort());
      const text =
        language === 'lua'
          ? `Workflow.sequential({name = "w", steps = {${CALL.lua[action]}}}}):execute()`
          : `Workflow.sequential({name: "w", steps: [${CALL.javascript[action]}}]}).execute()`;
      await expect(run(language, text, abort.signal)).rejects.toMatchObject({ code: 'CANCELLED' });
      expect(await closed.promise).toBe('cut');
    });
  });

  it('is answered when nobody cancels it', async () => {
    gate = { size: 1, patience_ms: 0 };
    const text =
      language === 'lua'
        ? `return Workflow.sequential({name = "w", steps = {${CALL.lua.tool}}}}):execute().output.body`
        : `Workflow.sequential({name: "w", steps: [${CALL.javascript.tool}}]}).execute().output.body`;
    expect(await run(language, text)).toBe('ok');
    expect(await closed.promise).toBe('answered');
  });
});

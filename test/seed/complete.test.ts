import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStateManager } from '../../src/index.ts';
import { testRuntime } from '../support/runtime.ts';

const LUA = `
-- Initialize agent with state restoration
local agent_id = "research-bot"
local agent = Agent.create({
    name = agent_id,
    model = "anthropic/claude-3",
    system_prompt = "You are a research assistant"
})

-- Restore previous conversation
local history = State.load("agent:" .. agent_id, "history") or {}
if #history > 0 then
    Logger.info("Restored conversation", {messages = #history})
end

-- Set up monitoring
Hook.register("agent:after_execution", function(ctx)
    -- Update metrics
    local metrics = State.load("global", "metrics") or {}
    metrics.total_calls = (metrics.total_calls or 0) + 1
    State.save("global", "metrics", metrics)
    
    -- Emit event
    Event.emit({
        event_type = "agent:executed",
        payload = {
            agent_id = agent_id,
            duration_ms = ctx.duration_ms
        }
    })
end)

-- Main workflow
local workflow = Workflow.sequential({
    name = "research_workflow",
    steps = {
        {
            name = "search",
            tool = "web_search",
            input = {query = "$input"}
        },
        {
            name = "analyze",
            agent = agent,
            prompt = "Analyze these results: $search.output"
        },
        {
            name = "save",
            handler = function(ctx)
                -- Save results
                State.save("workflow:research", "last_result", ctx.analyze)
                return {success = true}
            end
        }
    }
})

-- Execute with error handling
local ok, result = pcall(function()
    return workflow:execute({input = "quantum computing advances"})
end)

if not ok then
    Logger.error("Workflow failed", {error = result})
    -- Restore from backup if available
    local backups = State.list_backups()
    if #backups > 0 then
        State.restore(backups[1].id)
    end
end
return {ok, State.load("global", "metrics"), State.load("workflow:research", "last_result"), Event.history({pattern = "agent:executed"})[1]}`;

const JAVASCRIPT = `
const agent_id = "research-bot"
const agent = Agent.create({
    name: agent_id,
    model: "anthropic/claude-3",
    system_prompt: "You are a research assistant"
})

const history = State.load("agent:" + agent_id, "history") || []
if (history.length > 0) {
    Logger.info("Restored conversation", {messages: history.length})
}

Hook.register("agent:after_execution", ctx => {
    const metrics = State.load("global", "metrics") || {}
    metrics.total_calls = (metrics.total_calls || 0) + 1
    State.save("global", "metrics", metrics)

    Event.emit({
        event_type: "agent:executed",
        payload: {
            agent_id: agent_id,
            duration_ms: ctx.duration_ms
        }
    })
})

const workflow = Workflow.sequential({
    name: "research_workflow",
    steps: [
        {
            name: "search",
            tool: "web_search",
            input: {query: "$input"}
        },
        {
            name: "analyze",
            agent: agent,
            prompt: "Analyze these results: $search.output"
        },
        {
            name: "save",
            handler: ctx => {
                State.save("workflow:research", "last_result", ctx.analyze)
                return {success: true}
            }
        }
    ]
})

let ok = true
try {
    workflow.execute({input: "quantum computing advances"})
} catch (error) {
    ok = false
    Logger.error("Workflow failed", {error: String(error)})
    const backups = State.list_backups()
    if (backups.length > 0) {
        State.restore(backups[0].id)
    }
}
return [ok, State.load("global", "metrics"), State.load("workflow:research", "last_result"), Event.history({pattern: "agent:executed"})[0] ?? null]`;

const server = createServer((request, response) => {
  const query = new URL(request.url ?? '', 'http://x').searchParams.get('q');
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      results: [{ title: 'Quantum news', url: 'https://example.org/q', snippet: `In ${query} error correction passed its threshold in 2024.` }],
    }),
  );
});
beforeAll(() => new Promise<void>((done) => server.listen(0, '127.0.0.1', done)));
afterAll(() => server.close());

describe.each([
  ['lua', LUA],
  ['javascript', JAVASCRIPT],
] as const)('the complete script example in %s', (language, script) => {
  it('searches, asks, saves and counts', async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/search`;
    await using test = await testRuntime({ models: { override: 'local/extractive' }, tools: { web_search: { kind: 'json', url } } });
    const { value } = await test.runtime.execute(script, { language, grants: test.grants });
    expect(value).toMatchObject([
      true,
      { total_calls: 1 },
      expect.stringContaining('error correction passed its threshold in 2024'),
      { event_type: 'agent:executed', payload: { agent_id: 'research-bot', duration_ms: expect.any(Number) } },
    ]);
  });

  it('searches the local knowledge on a machine without a search service', async () => {
    await using test = await testRuntime({ models: { override: 'local/extractive' } });
    const ingest = 'RAG.ingest_documents("global", {{content = "Quantum computing advances: error correction passed its threshold in 2024."}})';
    await test.runtime.execute(ingest, { language: 'lua', grants: test.grants });
    const { value } = await test.runtime.execute(script, { language, grants: test.grants });
    expect(value).toMatchObject([true, { total_calls: 1 }, expect.stringContaining('error correction passed its threshold in 2024'), {}]);
  });

  it('runs on a machine that has nothing at all', async () => {
    await using test = await testRuntime({ models: { override: 'local/extractive' } });
    const { value } = await test.runtime.execute(script, { language, grants: test.grants });
    expect(value).toMatchObject([true, { total_calls: 1 }, expect.any(String), { event_type: 'agent:executed' }]);
  });

  it('restores a backup when the search fails', async () => {
    const config = { models: { override: 'local/extractive' }, tools: { web_search: { kind: 'json', url: 'http://127.0.0.1:9/search' } } } as const;
    await using test = await testRuntime({ ...config, log: { level: 'silent' } });
    const backup = 'State.save("global", "metrics", {total_calls = 7}) State.backup() State.save("global", "metrics", {total_calls = 9})';
    await test.runtime.execute(backup, { language: 'lua', grants: test.grants });
    const { value } = await test.runtime.execute(script, { language, grants: test.grants });
    expect((value as unknown[]).slice(0, 2)).toEqual([false, { total_calls: 7 }]);
  });
});

describe('shared state', () => {
  it('is one for host and scripts of several runtimes', async () => {
    await using state = createStateManager({ data: { backend: 'memory' } });
    await using first = await testRuntime({}, { state });
    await using second = await testRuntime({}, { state });
    const saved = await first.runtime.execute('State.save("global", "shared_key", {value = 42})\nreturn State.load("global", "shared_key")', {
      language: 'lua',
    });
    expect(saved.value).toEqual({ value: 42 });
    expect(await state.load('global', 'shared_key')).toEqual({ value: 42 });
    await state.save('global', 'shared_key', { value: 43, big: 2n ** 60n });
    const { value } = await second.runtime.execute('State.load("global", "shared_key")', { language: 'javascript' });
    expect(value).toEqual({ value: 43, big: 2n ** 60n });
  });
});

import { describe, expect, it } from 'vitest';
import type { ScriptError } from '../../src/errors.ts';
import { modelFailed } from '../../src/model/failure.ts';
import type { MockAnswer, MockSource } from '../../src/model/mock.ts';
import { testRuntime } from '../support/runtime.ts';

async function run(lua: string, models: Record<string, MockSource>, limits = {}) {
  await using test = await testRuntime({ log: { level: 'silent' } }, { models });
  return (await test.runtime.execute(lua, { language: 'lua', grants: { ...test.grants, models: ['*'] }, limits })).value;
}

const calls = (...names: [string, unknown][]) => ({ tool_calls: names.map(([name, input]) => ({ name, input })) });

describe('a scripted model', () => {
  it.each<[MockAnswer[], string]>([
    [[], 'mock/script: no answers were given and it was asked once'],
    [['1'], 'mock/script: one answer was given and it was asked twice'],
    [['1', '2'], 'mock/script: 2 answers were given and it was asked 3 times'],
  ])('says that its answers are used up: %j', async (answers, message) => {
    const text = 'local a = Agent.create({model = "mock/script"}) for i = 1, 3 do a:execute("x") end';
    await expect(run(text, { 'mock/script': answers })).rejects.toMatchObject({ code: 'MODEL_FAILED', message });
  });
});

describe('the tool loop', () => {
  it('runs what the model asks for, several at once, and gives results back', async () => {
    const seen: string[] = [];
    const models: Record<string, MockSource> = {
      'mock/script': (request, index) => {
        seen.push(request.messages.map((message) => message.role).join(' '));
        if (index === 0) return calls(['calculator', { expression: '6 * 7' }], ['slow', {}], ['slow', {}]);
        return request.messages
          .filter((message) => message.role === 'tool')
          .map((message) => message.content)
          .join('|');
      },
    };
    const text = `local started = 0
      local slow = {name = "slow", description = "x", handler = function() started = started + 1 local mine = started sleep(20) return {mine, started} end}
      local r = Agent.create({model = "mock/script", tools = {"calculator", slow}}):execute("go")
      return {r.output, r.steps, r.tool_calls[1].output.result, r.tool_calls[2].name}`;
    expect(await run(text, models)).toEqual([expect.stringMatching(/^\{\n "result": 42\n\}\|\[\n 1,\n 2\n\]\|\[\n 2,\n 2\n\]$/), 2, 42, 'slow']);
    expect(seen).toEqual(['user', 'user assistant tool tool tool']);
  });

  it('tells the model of unknown tools, bad arguments and failures, and goes on', async () => {
    const models: Record<string, MockSource> = {
      'mock/script': (request, index) => {
        if (index === 0) return calls(['nope', {}], ['calculator', { expresion: '1' }], ['calculator', '{broken'], ['calculator', { expression: '1/0' }]);
        return request.messages
          .filter((message) => message.role === 'tool')
          .map((message) => `${message.is_error} ${message.content.split(':')[0]}`)
          .join('; ');
      },
    };
    expect(await run('return Agent.create({model = "mock/script", tools = {"calculator"}}):execute("go").output', models)).toBe(
      'true NOT_FOUND; true BAD_ARGUMENT; true BAD_ARGUMENT; true BAD_ARGUMENT',
    );
  });

  it('runs so many tools of one answer only, and reads no endless arguments', async () => {
    const told: string[] = [];
    const models: Record<string, MockSource> = {
      'mock/many': (request, index) => {
        if (index === 0) return calls(...Array.from({ length: 1_000 }, (): [string, unknown] => ['calculator', { expression: '1' }]));
        told.push(...request.messages.filter((message) => message.role === 'tool').map((message) => message.content as string));
        return 'done';
      },
      'mock/long': (_, index) => (index === 0 ? calls(['calculator', { expression: '1'.repeat(1_000_000) }]) : 'done'),
    };
    const text = `local many = Agent.create({model = "mock/many", tools = {"calculator"}}):execute("go")
      local long = Agent.create({model = "mock/long", tools = {"calculator"}}):execute("go")
      return {#many.tool_calls, long.tool_calls[1].error.message}`;
    expect(await run(text, models)).toEqual([128, 'the arguments have more than 1000000 characters']);
    expect(told).toHaveLength(1_000);
    expect(told.filter((content) => content === 'not run: one answer may call 128 tools')).toHaveLength(872);
  });

  it('stops at max_steps and at max_tool_calls', async () => {
    const models: Record<string, MockSource> = { 'mock/script': () => calls(['calculator', { expression: '1' }]) };
    expect(
      await run(
        'local r = Agent.create({model = "mock/script", tools = {"calculator"}, max_steps = 3}):execute("go") return {r.finish_reason, r.steps, #r.tool_calls}',
        models,
      ),
    ).toEqual(['max_steps', 3, 2]);
    await expect(
      run('Agent.create({model = "mock/script", tools = {"calculator"}, budget = {max_tool_calls = 2}}):execute("go")', models),
    ).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'agent_1: budget.max_tool_calls = 2: 2 are made and the model asks for 1 more' });
  });

  it('charges agents inside agents to both, and ends endless nesting', async () => {
    const models: Record<string, MockSource> = {
      'mock/outer': (_, index) => (index === 0 ? calls(['inner', { prompt: 'x' }]) : 'done'),
      'mock/inner': () => 'x '.repeat(2_000),
    };
    const nested =
      'local inner = Agent.create({name = "inner", model = "mock/inner", max_tokens = 5000}) return Agent.create({model = "mock/outer", max_tokens = 10, tools = {inner}, budget = {max_tokens_total = 3000}}):execute("go").output';
    await expect(run(nested, models)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', message: expect.stringContaining('budget.max_tokens_total = 3000') });
    const circle: Record<string, MockSource> = { 'mock/script': () => calls(['me', { prompt: 'again' }]) };
    await expect(run('local a = Agent.create({name = "me", model = "mock/script"}) a:add_tool(a) a:execute("go")', circle)).rejects.toMatchObject({
      code: 'DEPTH_EXCEEDED',
    });
  });

  it('tells the outer model of a budget that an inner agent has used up, and goes on', async () => {
    const models: Record<string, MockSource> = {
      'mock/outer': (request, index) => (index === 0 ? calls(['inner', { prompt: 'x' }]) : `heard: ${request.messages.at(-1)?.content}`),
      'mock/inner': () => 'never asked',
    };
    const text =
      'local inner = Agent.create({name = "inner", model = "mock/inner", budget = {max_tokens_total = 1}}) return Agent.create({model = "mock/outer", tools = {inner}, budget = {max_tokens_total = 5000}}):execute("go").output';
    expect(await run(text, models)).toMatch(/^heard: LIMIT_EXCEEDED: inner: budget\.max_tokens_total = 1: 0 are used and the next call needs about \d+$/);
  });

  it('keeps a history that providers take when it stops at max_steps', async () => {
    const seen: string[][] = [];
    const models: Record<string, MockSource> = {
      'mock/script': (request, index) => {
        seen.push(request.messages.map(({ role }) => role));
        return index === 0 ? calls(['calculator', { expression: '1' }]) : 'done';
      },
    };
    const text =
      'local a = Agent.create({model = "mock/script", tools = {"calculator"}, max_steps = 1}) local r = a:execute("one") return {r.finish_reason, #r.tool_calls, a:execute("two").output}';
    expect(await run(text, models)).toEqual(['max_steps', 0, 'done']);
    expect(seen[1]).toEqual(['user', 'assistant', 'tool', 'user']);
  });

  it('cuts results that are too large, and says so', async () => {
    const models: Record<string, MockSource> = {
      'mock/script': (request, index) => (index === 0 ? calls(['big', {}]) : (request.messages.at(-1)?.content.slice(-60) ?? '')),
    };
    const text =
      'local big = {name = "big", description = "x", handler = function() return ("x"):rep(150000) end} local r = Agent.create({model = "mock/script", tools = {big}}):execute("go") return {r.output, #r.tool_calls[1].output}';
    expect(await run(text, models)).toEqual([expect.stringMatching(/x\n\[… 50000 of 150000 characters were cut\]$/), 150_000]);
  });

  it('cancels the other calls of an answer when one ends the agent', async () => {
    const models: Record<string, MockSource> = { 'mock/script': () => calls(['slow', {}], ['calculator', { expression: '1' }], ['me', { prompt: 'x' }]) };
    const text = `local ended
      local slow = {name = "slow", description = "x", handler = function() local ok, e = pcall(sleep, 10000) ended = e.code end}
      local a = Agent.create({name = "me", model = "mock/script", tools = {"calculator", slow}})
      a:set_config({budget = {max_tool_calls = 3}})
      a:add_tool(a)
      local ok, e = pcall(function() a:execute("go") end)
      while not ended do sleep(1) end
      return {e.code, ended}`;
    expect(await run(text, models)).toEqual(['LIMIT_EXCEEDED', 'CANCELLED']);
  });

  it('runs tools under the permissions of the script', async () => {
    const models: Record<string, MockSource> = {
      'mock/script': (request, index) => (index === 0 ? calls(['file_read', { path: '/etc/passwd' }]) : (request.messages.at(-1)?.content ?? '')),
    };
    expect(await run('return Agent.create({model = "mock/script", tools = {"file_read"}}):execute("go").output', models)).toMatch(
      /^NOT_ALLOWED: file_read: \/etc\/passwd is outside/,
    );
  });
});

describe('failures of models', () => {
  const busy = modelFailed('mock/script', 'busy', { outcome: 'failed', retryable: true, status: 429, retry_after_ms: 1 });
  const broken = modelFailed('mock/script', 'the provider refused the key', { outcome: 'failed', retryable: false, status: 401 });

  it('that may pass are tried again', async () => {
    const models: Record<string, MockSource> = { 'mock/script': (_, index) => (index < 2 ? { error: busy } : 'at last') };
    expect(await run('return Agent.create({model = "mock/script"}):execute("x").output', models)).toBe('at last');
    await expect(run('Agent.create({model = "mock/script", retries = 1}):execute("x")', models)).rejects.toMatchObject({
      code: 'MODEL_FAILED',
      details: { status: 429 },
    });
  });

  it('that will not are not', async () => {
    let asked = 0;
    const note = (error: ScriptError) => {
      asked++;
      return error;
    };
    const error = await run('Agent.create({model = "mock/script"}):execute("x")', { 'mock/script': () => ({ error: note(broken) }) }).catch(
      (thrown: ScriptError) => thrown,
    );
    expect(error).toMatchObject({ code: 'MODEL_FAILED', message: 'mock/script: the provider refused the key' });
    expect(asked).toBe(1);
  });

  it('lead to the next model, and the one that failed is left out for a while', async () => {
    let asked = 0;
    const note = (error: ScriptError) => {
      asked++;
      return error;
    };
    const models: Record<string, MockSource> = { 'mock/first': () => ({ error: note(broken) }), 'mock/second': () => 'second' };
    const text = 'local a = Agent.create({model = "mock/first", fallback_models = {"mock/second"}}) return {a:execute("x").model, a:execute("x").model}';
    expect(await run(text, models)).toEqual(['mock/second', 'mock/second']);
    expect(asked).toBe(1);
  });

  it('that lie in the request leave the model to others', async () => {
    const asked: string[] = [];
    const refused = modelFailed('mock/first', 'too long', { outcome: 'failed', retryable: false, status: 400 });
    const note = (name: string, answer: MockAnswer) => {
      asked.push(name);
      return answer;
    };
    const models: Record<string, MockSource> = {
      'mock/first': (_, index) => note('first', index === 0 ? { error: refused } : 'fine again'),
      'mock/second': () => note('second', 'second'),
    };
    const text = 'local a = Agent.create({model = "mock/first", fallback_models = {"mock/second"}}) return {a:execute("x").output, a:execute("x").output}';
    expect(await run(text, models)).toEqual(['second', 'fine again']);
    expect(asked).toEqual(['first', 'second', 'first']);
  });

  it('that ask for a longer wait than a minute are not tried again too early', async () => {
    let asked = 0;
    const later = modelFailed('mock/script', 'busy', { outcome: 'failed', retryable: true, status: 429, retry_after_ms: 120_000 });
    const models: Record<string, MockSource> = {
      'mock/script': () => {
        asked++;
        return { error: later };
      },
    };
    await expect(run('Agent.create({model = "mock/script"}):execute("x")', models)).rejects.toMatchObject({ details: { retry_after_ms: 120_000 } });
    expect(asked).toBe(1);
  });

  it('that heed no signal are left at the time limit', async () => {
    const deaf = { name: 'mock/deaf', capabilities: [], generate: () => new Promise<never>(() => undefined) };
    await using test = await testRuntime({ log: { level: 'silent' } }, { models: { 'mock/deaf': deaf } });
    const work = test.runtime.execute('Agent.create({name = "a", model = "mock/deaf", timeout_ms = 20}):execute("x")', { language: 'lua' });
    await expect(work).rejects.toMatchObject({ code: 'TIMEOUT', message: 'a: took longer than 20 ms' });
  });

  it('are cut by the time limit of the agent', async () => {
    const models: Record<string, MockSource> = { 'mock/script': () => ({ text: 'late', delay_ms: 5_000 }) };
    await expect(run('Agent.create({name = "slow", model = "mock/script", timeout_ms = 30}):execute("x")', models)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: 'slow: took longer than 30 ms',
    });
  });
});

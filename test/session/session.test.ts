import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import type { MockSource } from '../../src/model/mock.ts';
import { testRuntime } from '../support/runtime.ts';

const LANGUAGES: readonly Language[] = ['lua', 'javascript'];

describe.each(LANGUAGES)('the session of a run: %s', (language) => {
  const pick = (lua: string, js: string) => (language === 'lua' ? lua : js);
  const ID = pick('return Session.current_id()', 'Session.current_id()');

  it('costs nothing where nobody asks', async () => {
    await using test = await testRuntime();
    await test.runtime.execute(pick('return 1', '1'), { language, session: 'mine' });
    expect(existsSync(join(test.folder, 'data'))).toBe(false);
  });

  it('is one of its own unless the host names one, which is made at first and continued after', async () => {
    await using test = await testRuntime();
    const run = async (source: string, session?: string, seed = 1) => (await test.runtime.execute(source, { language, session, seed })).value;
    const [one, two] = [await run(ID), await run(ID)];
    expect(one).toMatch(/^ses_[0-9a-f]{24}$/);
    expect(two).not.toBe(one);
    const add = pick(
      'return Session.add_turn(Session.current_id(), {role = "user", content = "x"})',
      'Session.add_turn(Session.current_id(), {role: "user", content: "x"})',
    );
    expect([await run(ID, 'chat-1'), await run(add, 'chat-1'), await run(add, 'chat-1'), await run(add, 'chat-2')]).toEqual(['chat-1', 1, 2, 1]);
    expect(await Promise.all([run(ID, 'chat-3'), run(ID, 'chat-3')])).toEqual(['chat-3', 'chat-3']);
  });

  it('is of the tenant of the run', async () => {
    await using test = await testRuntime();
    const turns = pick(
      'local id = Session.current_id() Session.add_turn(id, {role = "user", content = "x"}) return #Session.get_turns(id)',
      'const id = Session.current_id(); Session.add_turn(id, {role: "user", content: "x"}); Session.get_turns(id).length',
    );
    for (const tenant of ['a', 'b']) expect((await test.runtime.execute(turns, { language, tenant, session: 'same' })).value).toBe(1);
  });

  it('may not be named badly', async () => {
    await using test = await testRuntime();
    for (const session of ['', '../x', 'tenant:x', 'x'.repeat(129)])
      await expect(test.runtime.execute(ID, { language, session })).rejects.toMatchObject({
        code: 'BAD_ARGUMENT',
        message: expect.stringContaining('session: expected 1 to 128 of A-Z a-z 0-9 _ . -'),
      });
  });

  it('is watched by hooks of the host from its start', async () => {
    await using test = await testRuntime();
    const seen: unknown[] = [];
    test.runtime.hook('session:*', (ctx) => {
      const { point, tenant, input } = ctx as { point: string; tenant: string; input: { name?: string } };
      seen.push([point, tenant, input.name]);
      return point === 'session:start' && input.name === 'no' ? { continue_execution: false, reason: 'too many' } : null;
    });
    test.runtime.hook('session:start', (ctx) => ({ input: { ...(ctx as { input: object }).input, tags: ['watched'] } }));
    const text = pick(
      'local id = Session.create({name = "yes"}) Session.complete(id) return Session.get(id).tags',
      'const id = Session.create({name: "yes"}); Session.complete(id); Session.get(id).tags',
    );
    expect((await test.runtime.execute(text, { language, tenant: 'acme' })).value).toEqual(['watched']);
    expect(seen).toEqual([
      ['session:start', 'acme', 'yes'],
      ['session:end', 'acme', undefined],
    ]);
    await expect(test.runtime.execute(pick('Session.create({name = "no"})', 'Session.create({name: "no"})'), { language })).rejects.toMatchObject({
      code: 'HOOK_REJECTED',
      message: expect.stringContaining('Session.create: refused by a hook at session:start: too many'),
    });
  });

  it('expires by the clock, whatever the host named it, with its artifacts', async () => {
    await using test = await testRuntime({ sessions: { expires_in_ms: 1_000 } });
    const text = pick(
      'local id = Session.current_id() local there = Session.get_value(id, "k") Session.set_value(id, "k", 1) Artifact.store(id, "t", "n", ("x"):rep(100000)) return {there == nil, #Artifact.query()}',
      'const id = Session.current_id(); const there = Session.get_value(id, "k"); Session.set_value(id, "k", 1); Artifact.store(id, "t", "n", "x".repeat(100000)); [there === null, Artifact.query().length]',
    );
    const at = async (ms: number) => (await test.runtime.execute(text, { language, session: 's', clock: () => ms })).value;
    expect([await at(0), await at(999), await at(1_998), await at(2_998)]).toEqual([
      [true, 1],
      [false, 2],
      [false, 3],
      [true, 1],
    ]);
  });
});

describe('an agent and a session', () => {
  it('replays tool calls with their results, and no halves of them', async () => {
    const asked: string[][] = [];
    const models: Record<string, MockSource> = {
      'mock/script': (request, index) => {
        asked.push(request.messages.map((message) => (message.role === 'assistant' && message.tool_calls ? 'assistant+call' : message.role)));
        return index === 0 ? { tool_calls: [{ name: 'calculator', input: { expression: '6 * 7' } }] } : `answer ${index}`;
      },
    };
    await using test = await testRuntime({ log: { level: 'silent' } }, { models });
    const run = async (lua: string) => (await test.runtime.execute(lua, { language: 'lua', session: 'chat' })).value;
    const execute = (options: string) => `return Agent.execute({model = "mock/script", tools = {"calculator"}, prompt = "go", session = ${options}}).output`;
    expect(await run(execute('Session.current_id()'))).toBe('answer 1');
    expect(await run('local r = {} for i, t in ipairs(Session.get_turns(Session.current_id())) do r[i] = t.role end return r')).toEqual([
      'user',
      'assistant',
      'tool',
      'assistant',
    ]);
    // Another process of the same session goes on where the first has ended.
    expect(await run(execute('Session.current_id()'))).toBe('answer 2');
    // The last two of six begin behind the call; the last four have the result without its call.
    await run(execute('{id = Session.current_id(), last = 2}'));
    await run(execute('{id = Session.current_id(), last = 6}'));
    expect(asked).toEqual([
      ['user'],
      ['user', 'assistant+call', 'tool'],
      ['user', 'assistant+call', 'tool', 'assistant', 'user'],
      ['user', 'assistant', 'user'],
      ['assistant', 'user', 'assistant', 'user', 'assistant', 'user'],
    ]);
  });

  it('refuses a session that is not active, and says so before anything is lost', async () => {
    await using test = await testRuntime({ log: { level: 'silent' } }, { models: { 'mock/script': ['answer'] } });
    await expect(
      test.runtime.execute('local id = Session.create() Session.complete(id) Agent.execute({model = "mock/script", prompt = "x", session = id})', {
        language: 'lua',
      }),
    ).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringMatching(/is completed; Session\.fork copies it into an active one/) });
    await expect(test.runtime.execute('Agent.execute({model = "mock/script", prompt = "x", session = "none"})', { language: 'lua' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('there is no session none'),
    });
  });
});

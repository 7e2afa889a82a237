import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AnswerCache } from '../../src/hook/builtin/cache.ts';
import { TokenBucket } from '../../src/hook/builtin/rate-limit.ts';
import { luhn, PATTERNS } from '../../src/hook/builtin/sensitive.ts';
import { type ConfigInput, type LogEntry, log, type MockSource, type ModelRequest, ScriptRuntime } from '../../src/index.ts';
import { testRuntime } from '../support/runtime.ts';

const LANGUAGES = ['lua', 'javascript'] as const;

/** A model that counts how often it is asked and keeps the requests. */
function counting(answer: (index: number) => string = (index) => `answer ${index + 1}`) {
  const asked: ModelRequest[] = [];
  const source: MockSource = (request, index) => {
    asked.push(request);
    return { text: answer(index), usage: { input_tokens: 1_000, output_tokens: 100 } };
  };
  return { asked, models: { 'mock/counted': source } };
}

const hooks = (settings: NonNullable<ConfigInput['hooks']>, more: ConfigInput = {}): ConfigInput => ({ log: { level: 'silent' }, ...more, hooks: settings });

describe.each(LANGUAGES)('in %s', (language) => {
  const text = (lua: string, js: string) => (language === 'lua' ? lua : js);
  const ask = (prompt: string) =>
    text(`Agent.execute({model = "mock/counted", prompt = "${prompt}"}).output`, `Agent.execute({model: "mock/counted", prompt: "${prompt}"}).output`);
  const asks = (...prompts: string[]) => text(`return {${prompts.map(ask).join(', ')}}`, `[${prompts.map(ask).join(', ')}]`);

  describe('the cache', () => {
    it('answers what was asked before, in this run and the next, and tells', async () => {
      const { asked, models } = counting();
      await using test = await testRuntime(hooks({ cache: {}, metrics: {} }), { models });
      const heard: unknown[] = [];
      test.runtime.on('cache.*', ({ event_type, payload }) => heard.push([event_type, (payload as { name: string }).name]));
      expect((await test.runtime.execute(asks('a', 'b', 'a'), { language })).value).toEqual(['answer 1', 'answer 2', 'answer 1']);
      expect((await test.runtime.execute(asks('b'), { language })).value).toEqual(['answer 2']);
      expect(asked.length).toBe(2);
      expect(heard.map((one) => (one as string[])[0])).toEqual(['cache.miss', 'cache.miss', 'cache.hit', 'cache.hit']);
      expect(test.runtime.metrics().counters).toMatchObject({ 'cache.hit': 2, 'cache.miss': 2 });
    });

    it('is off when nobody switched it on, or somebody off', async () => {
      for (const config of [hooks({}), hooks({ cache: { enabled: false } }), hooks({ cache: { models: ['openai/*'] } })]) {
        const { asked, models } = counting();
        await using test = await testRuntime(config, { models });
        expect((await test.runtime.execute(asks('a', 'a'), { language })).value).toEqual(['answer 1', 'answer 2']);
        expect(asked.length).toBe(2);
      }
    });

    it('uses no tokens for what it knows, and streams it', async () => {
      const { models } = counting();
      await using test = await testRuntime(hooks({ cache: {} }), { models });
      const script = text(
        'local function go() local parts = {} local a = Agent.execute({model = "mock/counted", prompt = "a"}) local b = Agent.create({model = "mock/counted"}) b:stream("a", function(p) parts[#parts + 1] = p end) return {a.usage.total_tokens, table.concat(parts)} end return {go(), go()}',
        'const go = () => { const parts = []; const a = Agent.execute({model: "mock/counted", prompt: "a"}); const b = Agent.create({model: "mock/counted"}); b.stream("a", p => { parts.push(p) }); return [a.usage.total_tokens, parts.join("")] }; [go(), go()]',
      );
      expect((await test.runtime.execute(script, { language })).value).toEqual([
        [1_100, 'answer 1'],
        [0, 'answer 1'],
      ]);
    });

    it('keeps tenants apart, and what is older than its time is asked again', async () => {
      const { asked, models } = counting();
      await using test = await testRuntime(hooks({ cache: { ttl_ms: 1_000 } }), { models });
      const run = async (tenant: string, now: number) => (await test.runtime.execute(asks('a'), { language, tenant, clock: () => now })).value;
      expect(await run('one', 0)).toEqual(['answer 1']);
      expect(await run('two', 0)).toEqual(['answer 2']);
      expect(await run('one', 999)).toEqual(['answer 1']);
      expect(await run('one', 1_000)).toEqual(['answer 3']);
      expect(asked.length).toBe(3);
    });

    it('knows results of pure tools and of those that are named, no others', async () => {
      await using test = await testRuntime(hooks({ cache: { tools: ['uuid'] } }));
      const heard: string[] = [];
      test.runtime.on('cache.*', ({ event_type, payload }) => heard.push(`${event_type} ${(payload as { name: string }).name}`));
      const script = text(
        'local same = JSON.stringify(Tool.execute("uuid")) == JSON.stringify(Tool.execute("uuid")) Tool.execute("calculator", {expression = "1"}) Tool.execute("calculator", {expression = "1"}) Tool.execute("datetime") Tool.execute("datetime") return same',
        'const same = JSON.stringify(Tool.execute("uuid")) === JSON.stringify(Tool.execute("uuid")); Tool.execute("calculator", {expression: "1"}); Tool.execute("calculator", {expression: "1"}); Tool.execute("datetime"); Tool.execute("datetime"); same',
      );
      expect((await test.runtime.execute(script, { language })).value).toBe(true);
      expect(heard).toEqual(['cache.miss uuid', 'cache.hit uuid', 'cache.miss calculator', 'cache.hit calculator']);
    });

    it('gives no run what it could not have got itself', async () => {
      await using test = await testRuntime(hooks({ cache: { tools: ['file_read'] } }));
      const { writeFileSync } = await import('node:fs');
      writeFileSync(join(test.grants.read[0] as string, 'a.txt'), 'secret');
      const read = text('return Tool.execute("file_read", {path = "a.txt"}).content', 'Tool.execute("file_read", {path: "a.txt"}).content');
      expect((await test.runtime.execute(read, { language, grants: test.grants })).value).toBe('secret');
      await expect(test.runtime.execute(read, { language })).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    });

    it("hears each answer as the model gave it: a script's hooks come around it", async () => {
      const { models } = counting();
      await using test = await testRuntime(hooks({ cache: {} }), { models });
      const script = text(
        `Hook.register("agent:after_model_call", function(ctx) return {output = {content = ctx.output.content .. "!"}} end) ${asks('a', 'a')}`,
        `Hook.register("agent:after_model_call", ctx => ({output: {content: ctx.output.content + "!"}})); ${asks('a', 'a')}`,
      );
      expect((await test.runtime.execute(script, { language })).value).toEqual(['answer 1!', 'answer 1!']);
    });
  });

  describe('rate limits', () => {
    it('refuse what comes too often, for each tenant by itself', async () => {
      const { asked, models } = counting();
      await using test = await testRuntime(hooks({ rate_limit: { rules: [{ model: 'mock/*', per_minute: 0.001, burst: 2, exceeded: 'refuse' }] } }), {
        models,
      });
      const script = text(
        `local got = {} for i = 1, 3 do local ok, e = pcall(function() return Agent.execute({model = "mock/counted", prompt = "a"}) end) got[i] = ok and "answered" or e.code .. " " .. tostring(e.details.retryable) end return got`,
        `const got = []; for (let i = 0; i < 3; i++) { try { Agent.execute({model: "mock/counted", prompt: "a"}); got.push("answered") } catch (e) { got.push(e.code + " " + e.details.retryable) } } got`,
      );
      for (const tenant of ['one', 'two'])
        expect((await test.runtime.execute(script, { language, tenant })).value).toEqual(['answered', 'answered', 'LIMIT_EXCEEDED true']);
      expect(asked.length).toBe(4);
    });

    it('refuse again and again: a refusal is no failure of the hook', async () => {
      await using test = await testRuntime(hooks({ rate_limit: { rules: [{ tool: 'uu*', per_minute: 0.001, burst: 1, exceeded: 'refuse' }] } }));
      const script = text(
        'local n = 0 for i = 1, 9 do local ok, e = pcall(Tool.execute, "uuid") if not ok and e.code == "LIMIT_EXCEEDED" then n = n + 1 end end Tool.execute("calculator", {expression = "1"}) return {n, Hook.list()[2].failures}',
        'let n = 0; for (let i = 0; i < 9; i++) { try { Tool.execute("uuid") } catch (e) { if (e.code === "LIMIT_EXCEEDED") n++ } } Tool.execute("calculator", {expression: "1"}); [n, Hook.list()[1].failures]',
      );
      expect((await test.runtime.execute(script, { language })).value).toEqual([8, 0]);
    });

    it('let others wait for their turn', async () => {
      await using test = await testRuntime(hooks({ rate_limit: { rules: [{ tool: 'uuid', per_minute: 120, burst: 1 }] } }));
      const waited: number[] = [];
      test.runtime.on('rate_limit.waited', ({ payload }) => waited.push((payload as { wait_ms: number }).wait_ms));
      const script = text('parallel({1, 2}, function() Tool.execute("uuid") end) return "done"', 'parallel([1, 2], () => Tool.execute("uuid")); "done"');
      expect((await test.runtime.execute(script, { language })).value).toBe('done');
      expect(waited.length).toBe(1);
    });

    it("count each attempt that a script's hook asks for", async () => {
      const { asked, models } = counting();
      await using test = await testRuntime(hooks({ rate_limit: { rules: [{ model: '*', per_minute: 0.001, burst: 3, exceeded: 'refuse' }] } }), { models });
      const script = text(
        `Hook.register("agent:after_model_call", function() return {retry = {max_attempts = 10}} end) Agent.execute({model = "mock/counted", prompt = "a"})`,
        `Hook.register("agent:after_model_call", () => ({retry: {max_attempts: 10}})); Agent.execute({model: "mock/counted", prompt: "a"})`,
      );
      await expect(test.runtime.execute(script, { language })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
      expect(asked.length).toBe(3);
    });
  });

  describe('cost tracking', () => {
    const PRICES = { models: { prices: { 'mock/counted': { input: 1_000, output: 10_000 } } } };
    const EACH_USD = 2;

    it('adds up what models cost and remembers it', async () => {
      const { models } = counting();
      await using test = await testRuntime(hooks({ cost_tracking: {} }, PRICES), { models });
      const recorded: unknown[] = [];
      test.runtime.on('cost.recorded', ({ payload }) => recorded.push((payload as { run_usd: number }).run_usd));
      await test.runtime.execute(asks('a', 'b'), { language, tenant: 'one' });
      await test.runtime.execute(asks('a'), { language, tenant: 'two' });
      expect(recorded).toEqual([EACH_USD, 2 * EACH_USD, EACH_USD]);
      const costs = { usd: 2 * EACH_USD, models: [{ model: 'mock/counted', calls: 2, input_tokens: 2_000, output_tokens: 200, usd: 2 * EACH_USD }] };
      for (const period of ['all', 'month', 'day'] as const) expect(await test.runtime.costs('one', period)).toEqual(costs);
      await using later = await ScriptRuntime.create({ config: hooks({ cost_tracking: {} }, PRICES), dataDir: join(test.folder, 'data') });
      expect(await later.costs('one')).toEqual(costs);
      expect((await later.costs('two')).usd).toBe(EACH_USD);
      expect((await later.costs('three')).models).toEqual([]);
    });

    it('refuses further calls of models at the limit of a run', async () => {
      const { asked, models } = counting();
      await using test = await testRuntime(hooks({ cost_tracking: { max_usd_per_run: 3 } }, PRICES), { models });
      await expect(test.runtime.execute(asks('a', 'b', 'c'), { language })).rejects.toMatchObject({
        code: 'LIMIT_EXCEEDED',
        message: 'mock/counted: hooks.cost_tracking.max_usd_per_run = 3: 4.000000 US dollars are spent',
      });
      expect(asked.length).toBe(2);
      expect((await test.runtime.execute(asks('a'), { language })).value).toEqual(['answer 3']);
    });

    it('refuses them at the limit of a tenant, whatever the script does', async () => {
      const { asked, models } = counting();
      await using test = await testRuntime(hooks({ cost_tracking: { max_usd_per_tenant: 3 } }, PRICES), { models });
      // Neither a hook that ends the chain, nor a restored backup, nor an emptied State hides what was spent.
      const script = text(
        `local id = State.backup() Hook.register("agent:after_model_call", function() return {continue_execution = false} end, "highest") for i = 1, 2 do pcall(function() return ${ask('a')} end) end State.restore(id) State.clear("global") return "spent"`,
        `const id = State.backup(); Hook.register("agent:after_model_call", () => ({continue_execution: false}), "highest"); for (let i = 0; i < 2; i++) { try { ${ask('a')} } catch {} } State.restore(id); State.clear("global"); "spent"`,
      );
      expect((await test.runtime.execute(script, { language, grants: test.grants })).value).toBe('spent');
      await expect(test.runtime.execute(asks('a'), { language, grants: test.grants })).rejects.toMatchObject({
        code: 'LIMIT_EXCEEDED',
        message: expect.stringContaining('max_usd_per_tenant = 3: 4.000000'),
      });
      expect(asked.length).toBe(2);
    });

    it('asks for a price where costs are limited', async () => {
      const { models } = counting();
      await using test = await testRuntime(hooks({ cost_tracking: { max_usd_per_run: 3 } }), { models });
      await expect(test.runtime.execute(asks('a'), { language })).rejects.toMatchObject({
        code: 'BAD_CONFIG',
        message: expect.stringContaining('[models.prices]'),
      });
    });
  });

  describe('redaction', () => {
    const SECRETS = 'ada@example.org 4111 1111 1111 1111 sk-abcdefghijklmnopqrstuvwx EMP-1234 and 4111 1111 1111 1112';
    const SAFE = '[email] [card] [api_key] [staff] and 4111 1111 1111 1112';

    it('takes out of requests what matches, system prompts and history included', async () => {
      const { asked, models } = counting();
      await using test = await testRuntime(hooks({ redact: { custom: { staff: 'EMP-[0-9]+' } } }), { models });
      const script = text(
        `local a = Agent.create({model = "mock/counted", system_prompt = INPUT}) a:execute({prompt = INPUT, context = INPUT}) return a:execute(INPUT).output`,
        `const a = Agent.create({model: "mock/counted", system_prompt: INPUT}); a.execute({prompt: INPUT, context: INPUT}); a.execute(INPUT).output`,
      );
      expect((await test.runtime.execute(script, { language, input: SECRETS })).value).toBe('answer 2');
      const sent = asked.flatMap(({ messages }) => messages.flatMap((one) => [one.content, ...('context' in one ? [one.context] : [])]));
      expect(sent.length).toBe(8);
      expect(sent.filter((one) => one?.includes('answer') === false).every((one) => one === SAFE)).toBe(true);
    });

    it('takes it out of answers before anybody sees them', async () => {
      const { models } = counting(() => SECRETS);
      await using test = await testRuntime(hooks({ redact: { apply: ['model_output'], custom: { staff: 'EMP-[0-9]+' } } }), { models });
      const script = text(
        'local seen = {} Hook.register("agent:after_model_call", function(ctx) seen[#seen + 1] = ctx.output.content end) local a = Agent.create({model = "mock/counted"}) local out = a:stream("x", function(part) seen[#seen + 1] = part end).output seen[#seen + 1] = out return seen',
        'const seen = []; Hook.register("agent:after_model_call", ctx => { seen.push(ctx.output.content) }); const a = Agent.create({model: "mock/counted"}); seen.push(a.stream("x", part => { seen.push(part) }).output); seen',
      );
      expect((await test.runtime.execute(script, { language })).value).toEqual([SAFE, SAFE, SAFE]);
    });

    it('takes it out of the log', async () => {
      await using test = await testRuntime({ hooks: { redact: { apply: ['log'], custom: { staff: 'EMP-[0-9]+' }, replacement: '<{kind}>' } } });
      const entries: LogEntry[] = [];
      test.runtime.host.get(log).writeTo((entry) => entries.push(entry));
      await test.runtime.execute(text('Logger.warn(INPUT, {deep = {INPUT, {[INPUT] = 1}}})', 'Logger.warn(INPUT, {deep: [INPUT, {[INPUT]: 1}]})'), {
        language,
        input: SECRETS,
      });
      const safe = SAFE.replaceAll('[', '<').replaceAll(']', '>');
      expect(entries).toMatchObject([{ message: safe, fields: { deep: [safe, { [safe]: 1 }] } }]);
    });

    it('takes it out of a long text too', async () => {
      const { asked, models } = counting();
      await using test = await testRuntime(hooks({ redact: { custom: { staff: 'EMP-[0-9]+' } } }), { models });
      const filler = 'x '.repeat(20_000);
      const script = text('Agent.execute({model = "mock/counted", prompt = INPUT})', 'Agent.execute({model: "mock/counted", prompt: INPUT})');
      await test.runtime.execute(script, { language, input: `${SECRETS} ${filler}${SECRETS}` });
      expect(asked[0]?.messages.at(-1)?.content).toBe(`${SAFE} ${filler}${SAFE}`);
    });
  });

  it('logging writes the points that it is set to, each once', async () => {
    await using test = await testRuntime({
      log: { level: 'info' },
      hooks: { logging: { points: ['tool:*:after_execution', 'tool:*', 'security:violation'], values: true } },
    });
    const entries: LogEntry[] = [];
    test.runtime.host.get(log).writeTo((entry) => entries.push(entry));
    const script = text(
      'Tool.execute("calculator", {expression = "6 * 7"}) pcall(Tool.execute, "calculator", {expression = "1 / 0"}) pcall(State.backup) State.save("global", "k", 1)',
      'Tool.execute("calculator", {expression: "6 * 7"}); try { Tool.execute("calculator", {expression: "1 / 0"}) } catch {} try { State.backup() } catch {} State.save("global", "k", 1)',
    );
    await test.runtime.execute(script, { language });
    expect(entries.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info tool:calculator:validation',
      'info tool:calculator:before_execution',
      'info tool:calculator:after_execution',
      'info tool:calculator:validation',
      'info tool:calculator:before_execution',
      'warn tool:calculator:error',
      'warn security:violation',
    ]);
    expect(entries[2]?.fields).toMatchObject({ name: 'calculator', output: { result: 42 }, duration_ms: expect.any(Number) });
  });

  it('metrics count and time what is done, by kind and name', async () => {
    const { models } = counting();
    await using test = await testRuntime(hooks({ metrics: {} }), { models });
    const script = text(
      `${asks('a', 'b').replace('return', 'local answers =')} for i = 1, 3 do Tool.execute("uuid") end pcall(Tool.execute, "calculator", {expression = "1 / 0"}) State.save("global", "k", 1) Hook.fire("mine") pcall(State.backup) Workflow.sequential({name = "w", steps = {{name = "s", handler = function() return 1 end}}}):execute()`,
      `${asks('a', 'b')}; for (let i = 0; i < 3; i++) Tool.execute("uuid"); try { Tool.execute("calculator", {expression: "1 / 0"}) } catch {} State.save("global", "k", 1); Hook.fire("mine"); try { State.backup() } catch {} Workflow.sequential({name: "w", steps: [{name: "s", handler: () => 1}]}).execute()`,
    );
    await test.runtime.execute(script, { language });
    const { operations, counters } = test.runtime.metrics();
    expect(operations.map(({ kind, name, count, failures }) => `${kind} ${name} ${count} ${failures}`).sort()).toEqual([
      'agent anonymous 2 0',
      'model mock/counted 2 0',
      'state save 1 0',
      'step w.s 1 0',
      'tool calculator 1 1',
      'tool uuid 3 0',
      'workflow w 1 0',
    ]);
    expect(counters).toEqual({ 'custom:mine': 1, 'security:violation': 1 });
    const uuid = operations.find(({ name }) => name === 'uuid');
    expect(uuid?.buckets.at(-1)).toEqual({ le_ms: null, count: 3 });
    expect(uuid?.total_ms).toBeGreaterThan(0);
  });

  it('is off: nothing is counted and nothing listed', async () => {
    await using test = await testRuntime();
    const { value } = await test.runtime.execute(text('Tool.execute("uuid") return #Hook.list()', 'Tool.execute("uuid"); Hook.list().length'), { language });
    expect(value).toBe(0);
    expect(test.runtime.metrics()).toEqual({ operations: [], counters: {} });
  });
});

describe('a wrong setting', () => {
  it.each([
    ['a point that is none', { logging: { points: ['agent:before_lunch'] } }, /^hooks\.logging: no hook point matches "agent:before_lunch"/],
    ['an expression that is none', { redact: { custom: { odd: '(' } } }, /^hooks\.redact: custom\.odd: /],
    ['a rule without model and tool', { rate_limit: { rules: [{ per_minute: 1 }] } }, /^hooks\.rate_limit: rules\.0: expected either model or tool/],
  ])('is told at the start: %s', async (_, settings, message) => {
    await expect(ScriptRuntime.create({ config: hooks(settings, { data: { backend: 'memory' } }) })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringMatching(message),
    });
  });
});

describe('the built-in patterns', () => {
  it.each([
    ['email', 'a@b.org@c.org, @d.org, e@f, (g.h+i@j-k.l.com) ä@m.de', '*@c.org, @d.org, e@f, (*) ä@m.de'],
    ['email', `${'a'.repeat(70)}@b.org`, 'aaaaaa*'],
    ['card', '4111-1111-1111-1111 4111 1111 1111 1112', '* 4111 1111 1111 1112'],
    ['api_key', 'secret: abcdefghijklmnopqrst', 'secret: *'],
    ['api_key', 'API_KEY" =  "abcdefghijklmnopqrst"', 'API_KEY" =  "*"'],
    ['api_key', 'bearer abcdefghijklmnopqrst', 'bearer *'],
    ['api_key', 'secret\n\nabcdefghijklmnopqrst', 'secret\n\nabcdefghijklmnopqrst'],
    ['api_key', 'a -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- b', 'a * b'],
    ['api_key', 'a -----BEGIN RSA PRIVATE KEY-----\nabc', 'a *'],
  ] as const)('%s in %j', (name, given, safe) => {
    expect(PATTERNS[name]('*')(given)).toBe(safe);
  });
});

describe('a cache', () => {
  it('is bounded in number and size, the least recently used first', () => {
    const cache = new AnswerCache(2, 1_000, 10);
    cache.put('a', 1, 0);
    cache.put('b', 2, 0);
    expect(cache.get('a', 1)).toBe(1);
    cache.put('c', 3, 1);
    expect(['a', 'b', 'c'].map((key) => cache.get(key, 2))).toEqual([1, undefined, 3]);
    cache.put('d', 'x'.repeat(900), 2);
    expect(['a', 'c', 'd'].map((key) => typeof cache.get(key, 3))).toEqual(['undefined', 'number', 'string']);
    cache.put('e', 'x'.repeat(2_000), 3);
    expect(cache.get('e', 3)).toBeUndefined();
  });
});

describe('a token bucket', () => {
  it('fills steadily up to its size, and lends what is still to come', () => {
    const bucket = new TokenBucket(60, 2, 0);
    expect([bucket.take(0, 0), bucket.take(0, 0), bucket.take(0, 0)]).toEqual([0, 0, 1_000]);
    expect([bucket.take(0, 5_000), bucket.take(0, 5_000)]).toEqual([1_000, 2_000]);
    expect(bucket.take(3_000, 0)).toBe(0);
    expect(bucket.take(1e9, 0)).toBe(0);
    bucket.giveBack();
    expect([bucket.take(1e9, 0), bucket.take(1e9, 0), bucket.take(1e9, 0)]).toEqual([0, 0, 1_000]);
  });
});

describe('what is sensitive', () => {
  it.each(['sk-', '-----BEGIN PRIVATE KEY-----', 'a@', '1 ', 'bearer ', 'secret='])('is looked for in linear time: %s again and again', (part) => {
    const search = (times: number) => {
      const started = performance.now();
      for (const pattern of Object.values(PATTERNS)) pattern('#')(part.repeat(times));
      return performance.now() - started;
    };
    search(1_000);
    // Quadratic work would take a thousand times as long and not end within the time of a test.
    search(1_000_000);
  });

  it.each([
    ['4111111111111111', true],
    ['4111-1111-1111-1111', true],
    ['378282246310005', true],
    ['4111111111111112', false],
    ['1234567890', false],
  ])('cards have a check digit: %s', (number, is) => {
    expect(PATTERNS.card('#')(`pay ${number} now`)).toBe(is ? 'pay # now' : `pay ${number} now`);
    if (number.length >= 13) expect(luhn(number)).toBe(is);
  });

  it.each([
    ['write to a.b+c@mail.example.co.uk.', 'write to #.'],
    ['a @ b and @handle', 'a @ b and @handle'],
  ])('addresses: %s', (text, safe) => expect(PATTERNS.email('#')(text)).toBe(safe));

  it.each([
    ['key AKIAIOSFODNN7EXAMPLE.', 'key #.'],
    ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', '#'],
    ['api_key = "0123456789abcdef0123"', 'api_key = "#"'],
    ['Authorization: Bearer abcdefghijklmnop.qrs', 'Authorization: Bearer #'],
    ['the secret of a good soup', 'the secret of a good soup'],
    ['-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----', '#'],
  ])('keys: %s', (text, safe) => expect(PATTERNS.api_key('#')(text)).toBe(safe));
});

it('accounts lie in the folder of their tenant', async () => {
  const { models } = counting();
  await using test = await testRuntime(hooks({ cost_tracking: {} }), { models });
  await test.runtime.execute('Agent.execute({model = "mock/counted", prompt = "a"})', { tenant: 'one' });
  const tenants = join(test.folder, 'data', 'tenants');
  const [folder = ''] = readdirSync(tenants);
  expect(readdirSync(join(tenants, folder, 'accounts'))).toContain('state.db');
  expect(readFileSync(join(tenants, folder, 'accounts', 'state.db')).length).toBeGreaterThan(0);
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hostService, runService } from '../../src/call/context.ts';
import type { HookFunction } from '../../src/hook/hooks.ts';
import { anyValue, createStateManager, defineGlobal, defineTool, method, ScriptError, ScriptRuntime } from '../../src/index.ts';
import type { RunHandle } from '../../src/runtime/options.ts';
import { testRuntime } from '../support/runtime.ts';

const LANGUAGES = ['lua', 'javascript'] as const;

/** A tool that never answers, and what its call is aborted with. */
function slowTool() {
  const { promise: aborted, resolve } = Promise.withResolvers<ScriptError>();
  const slow = defineTool({
    name: 'slow',
    description: 'Waits',
    category: 'test',
    input: z.strictObject({}),
    output: anyValue,
    execute: (_, { signal }) => new Promise(() => signal.addEventListener('abort', () => resolve(signal.reason))),
  });
  return { aborted, slow };
}

describe.each(LANGUAGES)('a host in %s', (language) => {
  it('has methods with a parameter that is called as that of handles', async () => {
    const me = method({ doc: 'Gives it.', params: { self: z.number() }, result: z.number(), effect: 'pure', examples: [], handler: ({ self }) => self });
    await using test = await testRuntime({}, { globals: [defineGlobal({ name: 'Own', doc: 'Gives.', methods: { me } })] });
    expect((await test.runtime.execute('return Own.me(7)', { language })).value).toBe(7);
    const any = method({ doc: 'Takes anything.', params: { value: z.any() }, result: z.null(), effect: 'pure', examples: [], handler: () => null });
    await using other = await testRuntime({}, { globals: [defineGlobal({ name: 'Own', doc: 'Takes.', methods: { any } })] });
    await expect(other.runtime.execute('Own.any()', { language })).rejects.toThrow(/^Own\.any: value: expected a value, got nothing$/);
    await expect(test.runtime.execute('return Own.me("x")', { language })).rejects.toThrow(/^Own\.me: self: expected a number, got a string$/);
  });

  it('adds a tool and a global in a few lines', async () => {
    const double = defineTool({
      name: 'double',
      description: 'Twice a number',
      category: 'math',
      input: z.strictObject({ n: z.number() }),
      output: z.object({ n: z.number() }),
      execute: ({ n }) => ({ n: n * 2 }),
    });
    const clock = defineGlobal({
      name: 'Host',
      doc: 'What the host offers.',
      methods: { greet: method({ doc: 'Greets.', params: { name: z.string() }, result: z.string(), effect: 'pure', handler: ({ name }) => `hello ${name}` }) },
    });
    await using test = await testRuntime({}, { tools: [double], globals: [clock] });
    const text =
      language === 'lua' ? 'return {Tool.execute("double", {n = 21}).n, Host.greet("Ada")}' : '[Tool.execute("double", {n: 21}).n, Host.greet("Ada")]';
    expect((await test.runtime.execute(text, { language })).value).toEqual([42, 'hello Ada']);
    const bad = language === 'lua' ? 'Tool.execute("double", {nn = 1})' : 'Tool.execute("double", {nn: 1})';
    await expect(test.runtime.execute(bad, { language })).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: expect.stringContaining('did you mean "n"') });
  });

  it('hears events and runs hooks before those of the script', async () => {
    await using test = await testRuntime();
    const heard: string[] = [];
    const stopListening = test.runtime.on('custom.*', (event, origin) => heard.push(`${event.event_type} ${origin.tenant}`));
    const unhook = test.runtime.hook('state:before_save', (ctx) => {
      const input = ctx.input as { scope: string; key: string; value: number };
      return { input: { ...input, value: input.value + 1 } };
    });
    const text =
      language === 'lua'
        ? 'Hook.register("state:before_save", function(ctx) return {input = {scope = "global", key = "n", value = ctx.input.value * 10}} end, "highest") State.save("global", "n", 1) Event.emit("custom.x") local ok, e = pcall(Hook.pause, Hook.list()[1].id) return {State.load("global", "n"), Hook.list()[1].source, e.code}'
        : 'Hook.register("state:before_save", ctx => ({input: {scope: "global", key: "n", value: ctx.input.value * 10}}), "highest"); State.save("global", "n", 1); Event.emit("custom.x"); let code; try { Hook.pause(Hook.list()[0].id) } catch (e) { code = e.code } [State.load("global", "n"), Hook.list()[0].source, code]';
    expect((await test.runtime.execute(text, { language })).value).toEqual([20, 'host', 'NOT_ALLOWED']);
    expect(heard).toEqual(['custom.x default']);
    stopListening();
    unhook();
    const plain =
      language === 'lua' ? 'State.save("global", "n", 1) return State.load("global", "n")' : 'State.save("global", "n", 1); State.load("global", "n")';
    expect((await test.runtime.execute(plain, { language })).value).toBe(1);
    expect(heard).toEqual(['custom.x default']);
  });

  it('cancels a run by its signal, which aborts what it waits for', async () => {
    let aborted = false;
    const abort = new AbortController();
    const slow = defineTool({
      name: 'slow',
      description: 'Waits',
      category: 'test',
      input: z.strictObject({}),
      output: anyValue,
      execute: (_, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason);
          });
          setImmediate(() => abort.abort());
        }),
    });
    await using test = await testRuntime({}, { tools: [slow] });
    const running = test.runtime.execute('Tool.execute("slow")', { language, signal: abort.signal });
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(aborted).toBe(true);
  });

  it('kills a run that is cancelled and computes on', async () => {
    await using test = await testRuntime();
    const text = language === 'lua' ? 'while true do pcall(function() while true do end end) end' : 'for (;;) try { for (;;); } catch {}';
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    await expect(test.runtime.execute(text, { language, signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect((await test.runtime.execute(language === 'lua' ? 'return 1' : '1', { language })).value).toBe(1);
  });

  it.each([
    ['returns', 'return 1', 'return 1'],
    ['fails otherwise', 'error("other")', 'throw new Error("other")'],
  ])('takes no calls from a run that catches its cancellation, which ends so even where the script %s', async (_, lua, js) => {
    const abort = new AbortController();
    const { slow } = slowTool();
    const execute: typeof slow.execute = (...call) => {
      setImmediate(() => abort.abort());
      return slow.execute(...call);
    };
    await using test = await testRuntime({}, { tools: [{ ...slow, execute }] });
    const text =
      language === 'lua'
        ? `pcall(Tool.execute, "slow") if pcall(State.save, "global", "after", 1) then print("saved") end ${lua}`
        : `try { Tool.execute("slow") } catch {} try { State.save("global", "after", 1); print("saved") } catch {} ${js}`;
    const running = test.runtime.execute(text, { language, signal: abort.signal });
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED', run: { output: [] } });
    const look = language === 'lua' ? 'return State.exists("global", "after")' : 'State.exists("global", "after")';
    expect((await test.runtime.execute(look, { language })).value).toBe(false);
  });

  it('cancels a run whose main chunk has returned and whose handlers still run', async () => {
    const abort = new AbortController();
    await using test = await testRuntime();
    const text =
      language === 'lua'
        ? 'Event.subscribe("a", function() print("go") sleep(60000) end) Event.emit("a") return 1'
        : 'Event.subscribe("a", () => { print("go"); sleep(60000) }); Event.emit("a"); 1';
    const running = test.runtime.execute(text, { language, signal: abort.signal, on_output: () => setTimeout(() => abort.abort(), 5) });
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('aborts what a run waits for when its main chunk fails, and awaits nothing', async () => {
    const { aborted, slow } = slowTool();
    await using test = await testRuntime({ log: { level: 'silent' } }, { tools: [slow] });
    const text =
      language === 'lua'
        ? 'Event.subscribe("a", function() print("began") Tool.execute("slow") print("went on") end) Event.emit("a") error("bad")'
        : 'Event.subscribe("a", () => { print("began"); Tool.execute("slow"); print("went on") }); Event.emit("a"); throw new Error("bad")';
    await expect(test.runtime.execute(text, { language })).rejects.toMatchObject({ code: 'SCRIPT_ERROR', run: { output: ['began'] } });
    await aborted;
  });

  it('aborts what a run waits for when it is killed', async () => {
    const { aborted, slow } = slowTool();
    await using test = await testRuntime({ log: { level: 'silent' } }, { tools: [slow] });
    const text =
      language === 'lua'
        ? 'parallel({function() Tool.execute("slow") end, function() while true do end end})'
        : 'parallel([() => Tool.execute("slow"), () => { for (;;); }])';
    await expect(test.runtime.execute(text, { language, limits: { cpu_ms: 50 } })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await aborted).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('runs a function of State ten times while others change what it reads, then CONFLICT', async () => {
    await using state = createStateManager({ data: { backend: 'memory' } });
    await using test = await testRuntime({}, { state });
    let others = 0;
    test.runtime.hook('state:before_save', async (ctx) => {
      if ((ctx.input as { key: string }).key === 'mine') await state.save('global', 'theirs', ++others);
    });
    const text = (times: number) =>
      language === 'lua'
        ? `local n = 0 local ok, e = pcall(State.transaction, function() n = n + 1 State.load("global", "theirs") State.save("global", n <= ${times} and "mine" or "calm", n) end) return {n, ok or e.code, State.list_keys("global")}`
        : `let n = 0, out = true; try { State.transaction(() => { n++; State.load("global", "theirs"); State.save("global", n <= ${times} ? "mine" : "calm", n) }) } catch (e) { out = e.code } [n, out, State.list_keys("global")]`;
    expect((await test.runtime.execute(text(3), { language })).value).toEqual([4, true, ['calm', 'theirs']]);
    expect((await test.runtime.execute(text(100), { language })).value).toEqual([10, 'CONFLICT', ['calm', 'theirs']]);
    // The hook ran in each attempt.
    expect(others).toBe(13);
  });

  it('runs a function of State again that reads on after others have changed what it read', async () => {
    await using state = createStateManager({ data: { backend: 'memory' } });
    await using test = await testRuntime({}, { state });
    let others = 0;
    test.runtime.hook('state:before_save', async (ctx) => {
      if ((ctx.input as { key: string }).key === 'mine') await state.save('global', 'theirs', ++others);
    });
    const text = (times: number) =>
      language === 'lua'
        ? `local n = 0 local ok, e = pcall(State.transaction, function() n = n + 1 State.load("global", "theirs") State.save("global", n <= ${times} and "mine" or "calm", n) State.load("global", "more") end) return {n, ok or e.code}`
        : `let n = 0, out = true; try { State.transaction(() => { n++; State.load("global", "theirs"); State.save("global", n <= ${times} ? "mine" : "calm", n); State.load("global", "more") }) } catch (e) { out = e.code } [n, out]`;
    expect((await test.runtime.execute(text(3), { language })).value).toEqual([4, true]);
    expect((await test.runtime.execute(text(100), { language })).value).toEqual([10, 'CONFLICT']);
  });

  it('bounds time, output and calls at once', async () => {
    await using test = await testRuntime();
    const run = (lua: string, js: string, limits: object) => test.runtime.execute(language === 'lua' ? lua : js, { language, limits });
    await expect(run('sleep(5000)', 'sleep(5000)', { timeout_ms: 30 })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'the run took longer than limits.timeout_ms = 30 ms',
    });
    await expect(run('while true do print(("x"):rep(1000)) end', 'for (;;) print("x".repeat(1000))', { output_mb: 0.1 })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'the run printed more than limits.output_mb = 0.1 MB',
    });
    await expect(
      run('local f = {} for i = 1, 20 do f[i] = function() sleep(50) end end parallel(f)', 'parallel(Array.from({length: 20}, () => () => sleep(50)))', {
        fibers: 10,
      }),
    ).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('awaits what goes on when the script has ended, for a while', async () => {
    await using test = await testRuntime();
    const text =
      language === 'lua'
        ? 'Event.subscribe("a", function(e) sleep(e.payload) print(e.payload) end) Event.emit("a", 20)'
        : 'Event.subscribe("a", e => { sleep(e.payload); print(e.payload) }); Event.emit("a", 20)';
    expect(await test.runtime.execute(text, { language })).toMatchObject({ output: ['20'], stats: { cancelled: 0 } });
    expect(await test.runtime.execute(text.replace('"a", 20', '"a", 60000'), { language, limits: { drain_ms: 30 } })).toMatchObject({
      output: [],
      stats: { cancelled: 1 },
    });
  });

  it('runs many at once, each for itself', async () => {
    await using test = await testRuntime();
    const text =
      language === 'lua'
        ? 'mine = INPUT for i = 1, 3 do sleep(2) end return {mine, ARGS[1]}'
        : 'globalThis.mine = INPUT; for (let i = 0; i < 3; i++) sleep(2); [mine, ARGS[0]]';
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => test.runtime.execute(text, { language, input: i, args: [`a${i}`] })));
    expect(results.map(({ value }) => value)).toEqual(Array.from({ length: 100 }, (_, i) => [i, `a${i}`]));
  });

  it('keeps tenants apart', async () => {
    await using test = await testRuntime();
    const save = language === 'lua' ? 'State.save("user:b", "k", INPUT)' : 'State.save("user:b", "k", INPUT)';
    const load = language === 'lua' ? 'return {State.load("user:b", "k"), State.list_scopes()}' : '[State.load("user:b", "k"), State.list_scopes()]';
    await test.runtime.execute(save, { language, tenant: 'a', input: 'of a' });
    await test.runtime.execute(save, { language, tenant: 'b', input: 'of b' });
    expect((await test.runtime.execute(load, { language, tenant: 'a' })).value).toEqual(['of a', ['user:b']]);
    expect((await test.runtime.execute(load, { language, tenant: 'b' })).value).toEqual(['of b', ['user:b']]);
    await expect(test.runtime.execute(load, { language, tenant: '../b' })).rejects.toMatchObject({ code: 'BAD_ARGUMENT' });
  });

  it('grants no model of its own of itself, and says so', async () => {
    await using test = await testRuntime({}, { models: { 'own/x': [] } });
    const text = language === 'lua' ? 'Agent.create({model = "own/x"})' : 'Agent.create({model: "own/x"})';
    await expect(test.runtime.execute(text, { language })).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      message: 'Agent.create: the model own/x was not granted to this run (grants.models)',
    });
  });

  it('grants nothing of itself', async () => {
    await using test = await testRuntime();
    const codes: string[] = [];
    for (const [lua, js] of [
      ['Tool.execute("file_read", {path = "/etc/hostname"})', 'Tool.execute("file_read", {path: "/etc/hostname"})'],
      ['Tool.execute("file_write", {path = "x", content = ""})', 'Tool.execute("file_write", {path: "x", content: ""})'],
      ['Tool.execute("http_request", {url = "http://example.org"})', 'Tool.execute("http_request", {url: "http://example.org"})'],
      ['Agent.create({model = "openai/gpt-4"})', 'Agent.create({model: "openai/gpt-4"})'],
      ['State.backup()', 'State.backup()'],
      ['require("x")', 'await import("./x.js")'],
    ]) {
      const error = await test.runtime.execute((language === 'lua' ? lua : js) as string, { language }).catch((thrown: ScriptError) => thrown);
      codes.push(error instanceof ScriptError ? error.code : 'ran');
    }
    expect(codes).toEqual(['NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_FOUND']);
  });
});

describe('the runtime', () => {
  it('fires system hooks and refuses what is closed', async () => {
    const fired: string[] = [];
    const hooks = ['system:startup', 'system:shutdown'].map((point) => ({ point, call: () => void fired.push(point) }));
    const runtime = await ScriptRuntime.create({ hooks, config: { data: { backend: 'memory' } } });
    await runtime[Symbol.asyncDispose]();
    expect(fired).toEqual(['system:startup', 'system:shutdown']);
    await expect(runtime.execute('return 1')).rejects.toMatchObject({ code: 'CANCELLED', message: 'the runtime is closed' });
  });

  it.each(LANGUAGES)('leaves nothing of a %s run whose host throws at its start', async (language) => {
    await using test = await testRuntime();
    const bad = new Error('not today');
    let handle: RunHandle | undefined;
    const on_start = (run: RunHandle) => {
      handle = run;
      throw bad;
    };
    const begins = {
      execute: () => test.runtime.execute('return 1', { language, on_start }),
      openSession: async () => test.runtime.openSession({ language, on_start }),
    };
    for (const [name, begin] of Object.entries(begins)) {
      await expect(begin()).rejects.toMatchObject({ code: 'INTERNAL', message: `${name}: on_start threw: not today`, cause: bad });
      expect(await handle?.emit('late')).toBe(false);
    }
  });

  it.each(LANGUAGES)('ends a %s run with what a promise of an option rejects with', async (language) => {
    await using test = await testRuntime();
    const bad = new Error('not today');
    const fail = () => Promise.reject(bad);
    for (const [option, text] of [
      ['on_start', 'sleep(60000)'],
      ['on_output', 'print(1) sleep(60000)'],
    ] as const) {
      const said = { code: 'INTERNAL', message: `execute: ${option} threw: not today`, cause: bad };
      await expect(test.runtime.execute(text.replace(') ', '); '), { language, [option]: fail })).rejects.toMatchObject(said);
    }
    await using session = test.runtime.openSession({ language, on_start: fail });
    await expect(session.evaluate('1')).rejects.toMatchObject({ message: 'openSession: on_start threw: not today' });
  });

  it.each(LANGUAGES)('says which option of a %s run threw', async (language) => {
    await using test = await testRuntime();
    const fail = () => {
      throw new TypeError('not today');
    };
    const text = language === 'lua' ? 'print(1) return os.time() + Event.emit("a.b").timestamp' : 'print(1); Date.now()';
    const cases: [object, string, string][] = [
      [{ clock: fail }, 'INTERNAL', 'execute: clock threw: not today'],
      [{ clock: () => Number.NaN }, 'BAD_ARGUMENT', 'execute: clock: its answer: expected a number of milliseconds, got a number (NaN)'],
      [{ on_output: fail }, 'INTERNAL', 'execute: on_output threw: not today'],
    ];
    for (const [options, code, message] of cases) await expect(test.runtime.execute(text, { language, ...options })).rejects.toMatchObject({ code, message });
  });

  it('disposes of what a hook at its start has used when that fails', async () => {
    const left: string[] = [];
    const leaving = (name: string) => () => ({ [Symbol.dispose]: () => void left.push(name) });
    const call: HookFunction = (_, { run }) => {
      run.get(runService('probe', leaving('run')));
      run.host.get(hostService('probe', leaving('host')));
      throw new Error('not today');
    };
    const hooks = [{ point: 'system:startup', call, options: { on_error: 'fail' } as const }];
    await expect(ScriptRuntime.create({ hooks, config: { data: { backend: 'memory' } } })).rejects.toThrow('not today');
    expect(left).toEqual(['run', 'host']);
  });

  it('gives stored values back with their keys in an order of their own', async () => {
    await using test = await testRuntime();
    const text = 'State.save("global", "k", {bb: 1, c: 2, a: 3}); Event.receive("e", 0); Event.emit("e", {bb: 1, c: 2, a: 3});';
    const { value } = await test.runtime.execute(`${text} [Event.receive("e").payload, State.load("global", "k")].map(one => Object.keys(one))`, {
      language: 'javascript',
    });
    expect(value).toEqual([
      ['bb', 'c', 'a'],
      ['a', 'c', 'bb'],
    ]);
  });

  it('refuses a wrong configuration, and a run that is cancelled before it begins', async () => {
    await expect(ScriptRuntime.create({ config: { limits: { cpu_ms: -1 } } })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringMatching(/^configuration: limits\.cpu_ms: /),
    });
    expect(() => createStateManager({ data: { dri: 'x' } } as object)).toThrow('configuration: unknown setting data.dri; did you mean dir?');
    await using test = await testRuntime();
    await expect(test.runtime.execute('return 1', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('shares the thread fairly among tenants', async () => {
    await using test = await testRuntime();
    const abort = new AbortController();
    const endless = Array.from({ length: 20 }, () =>
      test.runtime.execute('while true do end', { tenant: 'greedy', signal: abort.signal, limits: { cpu_ms: 60_000 } }).catch(() => undefined),
    );
    /** What the thread computes until a run of this one has ended, µs; what others of the machine take does not count. */
    const spent = async () => {
      const before = process.threadCpuUsage();
      await test.runtime.execute('local n = 0 for i = 1, 6000000 do n = n + i end return n', { tenant: 'modest' });
      const { user, system } = process.threadCpuUsage(before);
      return user + system;
    };
    const shared = await spent();
    abort.abort();
    await Promise.all(endless);
    const alone = await spent();
    // Half of the thread is its share; a twentieth would be that of a run among equals.
    expect(shared / alone).toBeLessThan(10);
  });
});

import { describe, expect, it } from 'vitest';
import { CallContext } from '../../src/call/run.ts';
import { hooks, hostHooks } from '../../src/hook/hooks.ts';
import type { LogEntry } from '../../src/index.ts';
import { log } from '../../src/index.ts';
import { testRun } from '../support/run.ts';
import { testRuntime } from '../support/runtime.ts';

const LANGUAGES = ['lua', 'javascript'] as const;

describe.each(LANGUAGES)('hooks in %s', (language) => {
  const text = (lua: string, js: string) => (language === 'lua' ? lua : js);

  it('are taken in again 30 s after their circuit opened, and left out at the next failure', async () => {
    await using test = await testRuntime({ log: { level: 'silent' } });
    let now = 1_000_000;
    test.runtime.on('later', () => {
      now += 30_000;
    });
    const script = text(
      'local n = 0 Hook.register("tool:uuid:before_execution", function() n = n + 1 error("x") end) local seen = {} local function go(times) for i = 1, times do Tool.execute("uuid") end seen[#seen + 1] = n seen[#seen + 1] = Hook.list()[1].circuit end go(7) Event.emit("later") seen[#seen + 1] = Hook.list()[1].circuit go(3) return seen',
      'let n = 0; Hook.register("tool:uuid:before_execution", () => { n++; throw new Error("x") }); const seen = []; const go = times => { for (let i = 0; i < times; i++) Tool.execute("uuid"); seen.push(n, Hook.list()[0].circuit) }; go(7); Event.emit("later"); seen.push(Hook.list()[0].circuit); go(3); seen',
    );
    const { value } = await test.runtime.execute(script, { language, clock: () => now });
    expect(value).toEqual([5, 'open', 'closed', 6, 'open']);
  });

  it('and handlers that fail are logged', async () => {
    await using test = await testRuntime();
    const entries: LogEntry[] = [];
    test.runtime.host.get(log).writeTo((entry) => entries.push(entry));
    const script = text(
      'Hook.register("tool:*:before_execution", function() sleep(5000) end, {timeout_ms = 10}) Event.subscribe("a", function() error("bad") end) Tool.execute("uuid") Event.emit("a") Event.flush()',
      'Hook.register("tool:*:before_execution", () => { sleep(5000) }, {timeout_ms: 10}); Event.subscribe("a", () => { throw new Error("bad") }); Tool.execute("uuid"); Event.emit("a"); Event.flush()',
    );
    await test.runtime.execute(script, { language });
    expect(entries.map(({ level, message, fields }) => [level, message, fields.code])).toEqual([
      ['warn', 'hook.failed', 'TIMEOUT'],
      ['warn', 'event.handler_failed', 'SCRIPT_ERROR'],
    ]);
  });

  it('of the host hear of a limit that ends a run', async () => {
    await using test = await testRuntime();
    const heard: unknown[] = [];
    test.runtime.hook('limit:exceeded', (ctx) => void heard.push((ctx.input as { message: string }).message));
    const run = (script: string, limits: object) => test.runtime.execute(script, { language, limits }).catch(() => undefined);
    await run(text('while true do end', 'for (;;);'), { cpu_ms: 30 });
    await run(text('sleep(5000)', 'sleep(5000)'), { timeout_ms: 20 });
    await run(text('for i = 1, 9 do Hook.register("state:*", function() end) end', 'for (let i = 0; i < 9; i++) Hook.register("state:*", () => {})'), {
      hooks: 2,
    });
    expect(heard).toEqual([
      'the run computed longer than limits.cpu_ms = 30 ms',
      'the run took longer than limits.timeout_ms = 20 ms',
      'more than limits.hooks = 2 hooks in one run',
    ]);
  });

  it('of the host hear of a violation even when a hook of the script ends the chain', async () => {
    await using test = await testRuntime();
    const heard: unknown[] = [];
    test.runtime.hook('security:*', (ctx) => void heard.push([ctx.name, (ctx.input as { code: string }).code]));
    const script = text(
      'Hook.register("security:violation", function() return {continue_execution = false} end, "highest") pcall(State.backup)',
      'Hook.register("security:violation", () => ({continue_execution: false}), "highest"); try { State.backup() } catch {}',
    );
    await test.runtime.execute(script, { language });
    expect(heard).toEqual([['State.backup', 'NOT_ALLOWED']]);
  });

  it('get events that the host sends into their run', async () => {
    await using test = await testRuntime();
    const script = text(
      'Event.receive("host.*", 0) Event.emit("ready") local e = Event.receive("host.*", 5000) return {e.event_type, e.payload, e.source}',
      'Event.receive("host.*", 0); Event.emit("ready"); const e = Event.receive("host.*", 5000); [e.event_type, e.payload, e.source]',
    );
    const sent: unknown[] = [];
    let handle: { id: string; emit(type: string, payload?: number): Promise<boolean> } | undefined;
    test.runtime.on('ready', async (_, { run_id }) => sent.push([run_id === handle?.id, await handle?.emit('host.news', 42)]));
    const { value } = await test.runtime.execute(script, {
      language,
      on_start: (run) => {
        handle = run;
      },
    });
    expect(value).toEqual(['host.news', 42, 'host']);
    expect(sent).toEqual([[true, true]]);
    expect(await handle?.emit('host.late')).toBe(false);
  });
});

describe('hook points of the host alone', () => {
  it("call the host's hooks and not the script's", async () => {
    const { host, run } = testRun();
    const called: string[] = [];
    host.get(hostHooks).register('session:*', (ctx) => void called.push(`host ${ctx.point}`));
    const context = new CallContext(run, { method: 'test' });
    run.get(hooks).register(context, 'session:*', (ctx) => {
      called.push(`script ${(ctx as { point: string }).point}`);
      return null;
    });
    for (const point of ['session:start', 'session:end']) await run.get(hooks).fire(context, point, {});
    await run.get(hooks).around(context, { kind: 'session', before: 'start', input: null }, () => null);
    expect(called).toEqual(['host session:start', 'host session:end', 'script session:end', 'host session:start']);
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { CAPABILITIES } from '../src/call/capability.ts';
import type { Grants } from '../src/call/context.ts';
import { anyValue, defineGlobal, type Language, method, ScriptRuntime } from '../src/index.ts';
import { median, middleOf } from './row.ts';

const number = z.number();
/** Calls of `Bench.never` since somebody began to count. */
let waits = 0;

/** Calls that do nothing, to measure the way there and back. */
const benchGlobal = defineGlobal({
  name: 'Bench',
  doc: 'Calls that do nothing.',
  methods: {
    f: method({ doc: 'Gives its first argument.', params: { a: number, b: number }, result: number, effect: 'pure', handler: ({ a }) => a }),
    later: method({ doc: 'Gives its argument by a promise.', params: { a: number }, result: number, effect: 'wait', handler: async ({ a }) => a }),
    echo: method({ doc: 'Gives its argument.', params: { value: anyValue }, result: anyValue, effect: 'pure', handler: ({ value }) => value }),
    never: method({
      doc: 'Waits until the run ends.',
      params: {},
      result: anyValue,
      effect: 'wait',
      handler(_, { run }) {
        waits++;
        return run.sleep(3_600_000).then(() => null);
      },
    }),
  },
});

const GRANTS: Partial<Grants> = { capabilities: new Set(Object.keys(CAPABILITIES) as never[]) };
const HUGE = { cpu_ms: 600_000, hooks: 1_000_000, subscriptions: 1_000_000 };

export interface Ours {
  readonly runtime: ScriptRuntime;
  run(language: Language, text: string, limits?: Record<string, number>): Promise<unknown>;
  close(): Promise<void>;
}

/** A runtime over a new data folder. */
export async function open(): Promise<Ours> {
  const folder = mkdtempSync(join(tmpdir(), 'llmspell-bench-'));
  const runtime = await ScriptRuntime.create({ dataDir: folder, globals: [benchGlobal], config: { log: { level: 'silent' } } });
  return {
    runtime,
    run: (language, text, limits = {}) => runtime.execute(text, { language, grants: GRANTS, limits: { ...HUGE, ...limits } }),
    async close() {
      await runtime[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Calls, waits, values and contexts in one language; µs. */
export async function calls({ run }: Ours, language: Language) {
  const loop = (count: number, body: string) =>
    language === 'lua' ? `local t = LIST for i = 1, ${count} do ${body} end` : `const t = LIST; for (let i = 0; i < ${count}; i++) { ${body} }`;
  const map = language === 'lua' ? '{a = 1, b = "x", c = true}' : '{a: 1, b: "x", c: true}';
  const list = language === 'lua' ? '(function() local l = {} for i = 1, 1000 do l[i] = i end return l end)()' : 'Array.from({length: 1000}, (_, i) => i)';
  const measure = (times: number, count: number, body: string, value = '0') =>
    median(times, count, () => run(language, loop(count, body).replace('LIST', value)));
  await measure(3, 20_000, 'Bench.f(i, 2)');
  return {
    call: await measure(7, 200_000, 'Bench.f(i, 2)'),
    wait: await measure(7, 50_000, 'Bench.later(i)'),
    map: await measure(7, 20_000, 'Bench.echo(t)', map),
    list: await measure(7, 200, 'Bench.echo(t)', list),
    context: await median(101, 1, () => run(language, '')),
  };
}

/** Services through Lua; µs each. */
export async function services({ run }: Ours) {
  const measure = (count: number, text: string) => median(5, count, () => run('lua', text));
  return {
    save: await measure(5_000, 'local v = {a = 1, b = "x", c = true} for i = 1, 5000 do State.save("global", "k", v) end'),
    load: await measure(5_000, 'for i = 1, 5000 do State.load("global", "k") end'),
    hook: await measure(5_000, 'for i = 1, 5000 do Hook.register("agent:before_execution", function() end) end'),
    emit1: await measure(5_000, 'Event.subscribe("a.b", function() end) for i = 1, 5000 do Event.emit("a.b", i) end'),
    emit100: await measure(200, 'for i = 1, 100 do Event.subscribe("a.b", function() end) end for i = 1, 200 do Event.emit("a.b", i) end'),
    emit1000: await measure(20, 'for i = 1, 1000 do Event.subscribe("a.b", function() end) end for i = 1, 20 do Event.emit("a.b", i) end'),
    tool: await measure(
      5_000,
      'Hook.register("tool:*:before_execution", function() end) Event.subscribe("tool.**", function() end) for i = 1, 5000 do Tool.execute("calculator", {expression = "1 + 2 * 3"}) end',
    ),
  };
}

/** Runs some thousands of small scripts, as a process has that serves for a while. */
export async function serve({ run }: Ours, language: Language): Promise<void> {
  const text = {
    lua: 'local t = {} for i = 1, 300 do t[i] = Bench.f(i, 2) end',
    javascript: 'const t = []; for (let i = 0; i < 300; i++) t[i] = Bench.f(i, 2)',
  };
  for (let i = 0; i < 5_000; i++) await run(language, text[language]);
}

/** Resident memory of one more waiting script, MB: the second thousand of them, in a process that has run thousands of others. */
export async function waiting({ runtime, run }: Ours, language: Language): Promise<number> {
  const [busy, count] = [5_000, 1_000];
  const text = {
    lua: 'local t = {} for i = 1, 300 do t[i] = Bench.f(i, 2) end',
    javascript: 'const t = []; for (let i = 0; i < 300; i++) t[i] = Bench.f(i, 2)',
  };
  for (let i = 0; i < busy; i++) await run(language, text[language]);
  const abort = new AbortController();
  const start = () => {
    waits = 0;
    return Array.from({ length: count }, () => runtime.execute('Bench.never()', { language, signal: abort.signal }).catch(() => undefined));
  };
  const allWait = async () => {
    while (waits < count) await new Promise((done) => setTimeout(done, 100));
  };
  const runs = start();
  await allWait();
  const before = process.memoryUsage().rss;
  runs.push(...start());
  await allWait();
  const used = (process.memoryUsage().rss - before) / count / 2 ** 20;
  abort.abort();
  await Promise.all(runs);
  return used;
}

/** The longest hold of the event loop while so many endless scripts start and run for a second, ms of the thread's processor time. */
export async function hold({ runtime }: Ours, language: Language, count: number): Promise<number> {
  const text = language === 'lua' ? 'while true do pcall(function() while true do end end) end' : 'for (;;) try { for (;;); } catch {}';
  const abort = new AbortController();
  let runs: Promise<unknown>[] = [];
  const until = performance.now() + 1_000;
  const start = () => {
    runs = Array.from({ length: count }, () => runtime.execute(text, { language, signal: abort.signal, limits: { cpu_ms: 60_000 } }).catch(() => undefined));
  };
  const longest = await longestHold(() => performance.now() < until, start);
  abort.abort();
  await Promise.all(runs);
  return longest;
}

/** The longest hold of the event loop while a script passes one large value, 33,000 maps, to State and back; the median of seven runs. */
export async function holdOfValue({ run }: Ours, language: Language): Promise<number> {
  const text = {
    lua: 'local t = {} for i = 1, 33000 do t[i] = {a = i} end State.save("global", "large", t) t = State.load("global", "large")',
    javascript: 'let t = Array.from({length: 33000}, (_, i) => ({a: i})); State.save("global", "large", t); t = State.load("global", "large"); 0',
  }[language];
  const holds: number[] = [];
  for (let n = 0; n < 7; n++) {
    let going = true;
    const done = run(language, text).finally(() => {
      going = false;
    });
    holds.push(await longestHold(() => going));
    await done;
  }
  return middleOf(holds);
}

/** While a hundred scripts of 50 MB run one after the other: the longest hold of the event loop, ms, and what the process grew to beyond what it had, MB. */
export async function largeRuns({ run }: Ours): Promise<{ hold: number; memory: number }> {
  const before = process.memoryUsage.rss();
  let most = before;
  let going = true;
  const done = (async () => {
    for (let n = 0; n < 100; n++) {
      await run('lua', 'local t = ("ab"):rep(8000000) return (t .. "c"):byte(-1)');
      most = Math.max(most, process.memoryUsage.rss());
    }
    going = false;
  })();
  const hold = await longestHold(() => going);
  await done;
  return { hold, memory: (most - before) / 2 ** 20 };
}

/** The longest turn of the event loop while work goes on, ms of the thread's processor time. */
async function longestHold(going: () => boolean, start: () => void = () => undefined): Promise<number> {
  // Finer than `process.threadCpuUsage`, which counts ticks of 4 ms on some machines.
  const cpu = () => Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  let longest = 0;
  let last = cpu();
  start();
  while (going()) {
    await new Promise((done) => setImmediate(done));
    const now = cpu();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}

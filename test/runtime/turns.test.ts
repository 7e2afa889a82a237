import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { method } from '../../src/call/define.ts';
import { defineGlobal } from '../../src/call/definition.ts';
import type { ExecuteOptions } from '../../src/runtime/options.ts';
import { ScriptRuntime } from '../../src/runtime.ts';
import { turnsDuring } from '../support/turns.ts';

/** Computes on the host for longer than a turn, then gives what takes the engine long to take over. */
const busy = defineGlobal({
  name: 'Busy',
  doc: 'Host work that holds the thread.',
  methods: {
    list: method({
      doc: 'A long list after some ms.',
      params: { size: z.int() },
      result: z.array(z.string()),
      effect: 'read',
      examples: [],
      handler: ({ size }) => {
        const end = performance.now() + 6;
        while (performance.now() < end);
        return Array.from({ length: size }, (_, at) => `item ${at}`);
      },
    }),
  },
});

const CALLS = 12;
let runtime: ScriptRuntime;
beforeAll(async () => {
  runtime = await ScriptRuntime.create({ globals: [busy], builtins: false, config: { data: { backend: 'memory' } } });
});
afterAll(() => runtime[Symbol.asyncDispose]());

/** How many turns the event loop takes while a script runs. */
const turnsOf = async (language: 'lua' | 'javascript', text: string) => (await turnsDuring(() => runtime.execute(text, { language }))).turns;

/** Without a turn after each call there would be none; now and then one falls together with the end. */
const LEAST = CALLS / 2;

describe('a script whose calls of the host take long', () => {
  it.each([1, 20_000])('lets the event loop turn after each, with answers of %i values', async (size) => {
    expect(await turnsOf('lua', `for i = 1, ${CALLS} do Busy.list(${size}) end`)).toBeGreaterThanOrEqual(LEAST);
    expect(await turnsOf('javascript', `for (let i = 0; i < ${CALLS}; i++) Busy.list(${size})`)).toBeGreaterThanOrEqual(LEAST);
  });
});

describe('runs that start at once', () => {
  const spend = (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  /** Starts a run, uses this turn up, and starts others of which one is cancelled. */
  const start = (options: ExecuteOptions) => {
    const first = runtime.execute('', options);
    spend(10);
    return [first, runtime.execute('', options), runtime.execute('', { ...options, signal: abort.signal })] as const;
  };
  let abort: AbortController;
  beforeEach(async () => {
    abort = new AbortController();
    // A turn of its own.
    await new Promise((done) => setImmediate(done));
  });

  it.each(['lua', 'javascript'] as const)('share the turns of the event loop, and one that is cancelled meanwhile never begins: %s', async (language) => {
    await runtime.execute('', { language });
    // The first one needs some of a turn's time.
    await new Promise((done) => setImmediate(done));
    let begun = 0;
    const runs = start({ language, on_start: () => void begun++ });
    expect(begun).toBe(1);
    abort.abort();
    await expect(runs[2]).rejects.toMatchObject({ code: 'CANCELLED' });
    // It was told at once, not when its turn came.
    expect(begun).toBe(1);
    await Promise.all(runs.slice(0, 2));
    expect(begun).toBe(2);
  });

  it('are awaited when the runtime is closed, chunks of sessions too, and no other begins', async () => {
    const other = await ScriptRuntime.create({ config: { data: { backend: 'memory' } } });
    const ended: unknown[] = [];
    const run = () => other.execute('return 1', { language: 'lua' }).then(({ value }) => ended.push(value));
    const runs = [run()];
    spend(10);
    runs.push(run());
    const session = other.openSession({ language: 'lua' });
    const chunk = session.evaluate('sleep(20) return 2').then((shown) => ended.push(shown));
    void other[Symbol.asyncDispose]();
    await expect(run()).rejects.toMatchObject({ code: 'CANCELLED', message: 'the runtime is closed' });
    await other[Symbol.asyncDispose]();
    expect(ended.toSorted()).toEqual([1, 1, '2']);
    await expect(session.evaluate('return 3')).rejects.toMatchObject({ code: 'CANCELLED' });
    await Promise.all([...runs, chunk]);
  });
});

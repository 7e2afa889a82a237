import { describe, expect, it } from 'vitest';
import type { Limits } from '../../../src/call/context.ts';
import type { Value } from '../../../src/call/value.ts';
import { ScriptError } from '../../../src/errors.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { runText } from '../../support/engine.ts';
import { testHost, testRun } from '../../support/run.ts';
import { grownBy } from '../../support/torture/flat.ts';

const engine = createJavaScriptEngine();
const host = testHost();

function run(text: string, limits: Partial<Limits> = {}): Promise<Value> {
  return runText(engine, testRun({ host, limits, language: 'javascript' }).run, text);
}

const failure = (work: Promise<Value>): Promise<ScriptError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

/** Nothing in a script ends, catches or survives these. */
const ENDLESS = {
  'an empty loop': 'for (;;);',
  'a loop that catches everything': 'for (;;) try { for (;;); } catch {} finally { continue }',
  'a pattern that backtracks': '/(a+)+b/.test("a".repeat(100))',
  'a sparse array as text': 'new Array(1e9) + ""',
  'a getter': '({ get x() { for (;;); } }).x',
  'a proxy': 'new Proxy({}, { get() { for (;;); } }).x',
  toJSON: 'JSON.stringify({ toJSON() { for (;;); } })',
  'a comparison of a sort': '[3, 1, 2].sort(() => { for (;;); })',
  'a generator that never ends': 'const all = [...(function* () { for (;;) yield; })()].length',
  'promise jobs that make more': '(function again() { Promise.resolve().then(again) })(); await new Promise(() => {})',
  'an async loop': '(async () => { for (;;) await null })(); await new Promise(() => {})',
  'a thenable': 'await { then() { for (;;); } }',
  'a loop of cheap calls': 'for (;;) Try.echo(1)',
  'a loop of cheap errors': 'for (;;) try { null.x } catch {}',
  'a replace with a function': '"x".replace(/x/, () => { for (;;); })',
  'a constructor': 'new (class { constructor() { for (;;); } })()',
  'a static block': 'class A { static { for (;;); } }',
  eval: 'eval("for (;;);")',
  'a finally that goes on': 'for (;;) { try { throw 1 } finally { continue } }',
};

describe('endless JavaScript', () => {
  // Again where other processes took the whole time of a run, so that no beat fitted in.
  it.each(Object.entries(ENDLESS))('is killed: %s', { retry: 2 }, async (_, text) => {
    let beats = 0;
    let beating = true;
    const beat = (): void => {
      beats++;
      if (beating) setImmediate(beat);
    };
    beat();
    const error = await failure(run(text, { cpu_ms: 60, memory_mb: 512 }));
    beating = false;
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', message: 'the run computed longer than limits.cpu_ms = 60 ms' });
    expect(beats).toBeGreaterThan(1);
    expect(await run('1')).toBe(1);
  });

  it('leaves others beside it alone', async () => {
    const endless = failure(run('for (;;);', { cpu_ms: 200 }));
    expect(await run('for (let i = 0; i < 5; i++) Try.later(i); "done"')).toBe('done');
    expect(await endless).toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
});

describe('a deadline of a callback', () => {
  it.each([
    ['while it computes', 'for (;;);'],
    ['while it catches everything', 'for (;;) try { for (;;); } catch {}'],
    ['while it catches what fails in the library', 'for (;;) try { "x".repeat(2 ** 29) } catch {}'],
    ['while it catches so in a generator', 'for (const _ of (function* () { for (;;) try { null.x } catch {} })());'],
    ['while it recurses deep', 'for (;;) try { (function f() { return 1 + f() })() } catch {}'],
    ['between calls of the library', 'const t = new Array(1e5).fill("x"); for (;;) t.join()'],
    ['while it waits', 'Try.later(1, 5000)'],
    ['while it waits and catches', 'for (;;) try { Try.later(1, 5000) } catch {}'],
  ])('ends it %s, and the run goes on', async (_, body) => {
    const text = `let r; try { Try.call(() => { ${body} }, [], 30) } catch (e) { r = { code: e.code, message: e.message, after: Try.later(7) } } r`;
    expect(await run(text)).toEqual({ code: 'TIMEOUT', message: 'took longer than 30 ms', after: 7 });
  });

  it('leaves the run alive where the thread is taken while the library computes', async () => {
    const busy = setInterval(() => {
      for (const until = performance.now() + 100; performance.now() < until; );
    }, 0);
    const text =
      'let r; const t = new Array(3e5).fill("x"); try { Try.call(() => { for (;;) t.join() }, [], 30) } catch (e) { r = { code: e.code, after: Try.later(7) } } r';
    expect(await run(text).finally(() => clearInterval(busy))).toEqual({ code: 'TIMEOUT', after: 7 });
  });
});

describe('a run that is cancelled', () => {
  it('ends, however many of its functions would tidy up without end', async () => {
    const { run: cancelled } = testRun({ host, limits: { cpu_ms: 1500 }, language: 'javascript' });
    const text = 'Try.all(Array(250).fill(() => { try { Try.later(1, 60000) } finally { for (;;) try { for (;;); } catch {} } }))';
    const ended = failure(runText(engine, cancelled, text));
    await run('Try.later(1, 1)');
    cancelled.abort(new ScriptError('CANCELLED', 'enough'));
    expect(await ended).toMatchObject({ code: 'CANCELLED', message: 'enough' });
  });
});

describe('refused memory', () => {
  it.each([
    ['a string of 1 GB', '"x".repeat(1e9)', 'out of memory'],
    ['arrays without end', 'const all = []; for (;;) all.push(new Array(1000).fill(0))', 'out of memory'],
    ['a huge typed array', 'new Uint8Array(2 ** 31)', /out of memory|invalid/],
  ])('is an error that the script may catch: %s', async (_, body, message) => {
    const text = `let r; try { ${body} } catch (e) { r = { message: e.message, alive: Try.later(1) } } r`;
    expect(await run(text)).toEqual({ message: expect.stringMatching(message), alive: 1 });
  });

  it('names the limit when nobody catches it', async () => {
    expect(await failure(run('"x".repeat(1e9)', { memory_mb: 8 }))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      message: 'not enough memory: the script reached limits.memory_mb',
    });
  });
});

describe('promises', () => {
  it.each([
    ['that nothing settles are a deadlock', 'await new Promise(() => {})', { code: 'DEADLOCK' }],
    ['that are rejected and not handled fail the run', 'Promise.reject(new Error("lost")); 1', { code: 'SCRIPT_ERROR', message: 'lost' }],
  ])('%s', async (_, text, error) => {
    expect(await failure(run(text))).toMatchObject(error);
  });

  it('settle as the language says', async () => {
    expect(await run('const order = []; Promise.resolve().then(() => order.push(2)); order.push(1); await null; order.push(3); order')).toEqual([1, 2, 3]);
    expect(await run('await Promise.all([1, 2].map(async x => Try.later(x)))')).toEqual([1, 2]);
    expect(await run('Promise.resolve(5)')).toBe(5);
  });
});

describe('the process', () => {
  it('stays flat over kills', async () => {
    expect(await grownBy('javascript', 80)).toBeLessThan(15);
  });
});

import { describe, expect, it } from 'vitest';
import type { Language } from '../../src/call/context.ts';
import type { Value } from '../../src/call/value.ts';
import type { ScriptError } from '../../src/errors.ts';
import { testRuntime } from '../support/runtime.ts';

async function ended(language: Language, text: string, input: Value = null, memory_mb = 4): Promise<{ value?: unknown; error?: ScriptError }> {
  await using test = await testRuntime({ log: { level: 'silent' } });
  return await test.runtime.execute(text, { language, input, limits: { memory_mb, cpu_ms: 60_000 } }).then(
    ({ value }) => ({ value }),
    (error: ScriptError) => ({ error }),
  );
}

describe.each(['lua', 'javascript'] as const)('%s', (language) => {
  it.each<[string, Value]>([
    ['one long text', 'x'.repeat(12 * 2 ** 20)],
    ['many short ones', Array.from({ length: 90_000 }, (_, i) => `item ${i}`)],
  ])('refuses an INPUT that does not fit, without holding everybody up: %s', { timeout: 60_000 }, async (_, input) => {
    const { error } = await ended(language, '', input, 1);
    expect(error).toMatchObject({ code: 'LIMIT_EXCEEDED', message: expect.stringContaining('limits.memory_mb') });
  });

  it('runs callbacks although the heap is full', { timeout: 60_000 }, async () => {
    const text = {
      lua: 'local t = {} pcall(function() for i = 1, 1e9 do t[i] = {} end end) local n = 0 for i = 1, 50 do if pcall(parallel, {function() return {} end}) then n = n + 1 end end return n >= 0',
      javascript:
        'const t = []; try { for (;;) t.push({}) } catch {} let n = 0; for (let i = 0; i < 50; i++) try { parallel([() => ({})]); n++ } catch {} n >= 0',
    }[language];
    const { value, error } = await ended(language, text);
    // Either there was enough left for them, or the run ends at its limit: never as a defect of the runtime.
    expect(value ?? error?.code).toSatisfy((result) => result === true || result === 'LIMIT_EXCEEDED');
  });
});

describe('texts of errors', () => {
  it.each([
    ['a name', 'const e = new Error("m"); e.name = s; throw e'],
    ['a message', 'const e = new Error("m"); Object.defineProperty(e, "message", {value: s}); throw e'],
    ['a class', 'class A {} Object.defineProperty(A, "name", {value: s}); State.save("global", "k", new A())'],
    ['the text itself', 'throw s'],
  ])('are cut where parts that are shared stand for gigabytes: %s', async (_, throwing) => {
    const { error } = await ended('javascript', `let s = "x"; for (let i = 0; i < 28; i++) s += s; ${throwing}`, null, 64);
    expect(error?.code).toMatch(/^(?:SCRIPT_ERROR|BAD_ARGUMENT)$/);
    expect(error?.message.length).toBeLessThan(200_000);
  });
});

describe('a hundred endless scripts', () => {
  it('leave a neighbour served', { timeout: 60_000 }, async () => {
    await using test = await testRuntime({ log: { level: 'silent' } });
    const abort = new AbortController();
    let open = 100;
    const endless = Array.from({ length: 100 }, (_, i) =>
      test.runtime
        .execute(i % 2 ? 'while true do pcall(function() while true do end end) end' : 'for (;;) try { for (;;); } catch {}', {
          language: i % 2 ? 'lua' : 'javascript',
          tenant: 'hostile',
          signal: abort.signal,
          limits: { cpu_ms: 600_000 },
        })
        .catch((error: ScriptError) => {
          open--;
          return error.code;
        }),
    );
    const { value } = await test.runtime.execute(
      'local n = 0 for i = 1, 10 do sleep(1) State.save("global", "n", i) n = n + State.load("global", "n") end return n',
    );
    expect([value, open]).toEqual([55, 100]);
    abort.abort();
    expect(new Set(await Promise.all(endless))).toEqual(new Set(['CANCELLED']));
  });
});

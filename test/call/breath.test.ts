import { describe, expect, it } from 'vitest';
import { breathe } from '../../src/call/breath.ts';
import { Cpu } from '../../src/call/cpu.ts';
import { testRuntime } from '../support/runtime.ts';
import { turnsDuring } from '../support/turns.ts';

const LOOP = {
  lua: `return Workflow.loop{name = "w", max_iterations = 2000, iterator = {range = {start = 1, stop = 2000}}, body = {{name = "x", tool = "calculator", input = {expression = "1+1"}}}}:execute().success`,
  javascript: `Workflow.loop({name: "w", max_iterations: 2000, iterator: {range: {start: 1, stop: 2000}}, body: [{name: "x", tool: "calculator", input: {expression: "1+1"}}]}).execute().success`,
};

describe('work of the host that never waits', () => {
  it.each(['lua', 'javascript'] as const)('lets the event loop turn between the steps of a workflow in %s', async (language) => {
    await using test = await testRuntime({ log: { level: 'silent' } });
    await test.runtime.execute(LOOP[language], { language, grants: test.grants });
    expect((await turnsDuring(() => test.runtime.execute(LOOP[language], { language, grants: test.grants }))).turns).toBeGreaterThan(5);
  });

  it('turns it when it breathes, and not when it only waits for what is there', async () => {
    /** Works until it has waited eight times, or not at all for a while. */
    const busy = async (pause: () => void | Promise<void>) => {
      let until = performance.now() + 60;
      for (let waits = 0; waits < 8 && performance.now() < until; ) {
        const wait = pause();
        if (!wait) continue;
        await wait;
        waits++;
        until = performance.now() + 60;
      }
    };
    const cpu = new Cpu();
    expect((await turnsDuring(() => busy(() => breathe(cpu)))).turns).toBeGreaterThan(5);
    expect(cpu.ms).toBeGreaterThan(20);
    expect((await turnsDuring(() => busy(() => Promise.resolve()))).turns).toBeLessThan(3);
  });
});

import { describe, expect, it } from 'vitest';
import { breathe, doneInTurns, inOneTurn } from '../../src/call/breath.ts';
import { Cpu } from '../../src/call/cpu.ts';
import { ScriptError } from '../../src/errors.ts';
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

  it('ends with the run that it is for, and lets go of what it has open', async () => {
    const [ending, going] = [new Cpu(), new Cpu()];
    const closed: string[] = [];
    function* work(name: string, isDone: () => boolean): Generator<undefined, string> {
      try {
        while (!isDone()) yield;
        return name;
      } finally {
        closed.push(name);
      }
    }
    const endless = doneInTurns(
      ending,
      work('ending', () => false),
    );
    const other = doneInTurns(
      going,
      work('going', () => closed.includes('ending')),
    );
    await new Promise((done) => setImmediate(done));
    ending.ended = new ScriptError('CANCELLED', 'the run has ended');
    await expect(endless).rejects.toThrow('the run has ended');
    expect([await other, closed]).toEqual(['going', ['ending', 'going']]);
  });

  it('that takes much of a turn at once is done for as many as the turn has time for', async () => {
    const cpu = new Cpu();
    let [inTurn, most] = [0, 0];
    const part = () => {
      most = Math.max(most, ++inTurn);
      setImmediate(() => {
        inTurn = 0;
      });
      for (const until = performance.now() + 5; performance.now() < until; );
    };
    await Promise.all(Array.from({ length: 8 }, () => inOneTurn(cpu, part)));
    expect(most).toBeLessThan(3);
  });
});

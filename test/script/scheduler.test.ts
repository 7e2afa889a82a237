import { expect, it } from 'vitest';
import { scheduler } from '../../src/script/scheduler.ts';

/** Begins a turn of its own and uses it up, so that whoever comes next queues. */
async function useTurn(): Promise<void> {
  await new Promise((done) => setImmediate(done));
  scheduler.mayRun();
  const end = performance.now() + 10;
  while (performance.now() < end);
}

it('any number of entries that nobody needs any more cost no turn', async () => {
  await useTurn();
  let asked = 0;
  for (let i = 0; i < 20_000; i++)
    scheduler.queue('a', () => {
      asked++;
      return false;
    });
  // Another tenant that needs whole turns gets one of them, not one for each of those entries.
  let others = 0;
  const other = () => {
    others++;
    const end = performance.now() + 5;
    while (performance.now() < end);
    if (others < 10) scheduler.queue('b', other);
    return true;
  };
  scheduler.queue('b', other);
  const before = await new Promise<number>((done) => {
    scheduler.queue('a', () => {
      done(others);
      return true;
    });
  });
  expect(asked).toBe(20_000);
  expect(before).toBeLessThanOrEqual(1);
});

it('those that are cancelled while they wait for their turn are told at once, and thousands of them end', async () => {
  await useTurn();
  const abort = new AbortController();
  const turns = Array.from({ length: 5_000 }, (_, i) => scheduler.turn(`t${i % 3}`, abort.signal));
  abort.abort();
  expect(new Set(await Promise.all(turns))).toEqual(new Set([false]));
  expect(await scheduler.turn('t0')).toBe(true);
});

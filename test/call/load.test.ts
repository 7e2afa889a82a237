import { expect, it } from 'vitest';
import { loadedOnce, loadInTurns } from '../../src/call/load.ts';
import { turnsDuring } from '../support/turns.ts';

it('modules are loaded one in each turn, the last is given', async () => {
  const order: number[] = [];
  const steps = [1, 2].map((number) => () => void order.push(number));
  const { result, turns } = await turnsDuring(() => loadInTurns(...steps, async () => 'the library'));
  expect(result).toBe('the library');
  expect(order).toEqual([1, 2]);
  expect(turns).toBeGreaterThanOrEqual(4);
});

it('are loaded once for all who ask, and again after a failure', async () => {
  let times = 0;
  const load = loadedOnce(async () => {
    if (++times === 1) throw new Error('no');
    return times;
  });
  await expect(Promise.all([load(), load()])).rejects.toThrow('no');
  expect(await Promise.all([load(), load(), load()])).toEqual([2, 2, 2]);
});

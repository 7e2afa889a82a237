import { expect, it } from 'vitest';
import { loadedOnce, loadInTurns } from '../../src/call/load.ts';

/** A step that says in which turn of the event loop it ran. */
function counting() {
  let turn = 0;
  let going = true;
  const count = () => {
    turn++;
    if (going) setImmediate(count);
  };
  setImmediate(count);
  return { step: () => turn, stop: () => (going = false) };
}

it('modules are loaded one in each turn, the last is given', async () => {
  const { step, stop } = counting();
  const turns: number[] = [];
  const note = () => void turns.push(step());
  const last = await loadInTurns(note, note, async () => {
    note();
    return 'the library';
  });
  stop();
  expect(last).toBe('the library');
  expect(new Set(turns).size).toBe(3);
  expect(step()).toBeGreaterThan(turns[2] as number);
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

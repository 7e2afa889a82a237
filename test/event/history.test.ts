import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { EventHistory } from '../../src/event/history.ts';
import type { EventRecord } from '../../src/event/record.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

it('an event that the history has dropped is garbage at once', async () => {
  const history = new EventHistory();
  const add = (sequence: number) => {
    const record: EventRecord = { id: `evt_${sequence}`, event_type: 'a', timestamp: 1, sequence, source: 'script', correlation_id: 'c' };
    history.add(record, 3 * 2 ** 20);
    return new WeakRef(record);
  };
  const [first, last] = [add(1), add(2)];
  // What a WeakRef has given stays until the end of its turn.
  await new Promise(setImmediate);
  collectGarbage();
  expect(history.query({})).toHaveLength(1);
  expect([first.deref(), last.deref()?.id]).toEqual([undefined, 'evt_2']);
});

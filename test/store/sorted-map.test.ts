import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareBytes } from '../../src/call/text.ts';
import { SortedMap } from '../../src/store/sorted-map.ts';

const sorted = (model: ReadonlyMap<string, number>) => [...model].sort(([a], [b]) => compareBytes(a, b));

/** Far more keys than one block has, some beyond the order of UTF-16. */
const key = fc.integer({ min: 0, max: 1_500 }).map((n) => `${'aé\uffee😀'.at(n % 4)}${n}`);
const change = fc.tuple(key, fc.option(fc.integer(), { freq: 3 }));

it('a sorted map is a map in byte order, and its copies change by themselves', () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 900, size: 'max' }), { minLength: 1, maxLength: 4 }), key, (rounds, from) => {
      const all = [{ map: new SortedMap<number>(), model: new Map<string, number>() }];
      for (const [round, changes] of rounds.entries()) {
        const { map, model } = all[round % 2] as (typeof all)[number];
        all.unshift({ map: map.copy(), model: new Map(model) });
        for (const [key, value] of changes) {
          if (value === null) expect(map.delete(key)).toBe(model.delete(key));
          else {
            map.set(key, value);
            model.set(key, value);
          }
        }
      }
      for (const { map, model } of all) {
        expect([...map.from()]).toEqual(sorted(model));
        expect([...map.from(from)]).toEqual(sorted(model).filter(([key]) => compareBytes(key, from) >= 0));
        expect(map.get(from)).toBe(model.get(from));
      }
    }),
    { numRuns: 15 },
  );
});

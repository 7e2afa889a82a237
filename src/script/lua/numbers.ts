import { Float, type Value } from '../../call/value.ts';
import type { LuaMachine } from './machine.ts';
import { MOST_NUMBERS } from './memory.ts';

/** Shorter lists are not worth the quick way. */
const FEWEST_NUMBERS = 8;

/** The table at an index where it is a list of nothing but numbers, in one call; undefined for anything else. */
export function readNumbers(machine: LuaMachine, L: number, index: number): Value[] | undefined {
  const { numbers } = machine.memory;
  const kinds = numbers + MOST_NUMBERS * 8;
  const count = machine.readNumbers(L, index, numbers, kinds, FEWEST_NUMBERS, MOST_NUMBERS);
  if (count < 0) return undefined;
  const { doubles, bytes } = machine.memory;
  const list: Value[] = new Array(count);
  for (let i = 0; i < count; i++) {
    const value = doubles[numbers / 8 + i] as number;
    list[i] = bytes[kinds + i] && Number.isInteger(value) ? new Float(value) : value;
  }
  return list;
}

/** Fills the new table on top of the stack where the list holds nothing but numbers; false for anything else. */
export function writeNumbers(machine: LuaMachine, L: number, list: readonly Value[]): boolean {
  if (list.length < FEWEST_NUMBERS || list.length > MOST_NUMBERS) return false;
  const { numbers, doubles, bytes } = machine.memory;
  const kinds = numbers + MOST_NUMBERS * 8;
  for (let i = 0; i < list.length; i++) {
    const item = list[i];
    if (typeof item === 'number') {
      doubles[numbers / 8 + i] = item;
      bytes[kinds + i] = Number.isSafeInteger(item) && !Object.is(item, -0) ? 0 : 1;
    } else if (item instanceof Float) {
      doubles[numbers / 8 + i] = item.value;
      bytes[kinds + i] = 1;
    } else return false;
  }
  machine.writeNumbers(L, numbers, kinds, list.length);
  return true;
}

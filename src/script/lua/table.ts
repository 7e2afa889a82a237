import { inByteOrder } from '../../call/text.ts';
import { define, MISFIT, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';

export function refuse(path: string, what: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `${path}: ${what}`);
}

export function tooLong(path: string): ScriptError {
  return refuse(path, MISFIT.bytes);
}

export function tooMany(path: string): ScriptError {
  return refuse(path, MISFIT.nodes);
}

/** A map of so many keys is put in order in steps. */
export const MANY_KEYS = 256;
/** A longer key counts for several. */
export const LENGTH_OF_A_KEY = 256;

/** Lua tables have no order: byte order of the keys stands in. */
export function sorted(map: ValueMap, keys: string[] = Object.keys(map)): ValueMap {
  if (keys.length < 2) return map;
  const given = keys.slice();
  const ordered = inByteOrder(keys);
  if (given.every((key, i) => key === ordered[i])) return map;
  const out: ValueMap = {};
  for (const key of ordered) define(out, key, map[key]);
  return out;
}

/** An array with its holes: a few are nulls, many mean that it is none. */
export function filled(items: Value[], sparse: ReadonlyMap<number, Value>, path: string): Value[] {
  let last = 0;
  for (const position of sparse.keys()) last = Math.max(last, position);
  if (last > 2 * (items.length + sparse.size) + 8) throw refuse(path, `an array with positions up to ${last} but only ${items.length + sparse.size} values`);
  for (let position = items.length + 1; position <= last; position++) items.push(sparse.get(position) ?? null);
  return items;
}

import { define, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { VALUE_LIMITS } from '../limits.ts';

export function refuse(path: string, what: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `${path}: ${what}`);
}

export function tooLong(path: string): ScriptError {
  return refuse(path, `more than ${VALUE_LIMITS.bytes / 2 ** 20} MB in one value`);
}

export function tooMany(path: string): ScriptError {
  return refuse(path, `more than ${VALUE_LIMITS.nodes} values in one`);
}

/** Lua tables have no order: byte order of the keys stands in. */
export function sorted(map: ValueMap): ValueMap {
  const keys = Object.keys(map);
  let before = '';
  let ordered = true;
  for (const key of keys) {
    if (compareBytes(key, before) < 0) {
      ordered = false;
      break;
    }
    before = key;
  }
  if (ordered) return map;
  const out: ValueMap = {};
  for (const key of keys.sort(compareBytes)) define(out, key, map[key]);
  return out;
}

/** The order of UTF-8 bytes, which is that of code points: UTF-16 puts those above U+FFFF before U+E000. */
function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left !== right) return left >= 0xd800 && right >= 0xd800 ? fixed(left) - fixed(right) : left - right;
  }
  return a.length - b.length;
}

const fixed = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit + 0x2000);

/** An array with its holes: a few are nulls, many mean that it is none. */
export function filled(items: Value[], sparse: ReadonlyMap<number, Value>, path: string): Value[] {
  let last = 0;
  for (const position of sparse.keys()) last = Math.max(last, position);
  if (last > 2 * (items.length + sparse.size) + 8) throw refuse(path, `an array with positions up to ${last} but only ${items.length + sparse.size} values`);
  for (let position = items.length + 1; position <= last; position++) items.push(sparse.get(position) ?? null);
  return items;
}

import { isMap } from '../call/check/kind.ts';
import { toPlain, type Value, type ValueMap } from '../call/value.ts';

/** What is logged of a message, and of all fields together, characters; a line is written at once. */
const MOST = 65_536;
/** What each part of a field counts for. */
const PART = 16;

/** Message and fields of an entry as the log writes them: of what is longer the beginning. */
export function cutEntry(message: string, fields: ValueMap): { message: string; fields: Record<string, unknown> } {
  return { message: cutText(message, MOST), fields: toPlain(cutValue(fields, { left: MOST })) as Record<string, unknown> };
}

function cutText(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most))}… (${text.length} characters)`;
}

/** A value as far as there is room for it; of what has none, how much it was. */
function cutValue(value: Value, room: { left: number }): Value {
  room.left -= PART;
  if (typeof value === 'string') {
    const text = cutText(value, room.left);
    room.left -= value.length;
    return text;
  }
  if (value instanceof Uint8Array && value.length > room.left) return `… (${value.length} bytes)`;
  if (value instanceof Uint8Array) room.left -= value.length;
  if (Array.isArray(value)) {
    const items: Value[] = [];
    for (const item of value) {
      if (room.left <= 0) return [...items, `… (${value.length} items)`];
      items.push(cutValue(item, room));
    }
    return items;
  }
  if (!isMap(value)) return value;
  const keys = Object.keys(value);
  const entries: [string, Value][] = [];
  for (const key of keys) {
    if (room.left <= 0) {
      entries.push(['…', `${keys.length} fields`]);
      break;
    }
    const name = cutText(key, room.left);
    room.left -= key.length;
    entries.push([name, cutValue((value as ValueMap)[key] ?? null, room)]);
  }
  return Object.fromEntries(entries);
}

/** Whether plain data has at most about so many characters, bytes and parts; looks no further than needed. */
export function isSmall(value: unknown, most: number): boolean {
  return left(value, most) >= 0;
}

function left(value: unknown, room: number): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return room - 1 - value.length;
  if (typeof value !== 'object' || value === null) return room - 1;
  let rest = room - 1;
  for (const [key, item] of Object.entries(value)) {
    rest = left(item, rest - key.length);
    if (rest < 0) break;
  }
  return rest;
}

/** So many keys of a longer path are told in front and behind. */
const TOLD = { front: 8, behind: 4 } as const;
/** Characters of a name that are told. */
const MOST_NAME = 80;

/** Where a part of a value is, as scripts write it: `.items[3]["a b"]`; the middle of a very long path is left out. */
export function pathText(keys: readonly (string | number)[]): string {
  const long = keys.length > TOLD.front + TOLD.behind;
  return long ? `${text(keys.slice(0, TOLD.front))}…${text(keys.slice(-TOLD.behind))}` : text(keys);
}

function text(keys: readonly (string | number)[]): string {
  return keys.map((key) => (typeof key === 'number' ? `[${key}]` : nameText(key))).join('');
}

function nameText(name: string): string {
  if (name.length > MOST_NAME) return `[${JSON.stringify(`${name.slice(0, MOST_NAME)}…`)}]`;
  return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/**
 * Whether texts fit a pattern in which each `*` stands for any characters, none included. Each part between two of them is looked for once, behind the
 * one before: its first place leaves most for the rest, so that nothing is ever taken back.
 */
export function wildcards(pattern: string): (text: string) => boolean {
  const [first = '', ...between] = pattern.split('*');
  const last = between.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    const end = text.length - last.length;
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const part of between) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

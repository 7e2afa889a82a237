import { ScriptError } from '../../errors.ts';

const MOST_ALTERNATIVES = 64;
const MOST_LENGTH = 1_000;

/**
 * Whether paths fit a glob: `*` and `?` inside a name, `**` for any number of folders, `[a-z]` and `[!a-z]`, `{one,two}`. Takes time in proportion to
 * path times pattern, whatever the pattern. Throws BAD_ARGUMENT for one that is too long or has too many alternatives.
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  if (pattern.length > MOST_LENGTH) throw refuse(`expected at most ${MOST_LENGTH} characters`);
  const globs = expand(pattern).map((one) =>
    one
      .replace(/^(?:\.\/)+/, '')
      .split('/')
      .map(compileName),
  );
  return (path) => {
    const names = path.replace(/(?<!\/)\/+$/, '').split('/');
    return globs.some((glob) =>
      fits(
        glob,
        names,
        (part, name) => part.test(name),
        (part) => part.any,
      ),
    );
  };
}

interface NamePattern {
  /** Stands for any number of names. */
  readonly any: boolean;
  test(name: string): boolean;
}

interface CharacterPattern {
  readonly any: boolean;
  test(character: string): boolean;
}

function compileName(text: string): NamePattern {
  if (text === '**') return { any: true, test: () => true };
  const parts: CharacterPattern[] = [];
  const characters = [...text];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    const close = character === '[' ? characters.indexOf(']', at + 2) : -1;
    if (character === '*') {
      if (parts.at(-1)?.any !== true) parts.push({ any: true, test: () => true });
    } else if (character === '?') {
      parts.push({ any: false, test: () => true });
    } else if (close > 0) {
      parts.push({ any: false, test: characterClass(characters.slice(at + 1, close)) });
      at = close;
    } else {
      parts.push({ any: false, test: (other) => other === character });
    }
  }
  return {
    any: false,
    test: (name) =>
      fits(
        parts,
        [...name],
        (part, one) => part.test(one),
        (part) => part.any,
      ),
  };
}

function characterClass(inside: readonly string[]): (character: string) => boolean {
  const negated = inside[0] === '!' || inside[0] === '^';
  const members = negated ? inside.slice(1) : inside;
  const ranges: [from: string, to: string][] = [];
  for (let at = 0; at < members.length; at++) {
    const from = members[at] as string;
    const to = members[at + 1] === '-' ? members[at + 2] : undefined;
    ranges.push([from, to ?? from]);
    if (to !== undefined) at += 2;
  }
  return (character) => ranges.some(([from, to]) => character >= from && character <= to) !== negated;
}

/** Matching with wildcards that takes back its last one only (Krauss, Matching Wildcards, 2008): enough, for a later one can do all that an earlier one could. */
function fits<P, V>(pattern: readonly P[], values: readonly V[], test: (part: P, value: V) => boolean, any: (part: P) => boolean): boolean {
  let [part, value] = [0, 0];
  let [lastPart, lastValue] = [-1, 0];
  while (value < values.length) {
    const current = pattern[part];
    if (current !== undefined && any(current)) {
      lastPart = part++;
      lastValue = value;
    } else if (current !== undefined && test(current, values[value] as V)) {
      part++;
      value++;
    } else if (lastPart >= 0) {
      part = lastPart + 1;
      value = ++lastValue;
    } else {
      return false;
    }
  }
  while (part < pattern.length && any(pattern[part] as P)) part++;
  return part === pattern.length;
}

/** Every pattern that braces stand for. */
function expand(pattern: string): string[] {
  let open = [pattern];
  const done: string[] = [];
  for (;;) {
    const next: string[] = [];
    for (const one of open) {
      // The innermost braces first.
      const found = /\{([^{},]*,[^{}]*)\}/.exec(one);
      if (!found) done.push(one);
      else for (const choice of (found[1] ?? '').split(',')) next.push(one.slice(0, found.index) + choice + one.slice(found.index + found[0].length));
      if (next.length + done.length > MOST_ALTERNATIVES) throw refuse(`expected at most ${MOST_ALTERNATIVES} alternatives in braces`);
    }
    if (next.length === 0) return done;
    open = next;
  }
}

function refuse(what: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `pattern: ${what}`);
}

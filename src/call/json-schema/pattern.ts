import { spend } from '../check/effort.ts';
import { re2 } from '../re2.ts';

/** Whether a text has the pattern. */
export type Matches = (text: string) => boolean;

/** Characters of one pattern. */
const MOST_LENGTH = 1_000;
/** Reading a character costs a step, and one more per so many instructions of the pattern. */
const INSTRUCTIONS = 10;
/** To begin costs so many steps. */
const START = 16;
/** What making ready costs beside the instructions themselves, as so many of them: of a pattern, of a class of Unicode, of one that takes either case. */
const COST = { pattern: 20, unicode: 100, unicodeOfEitherCase: 400 } as const;

/** A pattern made ready, and its size as `sizeOf` has it. */
export interface Pattern {
  readonly matches: Matches;
  readonly size: number;
}

/**
 * A pattern of RE2, found anywhere in a text in linear time: JavaScript's own may take for ever. `\uXXXX` is read as JavaScript does. Answers in words what
 * is wrong with it: look-around and back-references are unknown, and it may become at most so many instructions, which repetitions multiply.
 */
export function compilePattern(source: string, most: number): Pattern | string {
  if (source.length > MOST_LENGTH) return `a pattern of at most ${MOST_LENGTH} characters`;
  const text = source.replaceAll(/\\(?:u([\dA-Fa-f]{4})|u\{([\dA-Fa-f]{1,6})\}|([^u]))/g, (all, code?: string, long?: string) => {
    const digits = code ?? long;
    return digits === undefined ? all : `\\x{${digits}}`;
  });
  const size = sizeOf(text);
  if (size > most) return 'a smaller pattern: what repetitions and classes of Unicode become counts, of all patterns of a schema together';
  try {
    const compiled = re2().compile(text);
    const instructions = compiled.programSize();
    return {
      size,
      matches(given) {
        spend(START + given.length * (1 + instructions / INSTRUCTIONS));
        return compiled.matcher(given).find();
      },
    };
  } catch {
    return 'a pattern of RE2';
  }
}

/** The parts of a pattern: escapes, classes, repetitions with their numbers, groups, anything else. */
const PARTS = /\\Q.*?(?:\\E|$)|\\[pPx]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\{(\d+)(?:,(\d*))?\}|./gs;

/** About how many instructions a pattern becomes, without making them, and what else costs as much: what is repeated so many times stands there so many times. */
export function sizeOf(pattern: string): number {
  const unicode = /\(\?\w*i/.test(pattern) ? COST.unicodeOfEitherCase : COST.unicode;
  /** Of the groups that are open: what stands in each, and what came last. */
  const groups: Group[] = [{ size: COST.pattern, last: 0 }];
  for (const [part, least, more] of pattern.matchAll(PARTS)) {
    const group = groups.at(-1) as Group;
    if (part === '(') {
      groups.push({ size: 2, last: 0 });
    } else if (part === ')' && groups.length > 1) {
      groups.pop();
      add(groups.at(-1) as Group, group.size);
    } else if (least !== undefined) {
      const times = Math.max(1, Number(least), more === '' ? Number(least) + 1 : Number(more ?? 0));
      group.size += group.last * (times - 1);
      group.last *= times;
    } else {
      add(group, part.startsWith('\\Q') ? part.length : 1);
      // It stands in all of what is repeated, and is made once.
      (groups[0] as Group).size += unicode * (part.match(/\\[pP]/g)?.length ?? 0);
    }
  }
  return groups.reduce((sum, { size }) => sum + size, 0);
}

interface Group {
  size: number;
  last: number;
}

function add(group: Group, size: number): void {
  group.last = size;
  group.size += size;
}

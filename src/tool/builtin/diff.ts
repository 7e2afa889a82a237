import { z } from 'zod';
import { ScriptError } from '../../errors.ts';
import { defineTool } from '../tool.ts';

const MOST_LINES = 20_000;
const MOST_EDITS = 4_000;

/** A line-by-line comparison (Myers, An O(ND) Difference Algorithm, 1986). */
export const diff = defineTool(
  {
    name: 'diff',
    description: 'Compares two texts line by line',
    category: 'text',
    effect: 'pure',
    tags: ['compare', 'patch'],
    input: z.strictObject({ before: z.string().max(5_000_000), after: z.string().max(5_000_000), context: z.int().min(0).max(100).default(3) }),
    output: z.object({ equal: z.boolean(), added: z.int(), removed: z.int(), unified: z.string() }),
    examples: [
      {
        lua: `print(Tool.execute("diff", {before = "a\\nb", after = "a\\nc"}).unified)`,
        javascript: `print(Tool.execute("diff", {before: "a\\nb", after: "a\\nc"}).unified)`,
      },
    ],
    execute({ before, after, context }) {
      const edits = compare(before.split('\n'), after.split('\n'));
      const added = edits.filter(({ sign }) => sign === '+').length;
      const removed = edits.filter(({ sign }) => sign === '-').length;
      return { equal: added + removed === 0, added, removed, unified: unified(edits, context) };
    },
  },
  'builtin',
);

interface Edit {
  readonly sign: ' ' | '+' | '-';
  readonly line: string;
}

function compare(a: readonly string[], b: readonly string[]): Edit[] {
  if (a.length + b.length > MOST_LINES) throw new ScriptError('LIMIT_EXCEEDED', `diff: more than ${MOST_LINES} lines`);
  const furthest = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  for (let edits = 0; edits <= a.length + b.length; edits++) {
    if (edits > MOST_EDITS) throw new ScriptError('LIMIT_EXCEEDED', `diff: the texts differ in more than ${MOST_EDITS} lines`);
    trace.push(new Map(furthest));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && (furthest.get(k - 1) ?? 0) < (furthest.get(k + 1) ?? 0));
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace);
    }
  }
  return [];
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly Map<number, number>[]): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [a.length, b.length];
  for (let at = trace.length - 1; at >= 0; at--) {
    const before = trace[at] as Map<number, number>;
    const k = x - y;
    const down = k === -at || (k !== at && (before.get(k - 1) ?? 0) < (before.get(k + 1) ?? 0));
    const fromK = down ? k + 1 : k - 1;
    const fromX = at === 0 ? 0 : (before.get(fromK) ?? 0);
    const fromY = at === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      edits.push({ sign: ' ', line: a[--x] as string });
      y--;
    }
    if (at === 0) break;
    if (down) edits.push({ sign: '+', line: b[--y] as string });
    else edits.push({ sign: '-', line: a[--x] as string });
  }
  return edits.reverse();
}

function unified(edits: readonly Edit[], context: number): string {
  const lines: string[] = [];
  let [a, b] = [1, 1];
  let at = 0;
  const near = (index: number) => edits.slice(Math.max(0, index - context), index + context + 1).some(({ sign }) => sign !== ' ');
  while (at < edits.length) {
    if (!near(at)) {
      const { sign } = edits[at++] as Edit;
      if (sign !== '+') a++;
      if (sign !== '-') b++;
      continue;
    }
    const start = at;
    while (at < edits.length && near(at)) at++;
    const hunk = edits.slice(start, at);
    const [oldLines, newLines] = [hunk.filter(({ sign }) => sign !== '+').length, hunk.filter(({ sign }) => sign !== '-').length];
    lines.push(`@@ -${a},${oldLines} +${b},${newLines} @@`, ...hunk.map(({ sign, line }) => sign + line));
    a += oldLines;
    b += newLines;
  }
  return lines.join('\n');
}

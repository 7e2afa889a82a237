import { ScriptError } from '../../errors.ts';

export interface DiffInput {
  readonly before: string;
  readonly after: string;
  /** Unchanged lines around a change. */
  readonly context: number;
}

export interface DiffResult {
  readonly equal: boolean;
  readonly added: number;
  readonly removed: number;
  readonly unified: string;
}

/** As `diff -u` says it. */
const NO_END = '\\ No newline at end of file';
const MOST_LINES = 100_000;
const MOST_EDITS = 4_000;

/** Compares two texts line by line (Myers, An O(ND) Difference Algorithm, 1986). Throws LIMIT_EXCEEDED for too many lines or changes. */
export function run({ before, after, context }: DiffInput): DiffResult {
  // Lines keep their ends, so that one without differs; where neither text ends its last line, both count as if they did.
  const end = before.endsWith('\n') || after.endsWith('\n') ? '' : '\n';
  const lines = (text: string) => (text === '' ? [] : ((text + end).match(/[^\n]*\n|[^\n]+$/g) ?? []));
  const edits = compare(lines(before), lines(after));
  const added = edits.filter(({ sign }) => sign === '+').length;
  const removed = edits.filter(({ sign }) => sign === '-').length;
  return { equal: added + removed === 0, added, removed, unified: unified(edits, context) };
}

interface Edit {
  readonly sign: ' ' | '+' | '-';
  readonly line: string;
}

/** What both texts begin and end with needs no search. */
function compare(a: readonly string[], b: readonly string[]): Edit[] {
  if (a.length + b.length > MOST_LINES) throw new ScriptError('LIMIT_EXCEEDED', `diff: more than ${MOST_LINES} lines`);
  const least = Math.min(a.length, b.length);
  let head = 0;
  while (head < least && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < least - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (lines: readonly string[]) => lines.map((line): Edit => ({ sign: ' ', line }));
  const middle = search(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  return [...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))];
}

/** `trace[d]` holds, for every diagonal k from -d to d at k + d, how far d edits reached before the d-th. */
function search(a: readonly string[], b: readonly string[]): Edit[] {
  const most = Math.min(MOST_EDITS, a.length + b.length);
  const furthest = new Int32Array(2 * most + 3);
  const origin = most + 1;
  const at = (k: number) => furthest[origin + k] ?? 0;
  const trace: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits++) {
    trace.push(furthest.slice(origin - edits - 1, origin + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
      let x = down ? at(k + 1) : at(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[origin + k] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(a, b, trace);
    }
  }
  throw new ScriptError('LIMIT_EXCEEDED', `diff: the texts differ in more than ${MOST_EDITS} lines`);
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly Int32Array[]): Edit[] {
  const edits: Edit[] = [];
  let [x, y] = [a.length, b.length];
  for (let step = trace.length - 1; step >= 0; step--) {
    const before = (k: number) => trace[step]?.[k + step + 1] ?? 0;
    const k = x - y;
    const down = k === -step || (k !== step && before(k - 1) < before(k + 1));
    const fromK = down ? k + 1 : k - 1;
    const fromX = step === 0 ? 0 : before(fromK);
    const fromY = step === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) {
      edits.push({ sign: ' ', line: a[--x] as string });
      y--;
    }
    if (step === 0) break;
    if (down) edits.push({ sign: '+', line: b[--y] as string });
    else edits.push({ sign: '-', line: a[--x] as string });
  }
  return edits.reverse();
}

function unified(edits: readonly Edit[], context: number): string {
  const lines: string[] = [];
  let [a, b] = [1, 1];
  let at = 0;
  const near = nearness(edits, context);
  while (at < edits.length) {
    if (!near[at]) {
      const { sign } = edits[at++] as Edit;
      if (sign !== '+') a++;
      if (sign !== '-') b++;
      continue;
    }
    const start = at;
    while (at < edits.length && near[at]) at++;
    const hunk = edits.slice(start, at);
    const [oldLines, newLines] = [hunk.filter(({ sign }) => sign !== '+').length, hunk.filter(({ sign }) => sign !== '-').length];
    // Where a side has no line, its number is that of the line before.
    lines.push(`@@ -${oldLines ? a : a - 1},${oldLines} +${newLines ? b : b - 1},${newLines} @@`);
    for (const { sign, line } of hunk) lines.push(line.endsWith('\n') ? sign + line.slice(0, -1) : `${sign}${line}\n${NO_END}`);
    a += oldLines;
    b += newLines;
  }
  return lines.join('\n');
}

/** Whether each line lies within `context` lines of a change. */
function nearness(edits: readonly Edit[], context: number): Uint8Array {
  const near = new Uint8Array(edits.length);
  let until = -1;
  for (const [at, { sign }] of edits.entries()) {
    if (sign !== ' ') {
      near.fill(1, Math.max(until + 1, at - context), at);
      until = at + context;
    }
    if (at <= until) near[at] = 1;
  }
  return near;
}

import { z } from '../../zod.ts';
import { beside } from '../beside.ts';
import { defineTool } from '../tool.ts';
import { type DiffResult, run } from '../work/diff.ts';

/** Texts up to this many characters and lines are compared at once, longer ones in a thread. */
const SMALL = 20_000;
const FEW_LINES = 200;

/** A line-by-line comparison. */
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
    execute(input, context) {
      const { before, after } = input;
      const small = before.length + after.length <= SMALL && linesUpTo(before, FEW_LINES) && linesUpTo(after, FEW_LINES);
      return small ? run(input) : beside<DiffResult>(context, new URL('../work/diff.ts', import.meta.url), input);
    },
  },
  'builtin',
);

function linesUpTo(text: string, most: number): boolean {
  let lines = 1;
  for (let at = text.indexOf('\n'); at >= 0 && lines <= most; at = text.indexOf('\n', at + 1)) lines++;
  return lines <= most;
}

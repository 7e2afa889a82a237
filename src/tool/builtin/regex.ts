import { z } from '../../zod.ts';
import { beside } from '../beside.ts';
import { defineTool } from '../tool.ts';
import { type RegexResult, run } from '../work/regex.ts';

/** One search is done at once up to so many characters of the text times those of the pattern, a few ms. */
const SMALL = 10_000;
const SMALL_REPLACEMENT = 100;

/** What of a pattern takes more than its length says: repetitions multiply what each character costs, and classes of Unicode take long to compile. */
const DEAR = /\{|\\p/i;

/** Regular expressions of RE2: no backtracking, so no pattern takes more than linear time. */
export const regex = defineTool(
  {
    name: 'regex',
    description: 'Matches, replaces and splits by a regular expression, in linear time',
    category: 'text',
    effect: 'pure',
    tags: ['pattern', 'search'],
    input: z.strictObject({
      operation: z.enum(['test', 'match', 'replace', 'split']).default('match'),
      pattern: z.string().min(1).max(1_000).describe('RE2 syntax; no back-references or look-around'),
      text: z.string().max(1_000_000),
      replacement: z.string().default('').describe('$1 and $<name> stand for groups, $& for the whole match, $$ for a dollar sign'),
      ignore_case: z.boolean().default(false),
      multiline: z.boolean().default(false),
      limit: z
        .int()
        .min(1)
        .max(10_000)
        .optional()
        .describe('at most so many matches or parts, 1,000 if not given; replace: only the first so many, all if not given'),
    }),
    output: z.object({
      matched: z.boolean(),
      matches: z
        .array(
          z.object({
            match: z.string(),
            start: z.int().describe('from 0, in UTF-16 units'),
            stop: z.int().describe('behind its last unit'),
            groups: z.array(z.string().nullable()),
            named: z.record(z.string(), z.string()),
          }),
        )
        .optional(),
      text: z.string().optional(),
      parts: z.array(z.string()).optional(),
    }),
    examples: [
      {
        lua: `print(Tool.execute("regex", {pattern = "(\\\\w+)@(\\\\w+)", text = "mail ada@example"}).matches[1].groups)`,
        javascript: `print(Tool.execute("regex", {pattern: "(\\\\w+)@(\\\\w+)", text: "mail ada@example"}).matches[0].groups)`,
      },
    ],
    execute(input, context) {
      const { text, pattern, replacement } = input;
      const small = (text.length + SMALL_REPLACEMENT) * pattern.length <= SMALL && !DEAR.test(pattern) && replacement.length <= SMALL_REPLACEMENT;
      const answer = small ? run({ ...input, brief: true }) : undefined;
      return answer ?? beside<RegexResult>(context, new URL('../work/regex.ts', import.meta.url), input);
    },
  },
  'builtin',
);

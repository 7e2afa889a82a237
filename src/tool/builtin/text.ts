import { z } from '../../zod.ts';
import { beside } from '../beside.ts';
import { defineTool } from '../tool.ts';
import { run, type TextResult } from '../work/text.ts';

/** Texts up to this many characters are changed at once, longer ones in a thread. */
const SMALL = 50_000;
/** Less where it takes more: each character is looked at by itself, and may become eighteen. */
const DEAR = { slug: 5_000, reverse: 5_000 } as Readonly<Record<string, number>>;

/** Everyday changes of text. */
export const text = defineTool(
  {
    name: 'text',
    description: 'Counts, changes, cuts and splits text',
    category: 'text',
    effect: 'pure',
    tags: ['string'],
    input: z.strictObject({
      operation: z.enum(['count', 'upper', 'lower', 'title', 'trim', 'reverse', 'slug', 'truncate', 'split', 'lines', 'words', 'replace', 'pad']),
      text: z.string().max(5_000_000),
      length: z.int().min(0).max(1_000_000).optional().describe('truncate, pad: how many characters'),
      separator: z.string().optional().describe('split: a space if not given'),
      find: z.string().min(1).optional().describe('replace: the text to find, as it stands'),
      with: z.string().optional().describe('replace: what comes in its place, nothing if not given; pad: with what, spaces if not given'),
    }),
    output: z.object({
      text: z.string().optional(),
      parts: z.array(z.string()).optional(),
      characters: z.int().optional(),
      words: z.int().optional(),
      lines: z.int().optional(),
      bytes: z.int().optional(),
    }),
    examples: [
      {
        lua: `print(Tool.execute("text", {operation = "slug", text = "Hello, World!"}).text)`,
        javascript: `print(Tool.execute("text", {operation: "slug", text: "Hello, World!"}).text)`,
      },
    ],
    execute: (input, context) =>
      input.text.length <= (DEAR[input.operation] ?? SMALL) ? run(input) : beside<TextResult>(context, new URL('../work/text.ts', import.meta.url), input),
  },
  'builtin',
);

import { z } from '../../zod.ts';
import { beside } from '../beside.ts';
import { defineTool } from '../tool.ts';
import type { FileSearchInput, FileSearchResult } from '../work/file-search.ts';

const DEADLINE_MS = 25_000;

/** Lines of files that contain something. */
export const fileSearch = defineTool(
  {
    name: 'file_search',
    description: 'Searches files for text or a regular expression',
    category: 'file',
    tags: ['filesystem', 'grep', 'find'],
    input: z.strictObject({
      query: z.string().min(1).max(1_000),
      path: z.string().default('.'),
      pattern: z.string().default('**').describe('a glob for the files'),
      regex: z.boolean().default(false).describe('the query is a regular expression (RE2)'),
      ignore_case: z.boolean().default(true),
      limit: z.int().min(1).max(10_000).default(100),
    }),
    output: z.object({ matches: z.array(z.object({ path: z.string(), line: z.int(), text: z.string() })), files: z.int(), truncated: z.boolean() }),
    examples: [
      {
        lua: `Tool.execute("file_write", {path = "a.txt", content = "one\\ntwo"})\nprint(Tool.execute("file_search", {query = "TWO"}).matches[1].line)`,
        javascript: `Tool.execute("file_write", {path: "a.txt", content: "one\\ntwo"})\nprint(Tool.execute("file_search", {query: "TWO"}).matches[0].line)`,
      },
    ],
    execute(input, context) {
      const { read, write } = context.run.grants;
      const given: FileSearchInput = { ...input, caller: { method: context.method, run: { grants: { read, write } } } };
      return beside<FileSearchResult>(context, new URL('../work/file-search.ts', import.meta.url), given, { deadlineMs: DEADLINE_MS });
    },
  },
  'builtin',
);

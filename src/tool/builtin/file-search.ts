import { join } from 'node:path';
import { z } from 'zod';
import { readBytes } from '../files/read.ts';
import { listFolder } from '../files/walk.ts';
import { defineTool } from '../tool.ts';
import { compile } from './regex.ts';

const MOST_SEARCHED_BYTES = 4 * 2 ** 20;
const MOST_LINE = 400;
/** Files between two turns of the event loop. */
const PER_TURN = 20;

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
    async execute({ query, path, pattern, regex, ignore_case, limit }, context) {
      const test = tester(query, regex, ignore_case);
      const { entries, truncated } = listFolder(context, path, { recursive: true, pattern, hidden: false, limit: 10_000 });
      const matches: { path: string; line: number; text: string }[] = [];
      let files = 0;
      for (const [at, { path: below, kind, size }] of entries.entries()) {
        if (at % PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
        context.signal.throwIfAborted();
        if (kind !== 'file' || size > MOST_SEARCHED_BYTES) continue;
        const content = readBytes(context, join(path, below));
        if (content.includes(0)) continue;
        files++;
        for (const [line, text] of content.toString('utf8').split('\n').entries()) {
          if (!test(text)) continue;
          if (matches.length >= limit) return { matches, files, truncated: true };
          matches.push({ path: below, line: line + 1, text: text.trim().slice(0, MOST_LINE) });
        }
      }
      return { matches, files, truncated };
    },
  },
  'builtin',
);

function tester(query: string, regex: boolean, ignoreCase: boolean): (line: string) => boolean {
  if (regex) {
    const compiled = compile(ignoreCase ? `(?i)${query}` : query);
    return (line) => compiled.matcher(line).find();
  }
  const wanted = ignoreCase ? query.toLowerCase() : query;
  return (line) => (ignoreCase ? line.toLowerCase() : line).includes(wanted);
}

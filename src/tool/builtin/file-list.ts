import { z } from '../../zod.ts';
import { listFolderSoon } from '../files/walk.ts';
import { defineTool } from '../tool.ts';

/** The entries of a folder. */
export const fileList = defineTool(
  {
    name: 'file_list',
    description: 'Lists the files of a folder',
    category: 'file',
    tags: ['filesystem', 'directory', 'glob'],
    input: z.strictObject({
      path: z.string().default('.'),
      recursive: z.boolean().default(false),
      pattern: z.string().optional().describe('a glob such as **/*.md, against the path below the folder'),
      hidden: z.boolean().default(false),
      limit: z.int().min(1).max(10_000).default(1_000),
    }),
    output: z.object({
      entries: z.array(z.object({ path: z.string(), kind: z.enum(['file', 'folder', 'link', 'other']), size: z.int(), modified_at: z.number() })),
      truncated: z.boolean(),
    }),
    examples: [
      {
        lua: `Tool.execute("file_write", {path = "a.md", content = "x"})\nprint(Tool.execute("file_list", {pattern = "*.md"}).entries[1].path)`,
        javascript: `Tool.execute("file_write", {path: "a.md", content: "x"})\nprint(Tool.execute("file_list", {pattern: "*.md"}).entries[0].path)`,
      },
    ],
    execute: ({ path, ...options }, context) => listFolderSoon(context, path, options),
  },
  'builtin',
);

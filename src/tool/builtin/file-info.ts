import { statSync } from 'node:fs';
import { z } from '../../zod.ts';
import { existing, mayRead } from '../files/access.ts';
import { defineTool } from '../tool.ts';

/** What is known of a path. */
export const fileInfo = defineTool(
  {
    name: 'file_info',
    description: 'Tells size, kind and time of a file or folder',
    category: 'file',
    tags: ['filesystem', 'stat'],
    input: z.strictObject({ path: z.string() }),
    output: z.object({
      exists: z.boolean(),
      kind: z.enum(['file', 'folder', 'other']).optional(),
      size: z.int().optional(),
      modified_at: z.number().optional(),
    }),
    examples: [
      { lua: `print(Tool.execute("file_info", {path = "none.txt"}).exists)`, javascript: `print(Tool.execute("file_info", {path: "none.txt"}).exists)` },
    ],
    execute({ path }, context) {
      if (!mayRead(context.run.grants, path) && !path.includes('..')) return { exists: false };
      const stats = statSync(existing(context, path));
      return {
        exists: true,
        kind: stats.isFile() ? ('file' as const) : stats.isDirectory() ? ('folder' as const) : ('other' as const),
        size: stats.size,
        modified_at: Math.round(stats.mtimeMs),
      };
    },
  },
  'builtin',
);

import { textOrBytes } from '../../call/schema.ts';
import { z } from '../../zod.ts';
import { writeFileSoon } from '../files/write.ts';
import { defineTool } from '../tool.ts';

/** Writes below the first allowed folder. */
export const fileWrite = defineTool(
  {
    name: 'file_write',
    description: 'Writes a file, whole or not at all',
    category: 'file',
    tags: ['filesystem', 'save'],
    input: z.strictObject({
      path: z.string(),
      content: textOrBytes,
      mode: z.enum(['replace', 'append', 'create']).default('replace').describe('create: an error where the file exists'),
    }),
    output: z.object({ path: z.string(), bytes: z.int() }),
    examples: [
      {
        lua: `print(Tool.execute("file_write", {path = "notes.md", content = "# Notes\\n"}).bytes)`,
        javascript: `print(Tool.execute("file_write", {path: "notes.md", content: "# Notes\\n"}).bytes)`,
      },
    ],
    execute: async ({ path, content, mode }, context) => ({ path, bytes: await writeFileSoon(context, path, content, mode) }),
  },
  'builtin',
);

import { textOrBytes } from '../../call/schema.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { makeFolderOf, writeFileSoon } from '../files/write.ts';
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
      create_folders: z.boolean().default(false).describe('make the folders of the path that are missing'),
    }),
    output: z.object({ path: z.string(), bytes: z.int() }),
    examples: [
      {
        lua: `print(Tool.execute("file_write", {path = "notes.md", content = "# Notes\\n"}).bytes)`,
        javascript: `print(Tool.execute("file_write", {path: "notes.md", content: "# Notes\\n"}).bytes)`,
      },
    ],
    async execute({ path, content, mode, create_folders }, context) {
      if (create_folders) makeFolderOf(context, path);
      try {
        return { path, bytes: await writeFileSoon(context, path, content, mode) };
      } catch (error) {
        // Only the folder can be what is not there.
        if (error instanceof ScriptError && error.code === 'NOT_FOUND' && !create_folders)
          error.message += `; create_folders${context.run.language === 'lua' ? ' =' : ':'} true makes it`;
        throw error;
      }
    },
  },
  'builtin',
);

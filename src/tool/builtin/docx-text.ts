import { bytes } from '../../call/schema.ts';
import { z } from '../../zod.ts';
import { readOnly } from '../documents.ts';
import { defineTool } from '../tool.ts';

/** A Word document's text. */
export const docxText = defineTool(
  {
    name: 'docx_text',
    description: 'Reads the text of a Word document (DOCX) as Markdown',
    category: 'document',
    tags: ['word', 'docx', 'convert'],
    timeout_ms: 60_000,
    input: z.strictObject({
      path: z.string().optional(),
      data: bytes.optional().describe('the file itself, in place of path'),
      max_characters: z.int().min(1).max(10_000_000).default(1_000_000),
    }),
    output: z.object({ text: z.string(), title: z.string().optional(), truncated: z.boolean() }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "docx_text", {data = "no Word document"})\nprint(err.message)`,
        javascript: `try { Tool.execute("docx_text", {data: "no Word document"}) } catch (err) { print(err.message) }`,
      },
    ],
    async execute({ path, data, max_characters }, context) {
      const { text, title } = await readOnly(context, 'docx', path, data);
      return { text: text.slice(0, max_characters), ...(title !== undefined && { title }), truncated: text.length > max_characters };
    },
  },
  'builtin',
);

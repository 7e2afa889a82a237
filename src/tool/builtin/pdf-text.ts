import { bytes } from '../../call/schema.ts';
import { pieceEnd } from '../../call/text.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { readOnly } from '../documents.ts';
import { defineTool } from '../tool.ts';

/** A PDF's text, page by page. */
export const pdfText = defineTool(
  {
    name: 'pdf_text',
    description: 'Reads the text of a PDF page by page',
    category: 'document',
    tags: ['pdf', 'convert'],
    timeout_ms: 60_000,
    input: z.strictObject({
      path: z.string().optional(),
      data: bytes.optional().describe('the file itself, in place of path'),
      first_page: z.int().min(1).default(1),
      last_page: z.int().min(1).optional().describe('the last one if not given'),
      max_characters: z.int().min(1).max(10_000_000).default(1_000_000),
    }),
    output: z.object({
      text: z.string(),
      title: z.string().optional(),
      pages: z.array(z.object({ page: z.int(), text: z.string() })),
      page_count: z.int().describe('of the whole document'),
      truncated: z.boolean(),
    }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "pdf_text", {data = "no PDF"})\nprint(err.message)`,
        javascript: `try { Tool.execute("pdf_text", {data: "no PDF"}) } catch (err) { print(err.message) }`,
      },
    ],
    async execute({ path, data, first_page, last_page, max_characters }, context) {
      const { text, title, pages = [] } = await readOnly(context, 'pdf', path, data);
      if (first_page > pages.length || (last_page ?? first_page) < first_page)
        throw new ScriptError('BAD_ARGUMENT', `pdf_text: expected pages within 1 to ${pages.length}, got ${first_page} to ${last_page ?? pages.length}`);
      const wanted = pages.slice(first_page - 1, last_page);
      const start = wanted[0]?.start ?? 0;
      const stop = Math.min(wanted.at(-1)?.stop ?? 0, pieceEnd(text, start, max_characters));
      return {
        text: text.slice(start, stop),
        ...(title !== undefined && { title }),
        pages: wanted.map((page, at) => ({ page: first_page + at, text: text.slice(page.start, Math.max(page.start, Math.min(page.stop, stop))) })),
        page_count: pages.length,
        truncated: stop < (wanted.at(-1)?.stop ?? 0),
      };
    },
  },
  'builtin',
);

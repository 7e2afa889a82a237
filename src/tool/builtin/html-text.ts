import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { readBytes } from '../files/read.ts';
import { readPage } from '../page.ts';
import { defineTool } from '../tool.ts';

/** HTML without its markup. */
export const htmlText = defineTool(
  {
    name: 'html_text',
    description: 'Turns HTML into clean text or Markdown',
    category: 'document',
    effect: 'pure',
    tags: ['html', 'convert'],
    input: z.strictObject({
      html: z.string().max(5_000_000).optional(),
      path: z.string().optional().describe('a file instead of html'),
      format: z.enum(['text', 'markdown']).default('text'),
    }),
    output: z.object({ title: z.string(), text: z.string(), links: z.array(z.object({ text: z.string(), url: z.string() })) }),
    examples: [
      {
        lua: `print(Tool.execute("html_text", {html = "<h1>Hi</h1><p>You &amp; me</p>"}).text)`,
        javascript: `print(Tool.execute("html_text", {html: "<h1>Hi</h1><p>You &amp; me</p>"}).text)`,
      },
    ],
    execute({ html, path, format }, context) {
      const source = html ?? (path === undefined ? undefined : readBytes(context, path).toString('utf8'));
      if (source === undefined) throw new ScriptError('BAD_ARGUMENT', 'html_text: expected html or path');
      return readPage(context, source, format);
    },
  },
  'builtin',
);

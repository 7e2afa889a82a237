import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { request } from '../net/request.ts';
import { readPage } from '../page.ts';
import { defineTool } from '../tool.ts';

/** A web page as people read it. */
export const webFetch = defineTool(
  {
    name: 'web_fetch',
    description: 'Reads a web page as clean text or Markdown',
    category: 'web',
    tags: ['network', 'page', 'scrape'],
    input: z.strictObject({
      url: z.string(),
      format: z.enum(['text', 'markdown']).default('markdown'),
      max_characters: z.int().min(1).max(1_000_000).default(100_000),
    }),
    output: z.object({
      url: z.string(),
      title: z.string(),
      text: z.string(),
      links: z.array(z.object({ text: z.string(), url: z.string() })),
      truncated: z.boolean(),
    }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "web_fetch", {url = "http://127.0.0.1:9/"})\nprint(err.code)`,
        javascript: `try { Tool.execute("web_fetch", {url: "http://127.0.0.1:9/"}) } catch (err) { print(err.code) }`,
      },
    ],
    async execute({ url, format, max_characters }, context) {
      const answer = await request(context, url, { headers: { accept: 'text/html, text/plain;q=0.9, */*;q=0.1' } });
      if (answer.status >= 400)
        throw new ScriptError('TOOL_FAILED', `web_fetch: ${new URL(answer.url).host} answered ${answer.status}`, {
          details: { outcome: 'failed', retryable: answer.status >= 500 || answer.status === 429, status: answer.status },
        });
      const source = answer.body.toString('utf8');
      const html = /html/.test(answer.headers['content-type'] ?? '') || /^\s*<(?:!doctype|html)/i.test(source);
      const page = html ? await readPage(context, source, format, answer.url) : { title: '', text: source, links: [] };
      return {
        url: answer.url,
        title: page.title,
        text: page.text.slice(0, max_characters),
        links: page.links,
        truncated: answer.truncated || page.text.length > max_characters,
      };
    },
  },
  'builtin',
);

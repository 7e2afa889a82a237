import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { readBytes } from '../files/read.ts';
import { defineTool } from '../tool.ts';
import { fetchXml, readXml } from '../xml.ts';

const item = z.object({
  title: z.string(),
  url: z.string().optional(),
  id: z.string().optional(),
  summary: z.string().optional(),
  content: z.string().optional(),
  author: z.string().optional(),
  published_at: z.string().optional().describe('ISO 8601'),
  categories: z.array(z.string()),
  enclosures: z.array(z.object({ url: z.string(), type: z.string().optional(), size: z.int().optional() })),
});

/** Feeds: RSS 2.0, Atom and RDF (RSS 1.0). */
export const rss = defineTool(
  {
    name: 'rss',
    description: 'Reads a news feed (RSS, Atom or RDF)',
    category: 'web',
    tags: ['network', 'feed', 'atom', 'news'],
    input: z.strictObject({
      url: z.string().optional(),
      text: z.string().max(5_000_000).optional().describe('the feed itself instead of a url'),
      path: z.string().optional().describe('a file instead of a url'),
      limit: z.int().min(1).max(1_000).default(100),
    }),
    output: z.object({
      format: z.enum(['rss', 'atom', 'rdf']),
      title: z.string(),
      url: z.string().optional(),
      description: z.string().optional(),
      updated_at: z.string().optional(),
      items: z.array(item),
      count: z.int().describe('items in the feed'),
    }),
    examples: [
      {
        lua: `local feed = "<rss version='2.0'><channel><title>News</title><item><title>One</title></item></channel></rss>"
print(Tool.execute("rss", {text = feed}).items[1].title)`,
        javascript: `const feed = "<rss version='2.0'><channel><title>News</title><item><title>One</title></item></channel></rss>"
print(Tool.execute("rss", {text: feed}).items[0].title)`,
      },
    ],
    async execute({ url, text, path, limit }, context) {
      const fetched =
        url === undefined ? undefined : await fetchXml(context, url, 'application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.1');
      const bytes = fetched?.body ?? (text === undefined ? (path === undefined ? undefined : readBytes(context, path)) : Buffer.from(text));
      if (bytes === undefined) throw new ScriptError('BAD_ARGUMENT', 'rss: expected url, text or path');
      const feed = await readXml(context, 'feed', bytes, fetched?.url);
      return { ...feed, items: feed.items.slice(0, limit), count: feed.items.length };
    },
  },
  'builtin',
);

import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { readBytes } from '../files/read.ts';
import { defineTool } from '../tool.ts';
import type { Sitemap } from '../work/feed.ts';
import { fetchXml, readXml } from '../xml.ts';

/** Sitemaps that are fetched for one index. */
const MOST_SITEMAPS = 20;

/** Sitemaps (sitemaps.org), packed ones too; those that an index names are followed. */
export const sitemap = defineTool(
  {
    name: 'sitemap',
    description: 'Lists the pages of a site by its sitemap',
    category: 'web',
    tags: ['network', 'crawl', 'pages'],
    input: z.strictObject({
      url: z.string().optional().describe('a sitemap, or the site itself, whose /sitemap.xml is read'),
      text: z.string().max(5_000_000).optional().describe('the sitemap itself instead of a url'),
      path: z.string().optional().describe('a file instead of a url'),
      follow: z.boolean().default(true).describe('read the sitemaps that an index names, up to 20'),
      limit: z.int().min(1).max(50_000).default(1_000),
    }),
    output: z.object({
      pages: z.array(
        z.object({ url: z.string(), modified_at: z.string().optional(), change_frequency: z.string().optional(), priority: z.number().optional() }),
      ),
      sitemaps: z.array(z.string()).describe('those that an index names'),
      truncated: z.boolean().describe('there are more pages or sitemaps'),
    }),
    examples: [
      {
        lua: `local map = "<urlset><url><loc>https://example.org/</loc></url></urlset>"\nprint(Tool.execute("sitemap", {text = map}).pages[1].url)`,
        javascript: `const map = "<urlset><url><loc>https://example.org/</loc></url></urlset>"\nprint(Tool.execute("sitemap", {text: map}).pages[0].url)`,
      },
    ],
    async execute({ url, text, path, follow, limit }, context) {
      const fetch = async (address: string) => {
        const { body, url: final } = await fetchXml(context, address, 'application/xml, text/xml;q=0.9, */*;q=0.1');
        return readXml(context, 'sitemap', body, final);
      };
      const bytes = text === undefined ? (path === undefined ? undefined : readBytes(context, path)) : Buffer.from(text);
      if (url === undefined && bytes === undefined) throw new ScriptError('BAD_ARGUMENT', 'sitemap: expected url, text or path');
      const first = url === undefined ? await readXml(context, 'sitemap', bytes as Buffer, undefined) : await fetch(address(url));
      const sitemaps = first.kind === 'index' ? first.entries.map((entry) => entry.url) : [];
      const pages = first.kind === 'urls' ? [...first.entries] : [];
      // One after the other: a site is not asked for twenty things at once.
      const followed = follow ? sitemaps.slice(0, MOST_SITEMAPS) : [];
      let deeper = false;
      for (const one of followed) {
        if (pages.length >= limit) break;
        const inner: Sitemap = await fetch(one);
        if (inner.kind === 'urls') pages.push(...inner.entries);
        else deeper = true;
      }
      const truncated = pages.length > limit || deeper || (follow && sitemaps.length > followed.length);
      return { pages: pages.slice(0, limit), sitemaps, truncated };
    },
  },
  'builtin',
);

/** Of a site without a path its usual sitemap. */
function address(url: string): string {
  const parsed = URL.parse(url);
  return parsed?.pathname === '/' && parsed.search === '' ? new URL('/sitemap.xml', parsed).href : url;
}

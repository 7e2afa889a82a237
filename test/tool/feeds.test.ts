import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/tool/work/feed.ts';
import { workspace } from '../support/workspace.ts';

const work = workspace();
let port = 0;
const SITE = () => `http://127.0.0.1:${port}`;
const RSS = `<?xml version="1.0" encoding="ISO-8859-1"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Caf\xe9 &amp; News</title><link>/home</link><description>All of it</description><pubDate>Tue, 10 Jun 2025 04:00:00 GMT</pubDate>
<item><title><![CDATA[One <b>]]></title><link>https://example.org/1</link><guid isPermaLink="false">id-1</guid><description>short &lt;p&gt;</description>
<content:encoded><![CDATA[<p>long<br><img src=x>]]></content:encoded><dc:creator>Ada</dc:creator><category>a</category><category>b</category>
<enclosure url="/a.mp3" type="audio/mpeg" length="123"/><pubDate>Tue, 10 Jun 2025 05:00:00 +0200</pubDate></item>
<item><title>Two</title><guid>https://example.org/2</guid><link>javascript:alert(1)</link></item></channel></rss>`;
const ATOM = `<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Atom</title><updated>2025-06-10T04:00:00Z</updated><link rel="self" href="/self"/><link href="/home"/>
<entry><title>One</title><id>urn:1</id><link rel="alternate" href="post"/><link rel="enclosure" href="/f.bin" length="7"/><published>2025-06-09T00:00:00Z</published>
<author><name>Ada</name></author><category term="x"/><content type="xhtml"><div>some <b>bold</b></div></content></entry></feed>`;
const RDF = `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://example.org/"><title>RDF</title><link>https://example.org/</link></channel><item rdf:about="https://example.org/1"><title>One</title><link>https://example.org/1</link><dc:date>2025-06-09</dc:date></item></rdf:RDF>`;
const urlset = (...paths: string[]) =>
  `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${paths.map((path) => `<url><loc>${path}</loc></url>`).join('')}</urlset>`;

const routes: Record<string, (response: ServerResponse) => void> = {
  '/rss': (response) => response.end(Buffer.from(RSS, 'latin1')),
  '/atom': (response) => response.end(ATOM),
  '/missing': (response) => response.writeHead(404).end(),
  '/page': (response) => response.end('<html><body>no feed</body></html>'),
  '/bomb': (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(`<rss><channel><title>${'x'.repeat(20 * 2 ** 20)}</title></channel></rss>`)),
  '/packed-bomb.gz': (response) => response.end(gzipSync(urlset('x'.repeat(30 * 2 ** 20)))),
  '/private': (response) => response.writeHead(302, { location: 'http://169.254.169.254/feed' }).end(),
  '/sitemap.xml': (response) =>
    response.end(`<sitemapindex><sitemap><loc>${SITE()}/one.xml.gz</loc></sitemap><sitemap><loc>${SITE()}/two.xml</loc></sitemap></sitemapindex>`),
  '/one.xml.gz': (response) => response.end(gzipSync(urlset(`${SITE()}/a`, '/b'))),
  '/two.xml': (response) =>
    response.end(`<urlset><url><loc>${SITE()}/c</loc><lastmod>2025-06-09</lastmod><changefreq>daily</changefreq><priority>0.8</priority></url></urlset>`),
};
const server = createServer((request: IncomingMessage, response) => (routes[request.url ?? ''] ?? routes['/missing'])?.(response));
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  work[Symbol.dispose]();
});
const net = () => ({ net: [`127.0.0.1:${port}`] });
const rss = (path: string, more: Record<string, unknown> = {}) => work.tool('rss', { url: `${SITE()}${path}`, ...more }, net());
const refusal = (tool: string, path: string) => work.refusal(tool, { url: `${SITE()}${path}` }, net());

describe('rss', () => {
  it('reads RSS 2.0, its encoding and its markup as text', async () => {
    expect(await rss('/rss')).toEqual({
      format: 'rss',
      title: 'Café & News',
      url: `${SITE()}/home`,
      description: 'All of it',
      updated_at: '2025-06-10T04:00:00.000Z',
      count: 2,
      items: [
        {
          title: 'One <b>',
          url: 'https://example.org/1',
          id: 'id-1',
          summary: 'short <p>',
          content: '<p>long<br><img src=x>',
          author: 'Ada',
          published_at: '2025-06-10T03:00:00.000Z',
          categories: ['a', 'b'],
          enclosures: [{ url: `${SITE()}/a.mp3`, type: 'audio/mpeg', size: 123 }],
        },
        { title: 'Two', id: 'https://example.org/2', categories: [], enclosures: [] },
      ],
    });
    expect(await rss('/rss', { limit: 1 })).toMatchObject({ count: 2, items: [{ title: 'One <b>' }] });
  });

  it('reads Atom and RDF, from texts too', async () => {
    expect(await rss('/atom')).toMatchObject({
      format: 'atom',
      title: 'Atom',
      url: `${SITE()}/home`,
      items: [
        {
          title: 'One',
          url: `${SITE()}/post`,
          author: 'Ada',
          categories: ['x'],
          enclosures: [{ url: `${SITE()}/f.bin`, size: 7 }],
          published_at: '2025-06-09T00:00:00.000Z',
        },
      ],
    });
    expect(await work.tool('rss', { text: RDF })).toMatchObject({
      format: 'rdf',
      title: 'RDF',
      items: [{ title: 'One', url: 'https://example.org/1', published_at: '2025-06-09T00:00:00.000Z' }],
    });
    await work.tool('file_write', { path: 'feed.xml', content: ATOM });
    expect(await work.tool('rss', { path: 'feed.xml' })).toMatchObject({ title: 'Atom', items: [{ title: 'One' }] });
  });

  it('gives the same from a thread', async () => {
    const items = Array.from({ length: 1_000 }, (_, at) => `<item><title>Item ${at}</title></item>`).join('');
    const feed = await work.tool('rss', { text: `<rss><channel><title>Long</title>${items}</channel></rss>`, limit: 1_000 });
    expect(feed).toMatchObject({ title: 'Long', count: 1_000 });
    expect((feed.items as { title: string }[]).at(-1)?.title).toBe('Item 999');
  });

  it('refuses what is no feed, documents with entities, and what is too large', async () => {
    const entity = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><title>&b;</title></channel></rss>';
    const external = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><title>&x;</title></channel></rss>';
    for (const text of [entity, external])
      expect(await work.refusal('rss', { text })).toMatchObject({ code: 'TOOL_FAILED', message: 'rss: XML with a document type is not read' });
    for (const text of ['<html></html>', '{"a": 1}', '', '<rss><channel>', `${'<a>'.repeat(200)}${'</a>'.repeat(200)}`])
      expect((await work.refusal('rss', { text })).code).toBe('TOOL_FAILED');
    expect(await refusal('rss', '/page')).toMatchObject({ code: 'TOOL_FAILED', message: 'rss: this is no RSS, Atom or RDF feed' });
    expect(await refusal('rss', '/missing')).toMatchObject({ code: 'TOOL_FAILED', details: { status: 404, retryable: false } });
    expect(await refusal('rss', '/bomb')).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await work.refusal('rss', {})).toMatchObject({ code: 'BAD_ARGUMENT', message: 'rss: expected url, text or path' });
  });

  it('keeps to the allowed hosts, at redirects too', async () => {
    expect(await work.refusal('rss', { url: `${SITE()}/rss` })).toMatchObject({ code: 'NOT_ALLOWED', message: expect.stringContaining('--allow-net') });
    expect(await refusal('rss', '/private')).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await work.refusal('rss', { url: `${SITE()}/private` }, { net: [`127.0.0.1:${port}`, '*'] })).toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('private address'),
    });
  });

  it('survives anything that begins like a feed', () => {
    const piece = fc.constantFrom(
      '<item>',
      '</item>',
      '<title>',
      '</title>',
      '<![CDATA[',
      ']]>',
      '&amp;',
      '&x;',
      '&#0;',
      '<a b="',
      '">',
      '<!--',
      '-->',
      'text',
      '<?x ?>',
      '<__proto__>',
      '</__proto__>',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          run({ method: 'rss', kind: 'feed', bytes: Buffer.from(`<rss><channel>${pieces.join('')}</channel></rss>`), base: undefined });
        } catch (error) {
          expect((error as { code?: string }).code).toBe('TOOL_FAILED');
        }
        expect(({} as { title?: unknown }).title).toBe(undefined);
      }),
      { numRuns: 150 },
    );
  });
});

describe('sitemap', () => {
  it('follows the index of a site, packed ones too', async () => {
    expect(await work.tool('sitemap', { url: `${SITE()}/` }, net())).toEqual({
      pages: [
        { url: `${SITE()}/a` },
        { url: `${SITE()}/b` },
        { url: `${SITE()}/c`, modified_at: '2025-06-09T00:00:00.000Z', change_frequency: 'daily', priority: 0.8 },
      ],
      sitemaps: [`${SITE()}/one.xml.gz`, `${SITE()}/two.xml`],
      truncated: false,
    });
    expect(await work.tool('sitemap', { url: `${SITE()}/sitemap.xml`, limit: 1 }, net())).toMatchObject({ pages: [{ url: `${SITE()}/a` }], truncated: true });
    expect(await work.tool('sitemap', { url: `${SITE()}/sitemap.xml`, follow: false }, net())).toMatchObject({ pages: [], truncated: false });
  });

  it('refuses bombs, other documents and sitemaps elsewhere', async () => {
    expect(await refusal('sitemap', '/packed-bomb.gz')).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await refusal('sitemap', '/rss')).toMatchObject({ code: 'TOOL_FAILED', message: 'sitemap: this is no sitemap' });
    const index = '<sitemapindex><sitemap><loc>http://169.254.169.254/map.xml</loc></sitemap></sitemapindex>';
    expect(await work.refusal('sitemap', { text: index }, { net: ['*'] })).toMatchObject({ code: 'NOT_ALLOWED' });
  });
});

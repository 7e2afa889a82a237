import { gunzipSync } from 'node:zlib';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { ScriptError } from '../../errors.ts';

export interface FeedInput {
  readonly method: string;
  readonly kind: 'feed' | 'sitemap';
  readonly bytes: Uint8Array;
  /** Where it came from; makes links absolute. */
  readonly base: string | undefined;
}

export interface FeedItem {
  title: string;
  url?: string;
  id?: string;
  summary?: string;
  content?: string;
  author?: string;
  /** ISO 8601. */
  published_at?: string;
  categories: string[];
  enclosures: { url: string; type?: string; size?: number }[];
}

export interface Feed {
  format: 'rss' | 'atom' | 'rdf';
  title: string;
  url?: string;
  description?: string;
  updated_at?: string;
  items: FeedItem[];
}

export interface Sitemap {
  /** An index names other sitemaps. */
  kind: 'urls' | 'index';
  entries: { url: string; modified_at?: string; change_frequency?: string; priority?: number }[];
}

export type FeedResult = { feed: Feed; sitemap: Sitemap };

const MOST_BYTES = 20 * 2 ** 20;
const MOST_DEPTH = 100;
type Node = { readonly [name: string]: unknown };

/** Reads a feed (RSS 2.0, Atom, RDF) or a sitemap. Throws TOOL_FAILED when it is none, LIMIT_EXCEEDED when it is too large or too deep. */
export function run({ method, kind, bytes, base }: FeedInput): Feed | Sitemap {
  const failed = (what: string) => new ScriptError('TOOL_FAILED', `${method}: ${what}`, { details: { outcome: 'failed', retryable: false } });
  const root = parse(textOf(bytes, failed), failed);
  const read = kind === 'feed' ? readFeed(root, base) : readSitemap(root, base);
  if (!read) throw failed(kind === 'feed' ? 'this is no RSS, Atom or RDF feed' : 'this is no sitemap');
  return read;
}

/** Gzip is unpacked, and the encoding is what the XML says of itself. */
function textOf(bytes: Uint8Array, failed: (what: string) => ScriptError): string {
  let plain = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      plain = gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        throw new ScriptError('LIMIT_EXCEEDED', failed(`it unpacks to more than ${MOST_BYTES} bytes`).message);
      throw failed('it cannot be unpacked');
    }
  }
  const head = Buffer.from(plain.subarray(0, 200)).toString('latin1');
  const label = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(label).decode(plain);
  } catch {
    throw failed(`its encoding ${JSON.stringify(label)} is not known`);
  }
}

/** The document as plain objects, names without their prefix. A document type may define entities that grow without end, or name files: it is refused. */
function parse(text: string, failed: (what: string) => ScriptError): Node {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw failed('XML with a document type is not read');
  const valid = XMLValidator.validate(text, { allowBooleanAttributes: true });
  if (valid !== true) throw failed(`it is no XML: ${valid.err.msg.split('\n', 1)[0]} (line ${valid.err.line})`);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    textNodeName: '#',
    cdataPropName: '#cdata',
    parseTagValue: false,
    parseAttributeValue: false,
    maxNestedTags: MOST_DEPTH,
    processEntities: { enabled: true, maxTotalExpansions: 1_000_000, maxExpandedLength: MOST_BYTES },
  });
  try {
    return asNode(parser.parse(text));
  } catch (error) {
    throw failed(`it cannot be read: ${error instanceof Error ? error.message.split('\n', 1)[0] : ''}`);
  }
}

function readFeed(root: Node, base: string | undefined): Feed | undefined {
  const atom = root.feed ?? root['atom:feed'];
  if (atom !== undefined) return readAtom(asNode(atom), base);
  const rdf = root['rdf:RDF'];
  const channel = asNode(asNode(root.rss).channel ?? asNode(rdf).channel);
  if (root.rss === undefined && rdf === undefined) return undefined;
  const items = list(rdf === undefined ? channel.item : asNode(rdf).item);
  return {
    format: rdf === undefined ? 'rss' : 'rdf',
    title: text(channel.title) ?? '',
    ...some({
      url: link(text(channel.link), base),
      description: text(channel.description),
      updated_at: date(text(channel.lastBuildDate ?? channel.pubDate ?? channel['dc:date'])),
    }),
    items: items.map((item) => readItem(item, base)),
  };
}

function readItem(item: Node, base: string | undefined): FeedItem {
  const guid = text(item.guid);
  const permanent = asNode(item.guid)['@isPermaLink'] !== 'false' && guid !== undefined && /^https?:/.test(guid) ? guid : undefined;
  return {
    title: text(item.title) ?? '',
    ...some({
      url: link(text(item.link) ?? permanent, base),
      id: guid ?? (item['@rdf:about'] as string | undefined),
      summary: text(item.description),
      content: text(item['content:encoded']),
      author: text(item['dc:creator'] ?? item.author),
      published_at: date(text(item.pubDate ?? item['dc:date'])),
    }),
    categories: texts(item.category ?? item['dc:subject']),
    enclosures: list(item.enclosure).flatMap((one) => enclosure(one['@url'], one['@type'], one['@length'], base)),
  };
}

function readAtom(feed: Node, base: string | undefined): Feed {
  return {
    format: 'atom',
    title: text(feed.title) ?? '',
    ...some({ url: atomLink(feed, base), description: text(feed.subtitle), updated_at: date(text(feed.updated)) }),
    items: list(feed.entry).map((entry) => ({
      title: text(entry.title) ?? '',
      ...some({
        url: atomLink(entry, base),
        id: text(entry.id),
        summary: text(entry.summary),
        content: text(entry.content),
        author: text(asNode(Array.isArray(entry.author) ? entry.author[0] : entry.author).name),
        published_at: date(text(entry.published ?? entry.updated)),
      }),
      categories: list(entry.category).flatMap((one) => (typeof one['@term'] === 'string' ? [one['@term']] : [])),
      enclosures: list(entry.link)
        .filter((one) => one['@rel'] === 'enclosure')
        .flatMap((one) => enclosure(one['@href'], one['@type'], one['@length'], base)),
    })),
  };
}

function atomLink(node: Node, base: string | undefined): string | undefined {
  const links = list(node.link);
  const best =
    links.find((one) => one['@rel'] === undefined || one['@rel'] === 'alternate') ?? links.find((one) => one['@rel'] !== 'self' && one['@rel'] !== 'enclosure');
  return link(best?.['@href'] as string | undefined, base);
}

function readSitemap(root: Node, base: string | undefined): Sitemap | undefined {
  const index = root.sitemapindex;
  if (index === undefined && root.urlset === undefined) return undefined;
  const entries = list(index === undefined ? asNode(root.urlset).url : asNode(index).sitemap).flatMap((one) => {
    const url = link(text(one.loc), base);
    const priority = Number(text(one.priority) ?? Number.NaN);
    const more = some({
      modified_at: date(text(one.lastmod)),
      change_frequency: text(one.changefreq),
      priority: Number.isNaN(priority) ? undefined : priority,
    });
    return url === undefined ? [] : [{ url, ...more }];
  });
  return { kind: index === undefined ? 'urls' : 'index', entries };
}

function enclosure(url: unknown, type: unknown, length: unknown, base: string | undefined): FeedItem['enclosures'] {
  const target = typeof url === 'string' ? link(url, base) : undefined;
  const size = typeof length === 'string' && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  return target === undefined ? [] : [{ url: target, ...some({ type: typeof type === 'string' ? type : undefined, size }) }];
}

function asNode(value: unknown): Node {
  return typeof value === 'object' && value !== null ? (value as Node) : {};
}

function list(value: unknown): Node[] {
  return value === undefined ? [] : (Array.isArray(value) ? value : [value]).map((one) => (typeof one === 'string' ? { '#': one } : asNode(one)));
}

/** What an element says, with the words of what is inside it; undefined when it says nothing. */
function text(value: unknown): string | undefined {
  if (Array.isArray(value)) return text(value[0]);
  const found = words(value).trim();
  return found === '' ? undefined : found;
}

function texts(value: unknown): string[] {
  return list(value).flatMap((one) => text(one) ?? []);
}

function words(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(words).join('');
  return Object.entries(asNode(value))
    .filter(([name]) => !name.startsWith('@'))
    .map(([, item]) => words(item))
    .join('');
}

/** An address of the web, absolute where it can be. */
function link(value: string | undefined, base: string | undefined): string | undefined {
  const url = value === undefined ? undefined : (URL.parse(value.trim(), base) ?? undefined);
  return url && /^https?:$/.test(url.protocol) ? url.href : undefined;
}

function date(value: string | undefined): string | undefined {
  const time = value === undefined ? Number.NaN : Date.parse(/^\d{4}-\d\d-\d\dT[\d:.]+$/.test(value) ? `${value}Z` : value);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** Fields without those that are undefined. */
function some<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

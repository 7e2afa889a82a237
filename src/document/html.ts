import type { CheerioOptions } from 'cheerio';

type TreeAdapter = NonNullable<CheerioOptions['treeAdapter']>;

/** What a page is made of. */
export interface PageText {
  readonly title: string;
  readonly text: string;
  readonly links: { text: string; url: string }[];
}

const NOISE = 'script, style, noscript, template, svg, iframe, nav, footer, form, button, [hidden], [aria-hidden=true]';
const MOST_LINKS = 200;
/** Elements within one another, as in browsers: the parser's time grows with the square of the depth. */
export const MOST_DEPTH = 512;

/** What a page may be made of. */
export interface HtmlLimits {
  readonly depth: number;
  /** Elements that the parser makes, which may be many more than there are tags; one with long attributes counts as several. */
  readonly elements: number;
}

/** Characters of attributes that count as one more element. */
const ATTRIBUTES = 64;

/** The readable part of an HTML page as text or Markdown; `base` makes its links absolute. Throws RangeError when it is beyond the limits. */
export async function htmlToText(
  html: string,
  format: 'text' | 'markdown',
  base?: string,
  limits: HtmlLimits = { depth: MOST_DEPTH, elements: Number.POSITIVE_INFINITY },
): Promise<PageText> {
  const { load } = await import('cheerio');
  const $ = load(html, { treeAdapter: within(limits, load('')._options.treeAdapter as TreeAdapter) });
  const title = ($('title').first().text() || $('h1').first().text()).replaceAll(/\s+/g, ' ').trim();
  $(NOISE).remove();
  $('a[href], img[src]').each((_, element) => {
    const name = 'href' in element.attribs ? 'href' : 'src';
    const url = base === undefined ? undefined : URL.parse(element.attribs[name] ?? '', base);
    if (url) $(element).attr(name, url.href);
  });
  const links = $('a[href]')
    .toArray()
    .slice(0, MOST_LINKS)
    .map((element) => ({ text: $(element).text().replaceAll(/\s+/g, ' ').trim(), url: element.attribs.href ?? '' }))
    .filter(({ text, url }) => text !== '' && url !== '' && !url.startsWith('#') && !url.startsWith('javascript:'));
  const root = $('main, article').first();
  const body = root.length > 0 ? root : $('body');
  const { default: Turndown } = await import('turndown');
  const markdown = new Turndown({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-' });
  addTables(markdown);
  if (format === 'text') {
    markdown.addRule('links', { filter: 'a', replacement: (content) => content });
    markdown.addRule('images', { filter: 'img', replacement: () => '' });
    markdown.escape = (text) => text;
  }
  return { title, text: markdown.turndown(body.html() ?? '').trim(), links };
}

/** The adapter, which throws RangeError where a page goes beyond the limits. */
function within(limits: HtmlLimits, adapter: TreeAdapter): TreeAdapter {
  let depth = 0;
  let elements = 0;
  return {
    ...adapter,
    createElement(tag, namespace, attributes) {
      elements += 1 + attributes.reduce((sum, { name, value }) => sum + name.length + value.length, 0) / ATTRIBUTES;
      if (elements > limits.elements) throw new RangeError(`more than ${limits.elements} elements`);
      return adapter.createElement(tag, namespace, attributes);
    },
    onItemPush() {
      if (++depth > limits.depth) throw new RangeError(`nested deeper than ${limits.depth}`);
    },
    onItemPop: () => void depth--,
  };
}

/** Tables as rows between bars, which the library has no rule for. */
function addTables(markdown: import('turndown')): void {
  markdown.addRule('cells', { filter: ['th', 'td'], replacement: (content) => ` ${content.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').trim()} |` });
  markdown.addRule('rows', {
    filter: 'tr',
    replacement(content, node) {
      const first = node.previousSibling === null && (node.parentNode?.previousSibling ?? null) === null;
      const cells = content.replaceAll('\\|', '').split('|').length - 1;
      return `\n|${content}${first ? `\n|${' --- |'.repeat(cells)}` : ''}`;
    },
  });
  markdown.addRule('tables', { filter: 'table', replacement: (content) => `\n\n${content.replaceAll(/\n{2,}/g, '\n').trim()}\n\n` });
}

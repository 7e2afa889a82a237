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

/** The readable part of an HTML page as text or Markdown; `base` makes its links absolute. Throws RangeError when elements are nested deeper than `MOST_DEPTH`. */
export async function htmlToText(html: string, format: 'text' | 'markdown', base?: string): Promise<PageText> {
  const { load } = await import('cheerio');
  let depth = 0;
  const bounded = {
    ...(load('')._options.treeAdapter as TreeAdapter),
    onItemPush() {
      if (++depth > MOST_DEPTH) throw new RangeError(`nested deeper than ${MOST_DEPTH}`);
    },
    onItemPop: () => void depth--,
  };
  const $ = load(html, { treeAdapter: bounded });
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

import { type ReadOptions, tooLarge, unreadable } from '../document.ts';
import type { Reader } from './index.ts';
import { checkStreams } from './pdf-streams.ts';

/** A gap of more than so many line heights begins a paragraph. */
const PARAGRAPH = 1.6;

type Pdf = Awaited<ReturnType<typeof import('unpdf')['getDocumentProxy']>>;
type Items = Awaited<ReturnType<Awaited<ReturnType<Pdf['getPage']>>['getTextContent']>>['items'];

/** The text of a PDF page by page. Its scripts, forms and attachments are never looked at. */
export const readPdf: Reader = async (bytes, options) => {
  const { name, limits } = options;
  checkStreams(bytes, name, limits.unpacked_bytes);
  const pdf = await open(bytes, name);
  if (pdf.numPages > limits.pages) throw tooLarge(name, `it has ${pdf.numPages} pages, more than ${limits.pages}`);
  let text = '';
  const pages: { start: number; stop: number }[] = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pageText(pdf, number, options);
    if (text !== '' && page !== '') text += '\n\n';
    const start = text.length;
    text += page;
    pages.push({ start, stop: text.length });
    if (text.length > limits.characters) throw tooLarge(name, `its text has more than ${limits.characters} characters`);
  }
  if (text === '')
    throw unreadable(
      name,
      `it has no text: its ${pdf.numPages === 1 ? 'page is' : `${pdf.numPages} pages are`} empty or pictures, which only character recognition could read`,
    );
  return { text, pages, title: await titleOf(pdf) };
};

async function open(bytes: Uint8Array, name: string): Promise<Pdf> {
  const { getDocumentProxy } = await import('unpdf');
  try {
    // A copy, for the reader keeps what it gets.
    return await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0, enableXfa: false, useSystemFonts: false, isEvalSupported: false });
  } catch (error) {
    if ((error as Error).name === 'PasswordException') throw unreadable(name, 'it is encrypted; remove its password first', error);
    throw unreadable(name, 'it is damaged: its pages cannot be found', error);
  }
}

async function pageText(pdf: Pdf, number: number, { name }: ReadOptions): Promise<string> {
  try {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    page.cleanup();
    return join(items);
  } catch (error) {
    throw unreadable(name, `it is damaged: page ${number} cannot be read`, error);
  }
}

/** The pieces of a page as lines; a wider gap between two lines is a blank line. */
export function join(items: Items): string {
  let text = '';
  let last: number | undefined;
  for (const item of items) {
    if (!('str' in item)) continue;
    const y = item.transform[5] as number;
    if (item.str !== '') {
      if (last !== undefined && text.endsWith('\n') && last - y > (item.height || 10) * PARAGRAPH) text += '\n';
      last = y;
    }
    text += item.str + (item.hasEOL ? '\n' : '');
  }
  return text
    .replaceAll('\0', '')
    .replaceAll(/(?<![ \t])[ \t]+\n/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

async function titleOf(pdf: Pdf): Promise<string | undefined> {
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} }));
  const { Title: title } = info as { Title?: unknown };
  return typeof title === 'string' && title.trim() !== '' ? title.trim() : undefined;
}

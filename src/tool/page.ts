import type { Context } from '../call/context.ts';
import type { PageText } from '../document/html.ts';
import { beside } from './beside.ts';
import type { HtmlInput } from './work/html.ts';

/** Pages up to this many characters are read at once, longer ones in a thread, and those in which elements are many or deep. */
const SMALL = 4_000;
const DEADLINE_MS = 10_000;

/** The readable part of an HTML page as text or Markdown; `base` makes its links absolute. */
export async function readPage(context: Context, html: string, format: HtmlInput['format'], base?: string): Promise<PageText> {
  const input: HtmlInput = { method: context.method, html, format, base };
  const small = html.length <= SMALL ? await (await import('./work/html.ts')).tryRun(input) : undefined;
  return small ?? beside<PageText>(context, new URL('./work/html.ts', import.meta.url), input, { deadlineMs: DEADLINE_MS });
}

import { type HtmlLimits, htmlToText, MOST_DEPTH, type PageText } from '../../document/html.ts';
import { ScriptError } from '../../errors.ts';

export interface HtmlInput {
  readonly method: string;
  readonly html: string;
  readonly format: 'text' | 'markdown';
  /** Makes links absolute. */
  readonly base: string | undefined;
}

/** What is read at once: of few elements, in which none is deep. */
const BRIEF: HtmlLimits = { depth: 32, elements: 400 };

/** The readable part of a small page; undefined where its reading turns out to be long. */
export async function tryRun({ html, format, base }: HtmlInput): Promise<PageText | undefined> {
  try {
    return await htmlToText(html, format, base, BRIEF);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The readable part of a page. Throws TOOL_FAILED when it is nested too deep. */
export async function run({ method, html, format, base }: HtmlInput): Promise<PageText> {
  try {
    return await htmlToText(html, format, base);
  } catch (error) {
    if (error instanceof RangeError) throw new ScriptError('TOOL_FAILED', `${method}: the elements of the page are nested deeper than ${MOST_DEPTH}`);
    throw error;
  }
}

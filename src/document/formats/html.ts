import { decodeText } from '../decode.ts';
import { unreadable } from '../document.ts';
import { htmlToText, MOST_DEPTH } from '../html.ts';
import type { Reader } from './index.ts';

/** A page's readable part as Markdown. Throws TOOL_FAILED when it is nested too deep. */
export const readHtml: Reader = async (bytes, { name, charset }) => {
  const declared = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]+)/i.exec(Buffer.from(bytes.subarray(0, 2_048)).toString('latin1'))?.[1];
  try {
    const { text, title } = await htmlToText(decodeText(bytes, name, charset ?? declared), 'markdown');
    return { text, title: title === '' ? undefined : title };
  } catch (error) {
    if (error instanceof RangeError) throw unreadable(name, `its elements are nested deeper than ${MOST_DEPTH}`);
    throw error;
  }
};

import { decodeText } from '../decode.ts';
import { htmlToText } from '../html.ts';
import type { Reader } from './index.ts';

/** A page's readable part as Markdown. */
export const readHtml: Reader = async (bytes, { name, charset }) => {
  const declared = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]+)/i.exec(Buffer.from(bytes.subarray(0, 2_048)).toString('latin1'))?.[1];
  const { text, title } = await htmlToText(decodeText(bytes, name, charset ?? declared), 'markdown');
  return { text, title: title === '' ? undefined : title };
};

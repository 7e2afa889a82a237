import { decodeText } from '../decode.ts';
import type { Reader } from './index.ts';

/** Markdown as it stands; its title is that of its front matter, else its first heading. */
export const readMarkdown: Reader = (bytes, { name, charset }) => {
  const text = decodeText(bytes, name, charset);
  const head = text.slice(0, 8_192);
  const front = /^---\n[\s\S]*?\ntitle:[ \t]*(.+)/.exec(head)?.[1] ?? /^---\ntitle:[ \t]*(.+)/.exec(head)?.[1];
  const title = front?.trim().replace(/^(["'])(.*)\1$/, '$2') ?? /^#[ \t]+(.+)/m.exec(head)?.[1]?.trim();
  return { text, title };
};

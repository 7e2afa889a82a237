import { type ReadOptions, tooLarge, unreadable } from '../document.ts';
import { htmlToText } from '../html.ts';
import type { Reader } from './index.ts';

/** The parts that hold text and its structure; pictures, embedded files and macros are never unpacked. */
const PARTS = /^(?:\[Content_Types\]\.xml|_rels\/\.rels|docProps\/core\.xml|word\/(?:[\w-]+\.xml|_rels\/[\w.-]+\.rels))$/;
const MOST_PARTS = 200;

/** A Word document as Markdown. */
export const readDocx: Reader = async (bytes, options) => {
  const { name } = options;
  const { zipSync, strFromU8 } = await import('fflate');
  const parts = await unpack(bytes, options);
  for (const [part, content] of Object.entries(parts))
    if (/<!(?:DOCTYPE|ENTITY)/i.test(strFromU8(content, true))) throw unreadable(name, `its part ${part} declares entities, which no Word document does`);
  const { default: mammoth } = await import('mammoth');
  let html: string;
  try {
    const convertImage = mammoth.images.imgElement(async () => ({ src: '' }));
    html = (await mammoth.convertToHtml({ buffer: Buffer.from(zipSync(parts, { level: 0 })) }, { convertImage, externalFileAccess: false })).value;
  } catch (error) {
    throw unreadable(name, 'it is damaged: its text cannot be read', error);
  }
  const core = parts['docProps/core.xml'];
  const title = core && /<dc:title>([^<]{1,500})<\/dc:title>/.exec(strFromU8(core))?.[1];
  const { text, title: heading } = await htmlToText(html, 'markdown');
  return { text, title: title || heading || undefined };
};

/** The wanted parts. What a part unpacks to is bounded by the size that it declares, and that by the limit. */
async function unpack(bytes: Uint8Array, { name, limits }: ReadOptions): Promise<Record<string, Uint8Array>> {
  const { unzipSync } = await import('fflate');
  let count = 0;
  let size = 0;
  const most = limits.unpacked_bytes;
  const exceeded = tooLarge(name, `its text unpacks to more than ${most} bytes`);
  try {
    const parts = unzipSync(bytes, {
      filter(part) {
        if (!PARTS.test(part.name)) return false;
        size += part.originalSize;
        if (++count > MOST_PARTS || size > most) throw exceeded;
        return true;
      },
    });
    if (!parts['word/document.xml']) throw unreadable(name, 'it is damaged: it holds no text part');
    return parts;
  } catch (error) {
    if (error === exceeded || (error as Error).name === 'ScriptError') throw error;
    throw unreadable(name, 'it is damaged: the archive cannot be unpacked', error);
  }
}

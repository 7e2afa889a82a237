import { type DocumentBytes, unreadable } from './document.ts';
import { FORMATS, type FormatName } from './formats/index.ts';
import { languageOf } from './languages.ts';

/** What a document is. */
export interface Detected {
  readonly format: FormatName;
  readonly language?: string | undefined;
  readonly charset?: string | undefined;
}

type Content = { readonly kind: FormatName } | { readonly other: string } | undefined;

/** What the first bytes of files say that are no documents, or not ours. */
const OTHERS: readonly (readonly [magic: string, what: string])[] = [
  ['\x89PNG\r\n', 'a PNG image'],
  ['\xff\xd8\xff', 'a JPEG image'],
  ['GIF8', 'a GIF image'],
  ['BM', ''],
  ['\x1f\x8b', 'a gzip archive'],
  ['BZh', 'a bzip2 archive'],
  ['\xfd7zXZ', 'an xz archive'],
  ['7z\xbc\xaf', 'a 7z archive'],
  ['Rar!', 'a RAR archive'],
  ['(\xb5/\xfd', 'a zstd archive'],
  ['\x7fELF', 'a program'],
  ['MZ\x90', 'a program'],
  ['\xca\xfe\xba\xbe', 'a program'],
  ['\xcf\xfa\xed\xfe', 'a program'],
  ['\0asm', 'a WebAssembly module'],
  ['SQLite format 3\0', 'an SQLite database'],
  ['OggS', 'a sound or film'],
  ['ID3', 'a sound'],
  ['RIFF', 'an image, sound or film'],
  ['{\\rtf', 'an RTF document, which is not read; save it as DOCX, PDF or text'],
];
const OLE = '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1';
const NAMED: Readonly<Record<string, FormatName>> = {
  txt: 'text',
  text: 'text',
  log: 'text',
  rst: 'text',
  md: 'markdown',
  markdown: 'markdown',
  mdx: 'markdown',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  pdf: 'pdf',
  docx: 'docx',
  csv: 'csv',
  tsv: 'csv',
  json: 'json',
  jsonl: 'json',
  ndjson: 'json',
};
const MEDIA: Readonly<Record<string, FormatName>> = {
  'text/markdown': 'markdown',
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'text/csv': 'csv',
  'text/tab-separated-values': 'csv',
  'application/json': 'json',
  'application/x-ndjson': 'json',
};

/** What a document is: its first bytes decide where they tell, then the ending of its name, then its media type. Throws TOOL_FAILED for what is not read, and for a file that is not what its name says. */
export function detect({ bytes, name, media_type }: DocumentBytes, shown: string): Detected {
  const [media, charset] = parseMediaType(media_type);
  const ending = endingOf(name);
  const language = languageOf(ending);
  const named = Object.hasOwn(NAMED, ending) ? NAMED[ending] : language === undefined ? undefined : ('code' as const);
  const told = named ?? (Object.hasOwn(MEDIA, media) ? MEDIA[media] : undefined);
  const content = contentOf(bytes);
  if (content && 'other' in content) throw unreadable(shown, `it is ${content.other}`);
  const binary = told === 'pdf' || told === 'docx';
  if (content) {
    if (named !== undefined && named !== content.kind)
      throw unreadable(shown, `it is not what its name says: .${ending} names ${FORMATS[named].title}, but its content is ${FORMATS[content.kind].title}`);
    return { format: content.kind };
  }
  if (binary)
    throw unreadable(shown, `it is not what its ${named === undefined ? 'media type' : 'name'} says: it is no ${FORMATS[told].title.replace(/^an? /, '')}`);
  if (told !== undefined) return { format: told, language: told === 'code' ? language : undefined, charset };
  return { format: looksLikeHtml(bytes) ? 'html' : 'text', charset };
}

function contentOf(bytes: Uint8Array): Content {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024)).toString('latin1');
  if (head.includes('%PDF-')) return { kind: 'pdf' };
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return archive(bytes);
  if (head.startsWith(OLE)) return { other: oleKind(bytes) };
  const found = OTHERS.find(([magic, what]) => what !== '' && head.startsWith(magic));
  return found && { other: found[1] };
}

/** Office documents are archives; the names in them, which are not packed, tell which. */
function archive(bytes: Uint8Array): Content {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const has = (name: string) => buffer.includes(name, 0, 'latin1');
  if (has('word/document')) return { kind: 'docx' };
  if (has('xl/workbook')) return { other: 'a spreadsheet (XLSX), which is not read; save it as CSV' };
  if (has('ppt/presentation')) return { other: 'a presentation (PPTX), which is not read; save it as PDF' };
  if (has('mimetypeapplication/epub')) return { other: 'an EPUB book, which is not read' };
  if (has('mimetypeapplication/vnd.oasis.opendocument')) return { other: 'an OpenDocument file, which is not read; save it as DOCX or PDF' };
  return { other: 'a ZIP archive' };
}

function oleKind(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.includes(Buffer.from('EncryptedPackage', 'utf16le'))) return 'encrypted; remove its password first';
  return 'a document of an old Office format, which is not read; save it as DOCX or PDF';
}

function looksLikeHtml(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024)).toString('latin1').replaceAll('\0', '');
  return /^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body)\b/i.test(head);
}

function parseMediaType(media_type = ''): [type: string, charset: string | undefined] {
  const [type = '', ...rest] = media_type.toLowerCase().split(';');
  const charset = rest.map((part) => /^\s*charset\s*=\s*"?([^"\s]+)/.exec(part)?.[1]).find((one) => one !== undefined);
  return [type.trim(), charset];
}

/** The ending of a file's name or of an address's path, in small letters. */
function endingOf(name = ''): string {
  const path = /^https?:/i.test(name) ? (URL.parse(name)?.pathname ?? '') : name;
  return (/[^/\\]\.([A-Za-z0-9]{1,12})$/.exec(path)?.[1] ?? '').toLowerCase();
}

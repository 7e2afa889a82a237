import type { DocumentText, ReadOptions } from '../document.ts';

/** One format: what it is called in messages, whether a thread reads it whatever its size, and its reader, loaded at first use. */
export interface Format {
  /** With its article. */
  readonly title: string;
  readonly heavy?: true;
  load(): Promise<Reader>;
}

/** The text of bytes that are of its format. Throws TOOL_FAILED for what cannot be read, LIMIT_EXCEEDED. */
export type Reader = (bytes: Uint8Array, options: ReadOptions) => DocumentText | Promise<DocumentText>;

/** Every format that is read. */
export const FORMATS = {
  text: { title: 'plain text', load: async () => (await import('./text.ts')).readText },
  markdown: { title: 'Markdown', load: async () => (await import('./markdown.ts')).readMarkdown },
  html: { title: 'HTML', load: async () => (await import('./html.ts')).readHtml },
  pdf: { title: 'a PDF document', heavy: true, load: async () => (await import('./pdf.ts')).readPdf },
  docx: { title: 'a DOCX document', heavy: true, load: async () => (await import('./docx.ts')).readDocx },
  csv: { title: 'CSV', load: async () => (await import('./csv.ts')).readCsv },
  json: { title: 'JSON', load: async () => (await import('./json.ts')).readJson },
  code: { title: 'source code', load: async () => (await import('./text.ts')).readText },
} as const satisfies Readonly<Record<string, Format>>;

export type FormatName = keyof typeof FORMATS;

import type { Tool } from '../tool.ts';

/** A tool that comes with the runtime: what lists say of it, and how it is loaded at first use. */
export interface BuiltinTool {
  readonly name: string;
  readonly category: string;
  readonly description: string;
  readonly tags?: readonly string[];
  load(): Promise<Tool>;
}

/** Every built-in tool. A test compares the texts with those of the tools themselves. */
export const BUILTIN_TOOLS: readonly BuiltinTool[] = [
  {
    name: 'calculator',
    category: 'math',
    description: 'Evaluates an arithmetic expression',
    tags: ['numbers'],
    load: async () => (await import('./calculator.ts')).calculator,
  },
  {
    name: 'datetime',
    category: 'time',
    description: 'Tells, parses, formats, shifts and compares dates and times',
    tags: ['date', 'calendar'],
    load: async () => (await import('./datetime.ts')).datetime,
  },
  { name: 'uuid', category: 'text', description: 'Makes unique identifiers', tags: ['id'], load: async () => (await import('./uuid.ts')).uuid },
  {
    name: 'hash',
    category: 'text',
    description: 'Computes a cryptographic hash of text or bytes',
    tags: ['checksum', 'sha256'],
    load: async () => (await import('./hash.ts')).hash,
  },
  { name: 'base64', category: 'text', description: 'Encodes and decodes Base64', tags: ['encoding'], load: async () => (await import('./base64.ts')).base64 },
  {
    name: 'text',
    category: 'text',
    description: 'Counts, changes, cuts and splits text',
    tags: ['string'],
    load: async () => (await import('./text.ts')).text,
  },
  {
    name: 'regex',
    category: 'text',
    description: 'Matches, replaces and splits by a regular expression, in linear time',
    tags: ['pattern', 'search'],
    load: async () => (await import('./regex.ts')).regex,
  },
  {
    name: 'template',
    category: 'text',
    description: 'Fills a Liquid template',
    tags: ['liquid', 'render'],
    load: async () => (await import('./template.ts')).template,
  },
  {
    name: 'diff',
    category: 'text',
    description: 'Compares two texts line by line',
    tags: ['compare', 'patch'],
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'json_query',
    category: 'data',
    description: 'Finds values inside data by a path',
    tags: ['json', 'path'],
    load: async () => (await import('./json-query.ts')).jsonQuery,
  },
  {
    name: 'json_schema',
    category: 'data',
    description: 'Checks data against a JSON Schema',
    tags: ['json', 'validate'],
    load: async () => (await import('./json-schema.ts')).jsonSchema,
  },
  { name: 'csv', category: 'data', description: 'Reads and writes CSV', tags: ['table', 'spreadsheet'], load: async () => (await import('./csv.ts')).csv },
  {
    name: 'file_read',
    category: 'file',
    description: 'Reads a file as text or bytes',
    tags: ['filesystem'],
    load: async () => (await import('./file-read.ts')).fileRead,
  },
  {
    name: 'file_write',
    category: 'file',
    description: 'Writes a file, whole or not at all',
    tags: ['filesystem', 'save'],
    load: async () => (await import('./file-write.ts')).fileWrite,
  },
  {
    name: 'file_list',
    category: 'file',
    description: 'Lists the files of a folder',
    tags: ['filesystem', 'directory', 'glob'],
    load: async () => (await import('./file-list.ts')).fileList,
  },
  {
    name: 'file_search',
    category: 'file',
    description: 'Searches files for text or a regular expression',
    tags: ['filesystem', 'grep', 'find'],
    load: async () => (await import('./file-search.ts')).fileSearch,
  },
  {
    name: 'file_info',
    category: 'file',
    description: 'Tells size, kind and time of a file or folder',
    tags: ['filesystem', 'stat'],
    load: async () => (await import('./file-info.ts')).fileInfo,
  },
  {
    name: 'http_request',
    category: 'web',
    description: 'Makes an HTTP request',
    tags: ['network', 'api', 'fetch'],
    load: async () => (await import('./http-request.ts')).httpRequest,
  },
  {
    name: 'web_fetch',
    category: 'web',
    description: 'Reads a web page as clean text or Markdown',
    tags: ['network', 'page', 'scrape'],
    load: async () => (await import('./web-fetch.ts')).webFetch,
  },
  {
    name: 'web_search',
    category: 'web',
    description: 'Searches the web',
    tags: ['network', 'search', 'internet'],
    load: async () => (await import('./web-search.ts')).webSearch,
  },
  {
    name: 'html_text',
    category: 'document',
    description: 'Turns HTML into clean text or Markdown',
    tags: ['html', 'convert'],
    load: async () => (await import('./html-text.ts')).htmlText,
  },
  {
    name: 'pdf_text',
    category: 'document',
    description: 'Reads the text of a PDF page by page',
    tags: ['pdf', 'convert'],
    load: async () => (await import('./pdf-text.ts')).pdfText,
  },
  {
    name: 'docx_text',
    category: 'document',
    description: 'Reads the text of a Word document (DOCX) as Markdown',
    tags: ['word', 'docx', 'convert'],
    load: async () => (await import('./docx-text.ts')).docxText,
  },
];

import { closeSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Context } from '../call/context.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { ValueMap } from '../call/value.ts';
import type { DocumentBytes } from '../document/document.ts';
import { DOCUMENT_LIMITS } from '../document/document.ts';
import { ScriptError } from '../errors.ts';
import { checkPath, openForReading } from '../tool/files/access.ts';
import { readBytes } from '../tool/files/read.ts';
import { type Entry, listFolderSoon } from '../tool/files/walk.ts';
import { request } from '../tool/net/request.ts';
import type { DocumentInput } from './schemas.ts';

/** Bytes to read, or a text that is what it is: nothing in it is taken for a mark of some format. */
type Opened = DocumentBytes | { readonly text: string };

/** One document of an input, which may name many; `open` gets its bytes. */
export interface DocumentSource {
  readonly id: string | undefined;
  /** Where it came from: a path as the script gave it, or an address. */
  readonly source: string | undefined;
  readonly metadata: ValueMap;
  open(): Opened | Promise<Opened>;
}

/** What lies among the files that an input names and is none to read. */
export interface PassedOver {
  readonly source: string;
  readonly reason: string;
}

/** Files that one input may name. */
const MOST_FILES = 10_000;
const PATTERN = /[*?{[]/;

/** The documents that an input names. Throws BAD_ARGUMENT unless it has exactly one of content, file_path and url, and what opening files throws. */
export function sourcesOf(context: Context, input: DocumentInput): Soon<(DocumentSource | PassedOver)[]> {
  const { content, file_path, url, name, metadata } = input;
  const given = [content, file_path, url].filter((one) => one !== undefined).length;
  if (given !== 1)
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: a document has exactly one of content, file_path and url; found ${given === 0 ? 'none' : given}`);
  const id = idOf(context, metadata);
  if (url !== undefined) return [{ id: id ?? url, source: url, metadata, open: () => fetched(context, url) }];
  if (file_path !== undefined) return filesOf(context, file_path, id, metadata);
  if (typeof content === 'string' && name === undefined) return [{ id, source: name, metadata, open: () => ({ text: content }) }];
  const encoded = typeof content === 'string' ? Buffer.from(content, 'utf8') : (content as Uint8Array);
  return [{ id, source: name, metadata, open: () => ({ bytes: encoded, name }) }];
}

function idOf(context: Context, { document_id }: ValueMap): string | undefined {
  if (document_id === undefined || document_id === null) return undefined;
  if (typeof document_id === 'number' || typeof document_id === 'bigint') return String(document_id);
  if (typeof document_id === 'string' && document_id !== '' && document_id.length <= 1_000) return document_id;
  throw new ScriptError('BAD_ARGUMENT', `${context.method}: metadata.document_id: expected a text of 1 to 1000 characters`);
}

function filesOf(context: Context, file_path: string, id: string | undefined, metadata: ValueMap): Soon<(DocumentSource | PassedOver)[]> {
  checkPath(context, file_path);
  const one = (path: string, own: string): DocumentSource => ({
    id: own,
    source: path,
    metadata,
    open: () => ({ bytes: readBytes(context, path, DOCUMENT_LIMITS.bytes), name: path }),
  });
  return whenReady(expand(context, file_path), (found) => {
    if (!found) return [one(file_path, id ?? tidy(file_path))];
    return [...found.passedOver, ...found.files.map((path) => one(path, id === undefined ? tidy(path) : `${id}/${tidy(path)}`))];
  });
}

/** The files below a folder or of a pattern, and what is passed over; undefined for a path that is one file. */
function expand(context: Context, path: string): Soon<{ files: string[]; passedOver: PassedOver[] } | undefined> {
  const parts = path.split('/');
  const first = parts.findIndex((part) => PATTERN.test(part));
  if (first < 0 && !isFolder(context, path)) return undefined;
  const folder = first < 0 ? path : parts.slice(0, first).join('/') || (path.startsWith('/') ? '/' : '.');
  const pattern = first < 0 ? undefined : parts.slice(first).join('/');
  return whenReady(listFolderSoon(context, folder, { recursive: true, pattern, hidden: false, limit: MOST_FILES }), ({ entries, truncated }) => {
    if (truncated) throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: ${path} names more than ${MOST_FILES} files`);
    const pathOf = (entry: Entry) => (folder === '.' ? entry.path : join(folder, entry.path));
    const files = entries.filter(({ kind }) => kind === 'file').map(pathOf);
    if (files.length === 0) throw new ScriptError('NOT_FOUND', `${context.method}: there is no file ${first < 0 ? 'in' : 'like'} ${path}`);
    const passedOver = entries.filter(({ kind }) => kind === 'link' || kind === 'other').map((entry) => ({ source: pathOf(entry), reason: reasonOf(entry) }));
    return { files: files.sort(), passedOver };
  });
}

function reasonOf({ kind, path }: Entry): string {
  if (kind === 'link') return 'a link, which is not followed';
  return path.includes('\ufffd') ? 'its name is no UTF-8' : 'a pipe or device';
}

function isFolder(context: Context, path: string): boolean {
  try {
    closeSync(openForReading(context, path, 'folder').fd);
    return true;
  } catch {
    // A file, or nothing that may be read: opening it as a file says what.
    return false;
  }
}

function tidy(path: string): string {
  return posix.normalize(path.replaceAll('\\', '/'));
}

async function fetched(context: Context, url: string): Promise<DocumentBytes> {
  const answer = await request(context, url, { maxBytes: DOCUMENT_LIMITS.bytes });
  if (answer.status >= 400)
    throw new ScriptError('TOOL_FAILED', `${context.method}: ${url} answered ${answer.status}`, {
      details: { outcome: 'failed', retryable: answer.status >= 500 || answer.status === 429, status: answer.status },
    });
  if (answer.truncated)
    throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: ${url} has more than the ${DOCUMENT_LIMITS.bytes} bytes that are read at most`);
  return { bytes: answer.body, name: answer.url, media_type: answer.headers['content-type'] };
}

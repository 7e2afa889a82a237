import { ScriptError } from '../errors.ts';
import { inWorker } from '../worker/pool.ts';
import type { WorkOptions } from '../worker/queue.ts';
import { detect } from './detect.ts';
import { DOCUMENT_LIMITS, type DocumentBytes, type DocumentLimits, type DocumentText, type ReadDocument, tooLarge, unreadable } from './document.ts';
import { FORMATS, type Format, type FormatName } from './formats/index.ts';
import { run as readHere } from './task.ts';

/** Larger documents are read beside the event loop, bytes. */
const LARGE = 32_768;
const TASK = new URL('./task.ts', import.meta.url);

export interface ReadingOptions {
  readonly signal: AbortSignal;
  /** Who reads it. */
  readonly run: WorkOptions['run'];
  readonly limits?: Partial<DocumentLimits> | undefined;
  /** What it must be, whatever its name says. */
  readonly format?: FormatName | undefined;
  /** Stands before the document's name in messages: the method or tool. */
  readonly method?: string | undefined;
}

/**
 * The text of a document. PDF, DOCX and whatever is large are read by a thread. Throws TOOL_FAILED for what is encrypted, damaged, without text, not
 * what its name says or of an unknown format, LIMIT_EXCEEDED beyond a limit, TIMEOUT.
 */
export async function readDocument(document: DocumentBytes, { signal, run, limits: given, method, format: wanted }: ReadingOptions): Promise<ReadDocument> {
  const limits = { ...DOCUMENT_LIMITS, ...given };
  const name = `${method === undefined ? '' : `${method}: `}${document.name ?? 'the document'}`;
  if (document.bytes.length > limits.bytes) throw tooLarge(name, `it has ${document.bytes.length} bytes, more than the ${limits.bytes} that are read at most`);
  const { format, language, charset } = detect(wanted ? { bytes: document.bytes } : document, name);
  if (wanted && wanted !== format) throw unreadable(name, `it is no ${FORMATS[wanted].title.replace(/^an? /, '')}; it looks like ${FORMATS[format].title}`);
  const task = { format, bytes: document.bytes, options: { name, limits, charset } };
  const { heavy }: Format = FORMATS[format];
  const read = heavy || document.bytes.length > LARGE ? await beside(task, name, { deadlineMs: limits.ms, signal, run }) : await readHere(task);
  if (read.text.length > limits.characters)
    throw tooLarge(name, `its text has ${read.text.length} characters, more than the ${limits.characters} that are taken`);
  return { ...read, format, ...(language !== undefined && { language }) };
}

async function beside(task: Parameters<typeof readHere>[0], name: string, options: WorkOptions & { signal: AbortSignal }): Promise<DocumentText> {
  try {
    return await inWorker<DocumentText>(TASK, task, options);
  } catch (error) {
    if (!(error instanceof ScriptError) || options.signal.aborted || error.message.startsWith(name)) throw error;
    if (error.code === 'TIMEOUT') throw new ScriptError('TIMEOUT', `${name}: reading it took longer than ${options.deadlineMs} ms`, { cause: error });
    if (error.code === 'LIMIT_EXCEEDED') throw tooLarge(name, `reading it needs too much memory`);
    throw error;
  }
}

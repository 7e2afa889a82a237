import { ScriptError } from '../errors.ts';

/** A document's text, with what is known of its structure. */
export interface DocumentText {
  /** Line feeds only, no byte order mark. HTML and DOCX are given as Markdown. */
  readonly text: string;
  readonly title?: string | undefined;
  /** Where the pages of a PDF stand in the text, the first page first. */
  readonly pages?: readonly { readonly start: number; readonly stop: number }[] | undefined;
}

/** A document that was read. */
export interface ReadDocument extends DocumentText {
  readonly format: string;
  /** The programming language, for source code. */
  readonly language?: string | undefined;
}

/** What comes as a document. */
export interface DocumentBytes {
  readonly bytes: Uint8Array;
  /** A file's name or an address; its ending tells what the content should be. */
  readonly name?: string | undefined;
  /** As in `content-type`, with its charset. */
  readonly media_type?: string | undefined;
}

export interface DocumentLimits {
  readonly bytes: number;
  readonly pages: number;
  /** Of the text, UTF-16 code units. */
  readonly characters: number;
  /** What one compressed part may unpack to, and all parts of a DOCX together; bytes. */
  readonly unpacked_bytes: number;
  /** Time for one document, ms. */
  readonly ms: number;
}

export const DOCUMENT_LIMITS: DocumentLimits = { bytes: 32 * 2 ** 20, pages: 5_000, characters: 20_000_000, unpacked_bytes: 128 * 2 ** 20, ms: 60_000 };

/** What a format's reader is told beyond the bytes. */
export interface ReadOptions {
  /** Stands before messages. */
  readonly name: string;
  readonly limits: DocumentLimits;
  readonly charset?: string | undefined;
}

/** A failure that lies in the document: one sentence that begins with its name. */
export function unreadable(name: string, problem: string, cause?: unknown): ScriptError {
  return new ScriptError('TOOL_FAILED', `${name}: ${problem}`, { details: { outcome: 'failed', retryable: false }, cause });
}

/** A document beyond a limit. */
export function tooLarge(name: string, problem: string): ScriptError {
  return new ScriptError('LIMIT_EXCEEDED', `${name}: ${problem}`);
}

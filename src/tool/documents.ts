import type { Context } from '../call/context.ts';
import { DOCUMENT_LIMITS, type ReadDocument } from '../document/document.ts';
import { readDocument } from '../document/read.ts';
import { ScriptError } from '../errors.ts';
import { readBytes } from './files/read.ts';

/** A document of one format, from a file of the allowed folders or from bytes. Throws BAD_ARGUMENT unless it gets one of both, and what reading throws. */
export function readOnly(context: Context, format: 'pdf' | 'docx', path: string | undefined, data: Uint8Array | undefined): Promise<ReadDocument> {
  const { method, signal, run } = context;
  if ((path === undefined) === (data === undefined)) throw new ScriptError('BAD_ARGUMENT', `${method}: expected path or data`);
  const bytes = data ?? readBytes(context, path as string, DOCUMENT_LIMITS.bytes);
  return readDocument({ bytes, name: path }, { method, signal, run, format });
}

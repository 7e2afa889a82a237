// What the pool's threads do for large or heavy documents.
import type { DocumentText, ReadOptions } from './document.ts';
import { FORMATS, type FormatName } from './formats/index.ts';

export interface ReadTask {
  readonly format: FormatName;
  readonly bytes: Uint8Array;
  readonly options: ReadOptions;
}

/** The text of a document whose format is known. */
export async function run({ format, bytes, options }: ReadTask): Promise<DocumentText> {
  const read = await FORMATS[format].load();
  return read(bytes, options);
}

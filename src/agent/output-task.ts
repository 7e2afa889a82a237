// What a thread does for long answers of models.
import { decode, encode } from '../call/codec.ts';
import type { ValueMap } from '../call/value.ts';
import { readOutput } from './output.ts';

export interface OutputTask {
  readonly text: string;
  /** In its stored form. */
  readonly schema: Uint8Array;
}

/** The value in its stored form, which is read in turns, or what is wrong with the answer. */
export type ReadBeside = { readonly bytes: Uint8Array } | { readonly problem: string };

/** Reads an answer. */
export function run({ text, schema }: OutputTask): ReadBeside {
  const read = readOutput(text, decode(schema) as ValueMap);
  return 'value' in read ? { bytes: encode(read.value) } : read;
}

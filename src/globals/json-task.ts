// What a thread does for long JSON texts.
import { encode } from '../call/codec.ts';
import { fromJsonText } from '../call/json.ts';

export interface JsonTask {
  readonly text: string;
  readonly place: string;
}

/** The value of the text in its stored form, which is read in turns. */
export function run({ text, place }: JsonTask): Uint8Array {
  return encode(fromJsonText(text, place));
}

import { encode } from '../../call/codec.ts';
import { fromJsonText } from '../../call/json.ts';
import { FOUND, find } from '../json-path.ts';
import { checkParts } from '../parts.ts';

/** A JSON text to read; with `path`, what that leads to. */
export interface JsonInput {
  readonly text: string;
  /** What messages begin with. */
  readonly place: string | undefined;
  readonly path: string | undefined;
}

/** The value of the text, or the list of those that the path leads to, in its stored form, which is read in turns. */
export function run({ text, place, path }: JsonInput): Uint8Array {
  const value = fromJsonText(text, place);
  const wanted = path === undefined ? value : find(value, path);
  checkParts(wanted, path === undefined ? place : FOUND);
  return encode(wanted);
}

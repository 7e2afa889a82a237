import { ScriptError } from '../../errors.ts';
import { needed } from '../needed.ts';

const WORD = /[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu;
const MOST_TEXT = 5_000_000;
const MOST_PARTS = 100_000;

export interface TextInput {
  readonly operation: string;
  readonly text: string;
  readonly length?: number | undefined;
  readonly separator?: string | undefined;
  readonly find?: string | undefined;
  readonly with?: string | undefined;
}

export interface TextResult {
  text?: string;
  parts?: string[];
  characters?: number;
  words?: number;
  lines?: number;
  bytes?: number;
}

/** Changes, counts or splits a text. Throws BAD_ARGUMENT when what the operation needs is missing, LIMIT_EXCEEDED when more would come of it than a script can take. */
export function run(input: TextInput): TextResult {
  const result = work(input);
  if ((result.parts?.length ?? 0) > MOST_PARTS) throw new ScriptError('LIMIT_EXCEEDED', `text: more than ${MOST_PARTS} parts`);
  return result;
}

function work(input: TextInput): TextResult {
  const { text: given } = input;
  switch (input.operation) {
    case 'count':
      return {
        characters: [...given].length,
        words: given.match(WORD)?.length ?? 0,
        lines: given === '' ? 0 : given.split('\n').length,
        bytes: Buffer.byteLength(given),
      };
    case 'split':
      return { parts: given.split(input.separator ?? ' ') };
    case 'lines':
      return { parts: given.split(/\r?\n/) };
    case 'words':
      return { parts: given.match(WORD) ?? [] };
    default:
      return { text: change(input) };
  }
}

function change({ operation, text: given, length, find, with: replacement }: TextInput): string {
  switch (operation) {
    case 'upper':
      return given.toUpperCase();
    case 'lower':
      return given.toLowerCase();
    case 'title':
      return given.replaceAll(WORD, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
    case 'reverse':
      return [...new Intl.Segmenter().segment(given)]
        .map(({ segment }) => segment)
        .reverse()
        .join('');
    case 'slug':
      return given
        .normalize('NFKD')
        .replaceAll(/\p{M}/gu, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
        .replaceAll(/^-|-$/g, '');
    case 'truncate':
      return truncated(given, needed(length, 'text', 'length', operation));
    case 'pad':
      return given.padEnd(needed(length, 'text', 'length', operation), replacement || ' ');
    case 'replace':
      return replaced(given, needed(find, 'text', 'find', operation), replacement ?? '');
    default:
      return given.trim();
  }
}

function truncated(given: string, length: number): string {
  const characters = [...given];
  return characters.length <= length ? given : `${characters.slice(0, Math.max(0, length - 1)).join('')}…`;
}

/** The length is known before the text is made. */
function replaced(given: string, find: string, by: string): string {
  let count = 0;
  for (let at = given.indexOf(find); at >= 0; at = given.indexOf(find, at + find.length)) count++;
  if (given.length + count * (by.length - find.length) > MOST_TEXT)
    throw new ScriptError('LIMIT_EXCEEDED', `text: the text would have more than ${MOST_TEXT} characters`);
  return given.replaceAll(find, () => by);
}

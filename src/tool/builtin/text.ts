import { z } from 'zod';
import { defineTool } from '../tool.ts';

const WORD = /[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu;

/** Everyday changes of text. */
export const text = defineTool(
  {
    name: 'text',
    description: 'Counts, changes, cuts and splits text',
    category: 'text',
    effect: 'pure',
    tags: ['string'],
    input: z.strictObject({
      operation: z.enum(['count', 'upper', 'lower', 'title', 'trim', 'reverse', 'slug', 'truncate', 'split', 'lines', 'words', 'replace', 'pad']),
      text: z.string().max(5_000_000),
      length: z.int().min(0).max(1_000_000).optional().describe('truncate, pad: characters'),
      separator: z.string().optional().describe('split'),
      find: z.string().min(1).optional().describe('replace: the text to find, as it stands'),
      with: z.string().optional().describe('replace: what comes in its place; pad: with what'),
    }),
    output: z.object({
      text: z.string().optional(),
      parts: z.array(z.string()).optional(),
      characters: z.int().optional(),
      words: z.int().optional(),
      lines: z.int().optional(),
      bytes: z.int().optional(),
    }),
    examples: [
      {
        lua: `print(Tool.execute("text", {operation = "slug", text = "Hello, World!"}).text)`,
        javascript: `print(Tool.execute("text", {operation: "slug", text: "Hello, World!"}).text)`,
      },
    ],
    execute(input) {
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
    },
  },
  'builtin',
);

function change({
  operation,
  text: given,
  length,
  find,
  with: replacement,
}: {
  operation: string;
  text: string;
  length?: number | undefined;
  find?: string | undefined;
  with?: string | undefined;
}): string {
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
      return [...given].length <= (length ?? 80) ? given : `${[...given].slice(0, Math.max(0, (length ?? 80) - 1)).join('')}…`;
    case 'pad':
      return given.padEnd(length ?? given.length, replacement || ' ');
    case 'replace':
      return find === undefined ? given : given.replaceAll(find, () => replacement ?? '');
    default:
      return given.trim();
  }
}

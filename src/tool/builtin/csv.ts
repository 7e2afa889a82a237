import type { Context } from '../../call/context.ts';
import { anyMap, anyValue } from '../../call/schema.ts';
import type { Soon } from '../../call/soon.ts';
import { toPlain } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { beside } from '../beside.ts';
import { readBytes } from '../files/read.ts';
import { needed } from '../needed.ts';
import { isSmall } from '../small.ts';
import { defineTool } from '../tool.ts';
import { type CsvParse, type CsvResult, type CsvStringify, run } from '../work/csv.ts';

const SMALL = 50_000;

/** CSV in both directions. */
export const csv = defineTool(
  {
    name: 'csv',
    description: 'Reads and writes CSV',
    category: 'data',
    effect: 'pure',
    tags: ['table', 'spreadsheet'],
    input: z.strictObject({
      operation: z.enum(['parse', 'stringify']).default('parse'),
      text: z.string().max(10_000_000).optional(),
      path: z.string().optional().describe('parse: a file instead of text'),
      rows: z
        .array(z.union([anyMap, z.array(anyValue)]))
        .optional()
        .describe('stringify'),
      delimiter: z.string().length(1).default(','),
      header: z.boolean().default(true).describe('parse: the first line names the columns; stringify: write such a line'),
      numbers: z.boolean().default(true).describe('parse: what looks like a number becomes one'),
      limit: z.int().min(1).max(100_000).default(100_000),
    }),
    output: z.object({ rows: z.array(anyValue).optional(), columns: z.array(z.string()).optional(), count: z.int().optional(), text: z.string().optional() }),
    examples: [
      {
        lua: `print(Tool.execute("csv", {text = "name,age\\nAda,36"}).rows[1].age)`,
        javascript: `print(Tool.execute("csv", {text: "name,age\\nAda,36"}).rows[0].age)`,
      },
    ],
    execute({ operation, text, path, rows, ...options }, context) {
      if (operation === 'stringify')
        return work(context, { operation, rows: toPlain(needed(rows, 'csv', 'rows', operation)) as CsvStringify['rows'], ...options });
      const source = text ?? (path === undefined ? undefined : readBytes(context, path));
      if (source === undefined) throw new ScriptError('BAD_ARGUMENT', 'csv: expected text or path');
      return work(context, { operation, text: source, ...options });
    },
  },
  'builtin',
);

function work(context: Context, input: CsvParse | CsvStringify): Soon<CsvResult> {
  return isSmall(input, SMALL) ? run(input) : beside<CsvResult>(context, new URL('../work/csv.ts', import.meta.url), input);
}

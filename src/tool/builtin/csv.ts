import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { anyMap, anyValue } from '../../call/schema.ts';
import { Float, type Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { readBytes } from '../files/read.ts';
import { defineTool } from '../tool.ts';

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
    execute(input, context) {
      if (input.operation === 'stringify') return { text: write(input.rows ?? [], input.delimiter, input.header) };
      const text = input.text ?? (input.path === undefined ? undefined : readBytes(context, input.path).toString('utf8'));
      if (text === undefined) throw new ScriptError('BAD_ARGUMENT', 'csv: expected text or path');
      return read(text, input);
    },
  },
  'builtin',
);

function read(text: string, { delimiter, header, numbers, limit }: { delimiter: string; header: boolean; numbers: boolean; limit: number }) {
  let lines: string[][];
  try {
    lines = parse(text, { delimiter, bom: true, skip_empty_lines: true, relax_column_count: true, to: limit + (header ? 1 : 0) }) as string[][];
  } catch (error) {
    throw new ScriptError('BAD_ARGUMENT', `csv: text: ${error instanceof Error ? error.message : 'it is no CSV'}`, { cause: error });
  }
  const cell = (value: string): Value => (numbers && /^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?$/.test(value) ? Number(value) : value);
  if (!header) return { rows: lines.map((line) => line.map(cell)), count: lines.length };
  const [columns = [], ...rest] = lines;
  return { columns, rows: rest.map((line) => Object.fromEntries(columns.map((name, at) => [name, cell(line[at] ?? '')]))), count: rest.length };
}

function write(rows: readonly (Record<string, Value> | Value[])[], delimiter: string, header: boolean): string {
  const columns = [...new Set(rows.flatMap((row) => (Array.isArray(row) ? [] : Object.keys(row))))];
  const quote = (value: Value | undefined) => {
    const text =
      value === null || value === undefined
        ? ''
        : value instanceof Float
          ? String(value.value)
          : typeof value === 'object'
            ? JSON.stringify(value)
            : String(value);
    return text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => (Array.isArray(row) ? row : columns.map((name) => row[name])).map(quote).join(delimiter));
  return [...(header && columns.length > 0 ? [columns.map(quote).join(delimiter)] : []), ...lines].join('\n');
}

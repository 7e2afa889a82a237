import { parse } from 'csv-parse/sync';
import { toJsonText } from '../../call/json.ts';
import type { Value, ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';

/** Text, or a file's bytes, to read. */
export interface CsvParse {
  readonly operation: 'parse';
  readonly text: string | Uint8Array;
  readonly delimiter: string;
  readonly header: boolean;
  readonly numbers: boolean;
  readonly limit: number;
}

/** Rows of plain data to write. */
export interface CsvStringify {
  readonly operation: 'stringify';
  readonly rows: readonly (ValueMap | Value[])[];
  readonly delimiter: string;
  readonly header: boolean;
}

/** What is read or written. */
export type CsvResult = { rows: Value[]; count: number; columns?: string[] } | { text: string };

/** Reads or writes CSV. Throws BAD_ARGUMENT for a text that is none. */
export function run(input: CsvParse | CsvStringify): CsvResult {
  return input.operation === 'parse' ? read(input) : { text: write(input) };
}

function read({ text, delimiter, header, numbers, limit }: CsvParse): CsvResult {
  let lines: string[][];
  try {
    const source = typeof text === 'string' ? text : new TextDecoder().decode(text);
    lines = parse(source, { delimiter, bom: true, skip_empty_lines: true, relax_column_count: true, to: limit + (header ? 1 : 0) }) as string[][];
  } catch (error) {
    throw new ScriptError('BAD_ARGUMENT', `csv: text: ${error instanceof Error ? error.message : 'it is no CSV'}`);
  }
  const cell = (value: string): Value => (numbers && /^-?(?:0|[1-9]\d{0,14})(?:\.\d+)?$/.test(value) ? Number(value) : value);
  if (!header) return { rows: lines.map((line) => line.map(cell)), count: lines.length };
  const [columns = [], ...rest] = lines;
  return { columns, rows: rest.map((line) => Object.fromEntries(columns.map((name, at) => [name, cell(line[at] ?? '')]))), count: rest.length };
}

function write({ rows, delimiter, header }: CsvStringify): string {
  const columns = [...new Set(rows.flatMap((row) => (Array.isArray(row) ? [] : Object.keys(row))))];
  const quote = (value: Value | undefined) => {
    const text = value === null || value === undefined ? '' : typeof value === 'object' ? toJsonText(value) : String(value);
    return text.includes(delimiter) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => (Array.isArray(row) ? row : columns.map((name) => row[name])).map(quote).join(delimiter));
  return [...(header && columns.length > 0 ? [columns.map(quote).join(delimiter)] : []), ...lines].join('\n');
}

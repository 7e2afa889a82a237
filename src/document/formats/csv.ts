import { decodeText } from '../decode.ts';
import { unreadable } from '../document.ts';
import type { Reader } from './index.ts';

const DELIMITERS = [',', ';', '\t', '|'];

/** One paragraph per row, each cell under the name of its column: what stands in a chunk is understood without the first line. */
export const readCsv: Reader = async (bytes, { name, charset }) => {
  const text = decodeText(bytes, name, charset);
  const { parse } = await import('csv-parse/sync');
  let rows: string[][];
  try {
    rows = parse(text, { delimiter: delimiterOf(text), skip_empty_lines: true, relax_column_count: true, relax_quotes: true }) as string[][];
  } catch (error) {
    throw unreadable(name, `it is no CSV: ${error instanceof Error ? error.message : 'it cannot be parsed'}`, error);
  }
  const [columns = [], ...rest] = rows;
  if (rest.length === 0) return { text: columns.join(', ') };
  const lines = rest.map((row) =>
    row
      .map((cell, at) => [columns[at]?.trim() || `column ${at + 1}`, cell.trim()] as const)
      .filter(([, cell]) => cell !== '')
      .map(([column, cell]) => `${column}: ${cell}`)
      .join('\n'),
  );
  return { text: lines.filter((line) => line !== '').join('\n\n') };
};

/** The sign that the first line has most of. */
function delimiterOf(text: string): string {
  const line = text.slice(0, 10_000).split('\n', 1)[0] ?? '';
  const counts = DELIMITERS.map((sign) => line.split(sign).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] as string;
}

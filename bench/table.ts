import { readFileSync, writeFileSync } from 'node:fs';
import type { Row } from './row.ts';

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ name, value, unit, bar, peer, peer_value, ratio }) =>
      `| ${name} | ${digits(value)} ${unit} | ${bar === undefined ? '' : `≤ ${bar} ${unit}`} | ${peer === undefined ? '' : `${digits(peer_value as number)} ${unit}, ${peer}`} | ${ratio === undefined ? '' : `× ${digits(ratio)}`} |`,
  );
  return ['| | ours | bar | peer | |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}

/** Puts the rows for everybody between the marks of the README, and all between those of the guide. */
export function writeTables(rows: readonly Row[]): void {
  write(
    'README.md',
    rows.filter(({ headline }) => headline),
  );
  write('docs/guide/18-measured.md', rows);
}

function write(path: string, rows: readonly Row[]): void {
  const file = new URL(`../${path}`, import.meta.url);
  const text = readFileSync(file, 'utf8');
  const found = `<!-- bench -->\nMedians on a busy machine with two cores and Node ${process.versions.node}.\n\n${table(rows)}\n<!-- /bench -->`;
  writeFileSync(
    file,
    text.replace(/<!-- bench -->[\s\S]*<!-- \/bench -->/, () => found),
  );
}

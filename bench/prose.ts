import { readFileSync } from 'node:fs';

const TEXT = ['06-tools', '10-security', '07-agents'].map((name) => readFileSync(new URL(`../docs/guide/${name}.md`, import.meta.url), 'utf8')).join('\n');

/** Prose of this repository: so many characters of it, another piece for each number. */
export function prose(length: number, number = 0): string {
  const from = (number * 97) % TEXT.length;
  return (TEXT.slice(from) + TEXT.repeat(Math.ceil(length / TEXT.length))).slice(0, length);
}

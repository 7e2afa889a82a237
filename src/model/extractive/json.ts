import type { Block } from './material.ts';

const SOURCE_FIELDS = ['source', 'path', 'file', 'file_path', 'document_id', 'title', 'name', 'url', 'link'];
const TEXT_FIELDS = new Set([
  'content',
  'text',
  'snippet',
  'excerpt',
  'body',
  'description',
  'summary',
  'output',
  'answer',
  'line',
  'match',
  'quote',
  'message',
  'passage',
]);
const PROSE_LENGTH = 60;
/** What lies deeper is not looked at. */
const MOST_DEPTH = 100;

/** Takes JSON (results of tools) out of a text: what stands around it, and what the JSON says as blocks with their sources. */
export function takeJson(text: string): { rest: string; blocks: Block[] } {
  const blocks: Block[] = [];
  let rest = '';
  let from = 0;
  let attempts = 0;
  for (const { index } of text.matchAll(/[[{](?=\s*["[{\]}])/g)) {
    if (index < from) continue;
    if (++attempts > 50) break;
    const end = closingOf(text, index);
    const value = end === undefined ? undefined : parse(text.slice(index, end));
    if (end === undefined || value === undefined) continue;
    collect(value, undefined, blocks);
    rest += text.slice(from, index);
    from = end;
  }
  return { rest: rest + text.slice(from), blocks };
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Where the bracket at `start` is closed, text in quotes left aside. */
function closingOf(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (sign === '{' || sign === '[') depth++;
    else if ((sign === '}' || sign === ']') && --depth === 0) return at + 1;
  }
  return undefined;
}

/** Gathers what reads like text, under the nearest field that reads like a source. */
function collect(value: unknown, source: string | undefined, blocks: Block[], depth = 0): void {
  if (depth > MOST_DEPTH) return;
  if (typeof value === 'string') {
    if (value.length >= 20) blocks.push({ source, heading: undefined, text: value });
  } else if (Array.isArray(value)) for (const item of value) collect(item, source, blocks, depth + 1);
  else if (typeof value === 'object' && value !== null) collectMap(value as Record<string, unknown>, source, blocks, depth);
}

function collectMap(map: Record<string, unknown>, outer: string | undefined, blocks: Block[], depth: number): void {
  const field = SOURCE_FIELDS.find((name) => typeof map[name] === 'string' && map[name] !== '' && map[name].length <= 200);
  const line = map.line_number ?? (typeof map.line === 'number' ? map.line : undefined);
  const named = field === undefined ? outer : String(map[field]);
  const source = named !== undefined && typeof line === 'number' ? `${named}:${line}` : named;
  for (const [key, item] of Object.entries(map)) {
    if (key === field) continue;
    if (typeof item !== 'string') collect(item, source, blocks, depth + 1);
    else if (TEXT_FIELDS.has(key) || item.length >= PROSE_LENGTH) blocks.push({ source, heading: undefined, text: item });
  }
}

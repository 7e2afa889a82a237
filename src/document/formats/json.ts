import { decodeText } from '../decode.ts';
import { unreadable } from '../document.ts';
import type { Reader } from './index.ts';

const MOST_DEPTH = 200;

/** One line per value under its path; the entries of a list and the lines of JSON Lines are paragraphs. */
export const readJson: Reader = (bytes, { name, charset }) => {
  const text = decodeText(bytes, name, charset);
  const lines: string[] = [];
  const say = (value: unknown, path: string, depth: number): void => {
    if (depth > MOST_DEPTH) throw unreadable(name, `its values are nested deeper than ${MOST_DEPTH}`);
    if (Array.isArray(value)) {
      if (value.every((item) => typeof item !== 'object' || item === null)) {
        if (value.length > 0) lines.push(said(path, value.map(shown).join(', ')));
        return;
      }
      for (const item of value) {
        if (lines.length > 0 && lines.at(-1) !== '') lines.push('');
        say(item, path, depth + 1);
      }
    } else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) say(item, path === '' ? key : `${path}.${key}`, depth + 1);
    else lines.push(said(path, shown(value)));
  };
  say(parse(text, name), '', 0);
  return { text: lines.join('\n') };
};

function said(path: string, value: string): string {
  return path === '' ? value : `${path}: ${value}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** One value, or one on each line. */
function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    if (lines.length > 1 && isJson(lines[0] as string))
      return lines.map((line, at) => {
        try {
          return JSON.parse(line) as unknown;
        } catch (cause) {
          throw unreadable(name, `line ${at + 1} is no JSON`, cause);
        }
      });
    throw unreadable(name, `it is no JSON: ${error instanceof Error ? error.message.slice(0, 200) : 'it cannot be parsed'}`, error);
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

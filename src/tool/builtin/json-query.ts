import { fromJsonText } from '../../call/json.ts';
import { anyValue } from '../../call/schema.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { defineTool } from '../tool.ts';

const MOST_FOUND = 10_000;
const MOST_LOOKED = 500_000;

/** Paths into data: `$.store.books[*].title`, `..name`, `[0]`, `[-1]`, `[1:3]`, `["odd key"]`, the usual part of RFC 9535 without filters. */
export const jsonQuery = defineTool(
  {
    name: 'json_query',
    description: 'Finds values inside data by a path',
    category: 'data',
    effect: 'pure',
    tags: ['json', 'path'],
    input: z.strictObject({
      data: anyValue.describe('a value, or a JSON text'),
      query: z.string().max(1_000).describe('$.items[*].name, ..name, [0], [-1], [1:3]; positions count from 0'),
    }),
    output: z.object({ result: anyValue.describe('the first value found'), results: z.array(anyValue), count: z.int() }),
    examples: [
      {
        lua: `print(Tool.execute("json_query", {data = {books = {{title = "A"}, {title = "B"}}}, query = "$.books[*].title"}).results)`,
        javascript: `print(Tool.execute("json_query", {data: {books: [{title: "A"}, {title: "B"}]}, query: "$.books[*].title"}).results)`,
      },
    ],
    execute({ data, query }) {
      const results = find(typeof data === 'string' ? fromJsonText(data, 'json_query: data') : data, query);
      return { result: results[0] ?? null, results, count: results.length };
    },
  },
  'builtin',
);

/** Every value that a path leads to. Throws BAD_ARGUMENT when the path cannot be read. */
export function find(data: Value, path: string): Value[] {
  let found: Value[] = [data];
  let looked = 0;
  for (const step of parse(path)) {
    const next: Value[] = [];
    for (const value of found) {
      for (const at of step.deep ? descendants(value) : [value]) {
        if (++looked > MOST_LOOKED) throw new ScriptError('LIMIT_EXCEEDED', `json_query: query: it looks at more than ${MOST_LOOKED} places`);
        for (const one of select(at, step)) next.push(one);
        if (next.length > MOST_FOUND) throw new ScriptError('LIMIT_EXCEEDED', `json_query: query: more than ${MOST_FOUND} values`);
      }
    }
    found = next;
  }
  return found;
}

interface Step {
  readonly deep: boolean;
  readonly key?: string;
  readonly all?: true;
  readonly index?: number;
  readonly range?: readonly [number | undefined, number | undefined];
}

const PART = /(\.\.|\.)?(?:([\p{L}_][\p{L}\p{N}_-]*)|(\*)|\[(?:(\*)|(-?\d+)|(-?\d*):(-?\d*)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\])/uy;

function parse(path: string): Step[] {
  const steps: Step[] = [];
  let at = path.startsWith('$') ? 1 : 0;
  while (at < path.length) {
    PART.lastIndex = at;
    const found = PART.exec(path);
    if (!found || (at > 0 && found[1] === undefined && !found[0].startsWith('[')))
      throw new ScriptError('BAD_ARGUMENT', `json_query: query: cannot read ${JSON.stringify(path.slice(at, at + 20))} at position ${at + 1}`);
    at = PART.lastIndex;
    steps.push(stepOf(found));
  }
  return steps;
}

function stepOf([, dots, name, star, allInside, index, from, to, quoted, single]: RegExpExecArray): Step {
  const deep = dots === '..';
  if (star || allInside) return { deep, all: true };
  if (index !== undefined) return { deep, index: Number(index) };
  if (from !== undefined) return { deep, range: [from === '' ? undefined : Number(from), to ? Number(to) : undefined] };
  return { deep, key: name ?? (quoted ?? single ?? '').replaceAll(/\\(.)/g, '$1') };
}

function select(value: Value, { key, all, index, range }: Step): Value[] {
  if (key !== undefined) return isMap(value) && Object.hasOwn(value, key) ? [value[key] ?? null] : [];
  if (all) return Array.isArray(value) ? value : isMap(value) ? Object.values(value) : [];
  if (!Array.isArray(value)) return [];
  if (range) return value.slice(...range);
  const item = value.at(index as number);
  return item === undefined ? [] : [item];
}

function* descendants(value: Value): Generator<Value> {
  yield value;
  const children = Array.isArray(value) ? value : isMap(value) ? Object.values(value) : [];
  for (const child of children) yield* descendants(child);
}

function isMap(value: Value): value is { [key: string]: Value } {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}

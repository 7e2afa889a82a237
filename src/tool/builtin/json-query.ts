import { anyValue } from '../../call/schema.ts';
import { whenReady } from '../../call/soon.ts';
import { z } from '../../zod.ts';
import { findIn, findInText } from '../json.ts';
import { FOUND } from '../json-path.ts';
import { checkParts } from '../parts.ts';
import { defineTool } from '../tool.ts';

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
      query: z
        .string()
        .max(1_000)
        .describe('$.items[*].name, ..name, ["odd name"], [0], [-1], [1:3]; positions count from 0, and names in quotes have the escapes of JSON'),
    }),
    output: z.object({ result: anyValue.describe('the first value found'), results: z.array(anyValue), count: z.int() }),
    examples: [
      {
        lua: `print(Tool.execute("json_query", {data = {books = {{title = "A"}, {title = "B"}}}, query = "$.books[*].title"}).results)`,
        javascript: `print(Tool.execute("json_query", {data: {books: [{title: "A"}, {title: "B"}]}, query: "$.books[*].title"}).results)`,
      },
    ],
    execute({ data, query }, context) {
      const found = typeof data === 'string' ? findInText(context, data, query, 'json_query: data') : findIn(context, data, query);
      return whenReady(found, (results) => {
        const result = results[0] ?? null;
        checkParts([result, results], FOUND);
        return { result, results, count: results.length };
      });
    },
  },
  'builtin',
);

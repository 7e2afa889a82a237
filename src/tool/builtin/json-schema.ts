import { z } from 'zod';
import { fromJsonSchema } from '../../call/json-schema.ts';
import { anyMap, anyValue } from '../../call/schema.ts';
import { toPlain } from '../../call/value.ts';
import { defineTool } from '../tool.ts';

/** JSON Schema validation. */
export const jsonSchema = defineTool(
  {
    name: 'json_schema',
    description: 'Checks data against a JSON Schema',
    category: 'data',
    effect: 'pure',
    tags: ['json', 'validate'],
    input: z.strictObject({ data: anyValue, schema: anyMap }),
    output: z.object({ valid: z.boolean(), errors: z.array(z.object({ path: z.string(), message: z.string() })) }),
    examples: [
      {
        lua: `print(Tool.execute("json_schema", {data = {age = "x"}, schema = {type = "object", properties = {age = {type = "number"}}}}).valid)`,
        javascript: `print(Tool.execute("json_schema", {data: {age: "x"}, schema: {type: "object", properties: {age: {type: "number"}}}}).valid)`,
      },
    ],
    execute({ data, schema }) {
      const { success, error } = fromJsonSchema(schema, 'json_schema: schema').safeParse(toPlain(data));
      return { valid: success, errors: (error?.issues ?? []).map(({ path, message }) => ({ path: path.join('.'), message })) };
    },
  },
  'builtin',
);

import { anyMap, anyValue } from '../../call/schema.ts';
import { toPlain, type ValueMap } from '../../call/value.ts';
import { z } from '../../zod.ts';
import { beside } from '../beside.ts';
import { isSmall } from '../small.ts';
import { defineTool } from '../tool.ts';
import { type JsonSchemaResult, run } from '../work/json-schema.ts';

const SMALL = 10_000;
/** Keywords whose work can multiply, or is large for what is written. */
const MULTIPLYING: ReadonlySet<string> = new Set(
  '$dynamicRef $ref additionalProperties allOf anyOf contains if oneOf pattern patternProperties uniqueItems'.split(' '),
);

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
    execute(given, context) {
      const input = { data: toPlain(given.data), schema: toPlain(given.schema) as ValueMap, language: context.run.language };
      return isSmall(input, SMALL) && !multiplies(input.schema)
        ? run(input)
        : beside<JsonSchemaResult>(context, new URL('../work/json-schema.ts', import.meta.url), input);
    },
  },
  'builtin',
);

function multiplies(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  return Object.entries(schema).some(([key, value]) => MULTIPLYING.has(key) || multiplies(value));
}

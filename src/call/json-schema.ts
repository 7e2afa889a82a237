import { fromJSONSchema, toJSONSchema, type z } from 'zod';
import { ScriptError } from '../errors.ts';
import { schemaOf } from '../zod.ts';
import { makeLinear, refuseClosedPatterns } from './check/pattern.ts';
import { specialOf } from './check/special.ts';
import type { Value } from './value.ts';

/** The JSON Schema (2020-12) of what a schema takes; functions and handles, which no JSON can carry, become `{}`. */
export function toJsonSchema(schema: z.ZodType): Record<string, Value> {
  const json = toJSONSchema(schemaOf(schema), {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      const mark = specialOf(zodSchema);
      delete jsonSchema.llmspell;
      if (mark?.kind === 'bytes') jsonSchema.type = 'string';
    },
  });
  const { $schema: _, '~standard': __, ...rest } = json;
  return rest as Record<string, Value>;
}

/** The schema that a JSON Schema describes; strict about unknown properties only where it says so; patterns are those of RE2. Throws BAD_ARGUMENT when it is none. */
export function fromJsonSchema(json: Value, path = 'schema'): z.ZodType {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) throw new ScriptError('BAD_ARGUMENT', `${path}: expected a JSON Schema (a map)`);
  refuseClosedPatterns(json, path);
  try {
    const schema = fromJSONSchema(json as Parameters<typeof fromJSONSchema>[0]);
    makeLinear(schema, path);
    return schema;
  } catch (error) {
    if (error instanceof ScriptError) throw error;
    throw new ScriptError(
      'BAD_ARGUMENT',
      `${path}: expected a JSON Schema: ${error instanceof Error ? error.message.split('\n', 1)[0] : 'it cannot be read'}`,
      { cause: error },
    );
  }
}

import { toJSONSchema, type z } from 'zod';
import { schemaOf } from '../../zod.ts';
import { specialOf } from '../check/special.ts';
import type { Value } from '../value.ts';

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

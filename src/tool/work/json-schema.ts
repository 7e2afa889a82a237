import { fromJsonSchema } from '../../call/json-schema.ts';
import type { ValueMap } from '../../call/value.ts';

/** Whether data fits, and each place where it does not. */
export interface JsonSchemaResult {
  readonly valid: boolean;
  readonly errors: { path: string; message: string }[];
}

/** Checks plain data against a JSON Schema. Throws BAD_ARGUMENT when it is none. */
export function run({ data, schema }: { data: unknown; schema: ValueMap }): JsonSchemaResult {
  const { success, error } = fromJsonSchema(schema, 'json_schema: schema').safeParse(data);
  return { valid: success, errors: (error?.issues ?? []).map(({ path, message }) => ({ path: path.join('.'), message })) };
}

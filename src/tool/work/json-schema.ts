import { failuresOf } from '../../call/json-schema/check.ts';
import type { ValueMap } from '../../call/value.ts';

/** Whether data fits, and each place where it does not. */
export interface JsonSchemaResult {
  readonly valid: boolean;
  readonly errors: { path: string; message: string }[];
}

/** Failures that are told. */
const MOST_ERRORS = 100;

/** Checks plain data against a JSON Schema; in Lua an empty table is an empty array too. Throws BAD_ARGUMENT when it is none. */
export function run({ data, schema, language }: { data: unknown; schema: ValueMap; language: 'lua' | 'javascript' }): JsonSchemaResult {
  const failures = failuresOf(schema, 'json_schema: schema', data, language);
  const errors = failures.slice(0, MOST_ERRORS).map((failure) => ({ path: failure.keys.toReversed().join('.'), message: failure.sentenceIn(language) }));
  return { valid: failures.length === 0, errors };
}

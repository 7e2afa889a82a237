import type { Context } from '../call/context.ts';
import { anyMap } from '../call/schema.ts';
import { ScriptError } from '../errors.ts';
import { z } from '../zod.ts';
import type { Filter } from './knowledge.ts';
import { compileFilter } from './store/filter.ts';

/** What is looked for. */
export const words = z.string().max(100_000);

/** What to look for, and how. */
export const queryFields = {
  query: words,
  top_k: z.int().min(1).max(1_000).optional().describe('5 if not given'),
  similarity_threshold: z.number().min(-1).max(1).optional(),
  metadata_filters: anyMap.optional(),
  rerank: z.boolean().optional(),
  mode: z.enum(['hybrid', 'vector', 'keyword']).optional(),
  diversity: z.number().min(0).max(1).optional().describe('how much chunks that say the same again count less'),
};

const query = z.strictObject(queryFields);

/** A query; chunks whose vectors are less similar than `similarity_threshold` are left out, and `top_k` is the most that there are. */
export type Query = z.output<typeof query>;

/** Throws BAD_ARGUMENT, with the method and the place, for what is no filter. */
export function checkFilter({ method }: Context, filter: Filter | undefined): void {
  try {
    if (filter) compileFilter(filter, 0, 'set');
  } catch (error) {
    throw error instanceof ScriptError ? new ScriptError(error.code, `${method}: ${error.message}`) : error;
  }
}

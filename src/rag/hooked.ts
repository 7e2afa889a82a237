import { compileLater } from '../call/compile.ts';
import type { Context } from '../call/context.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { z } from '../zod.ts';
import type { Hit } from './knowledge.ts';
import type { Pipeline } from './pipeline.ts';
import { documentInput, ingested, queryFields } from './schemas.ts';

const documents = compileLater(() => z.strictObject({ base: z.string().optional(), documents: z.array(documentInput) }));
const result = compileLater(() => ingested);
const query = compileLater(() => z.strictObject({ ...queryFields, query: queryFields.query.optional() }));
const chunks = compileLater(() =>
  z.array(z.object({ document_id: z.string(), chunk_index: z.int().min(0), content: z.string(), score: z.number().optional() })),
);

/** Documents that a hook puts in place of the given ones. Throws BAD_ARGUMENT for what are none. */
export function checkDocuments({ run, method }: Context): (changed: Value) => ValueMap {
  return (changed) => documents(changed, `${method}: the hook's input`, run.language) as ValueMap;
}

/** What a hook says of an ingest in place of what became of it. Throws BAD_ARGUMENT. */
export function checkIngested({ run, method }: Context): (changed: Value) => ValueMap {
  return (changed) => result(changed, `${method}: the hook's output`, run.language) as ValueMap;
}

/** A query that a hook puts in place of the given one; what it leaves out stays as it was. Throws BAD_ARGUMENT. */
export function checkQuery({ run, method }: Context): (changed: Value) => ValueMap {
  return (changed) => query(changed, `${method}: the hook's input`, run.language) as ValueMap;
}

/** Hits as hooks see them. */
export function shown(hits: readonly Hit[]): ValueMap[] {
  return hits.map(({ chunk, document, score }) => ({ document_id: document.id, chunk_index: chunk.index, content: chunk.text, score }));
}

/**
 * The hits that hooks left: they may leave chunks out, order them anew, change their text, and name others that are stored. Throws BAD_ARGUMENT for
 * what is no list of stored chunks.
 */
export function hitsOf({ run, method }: Context, { base }: Pipeline, output: Value, found: readonly Hit[]): Hit[] {
  const given = chunks(output, `${method}: the hook's output`, run.language) as { document_id: string; chunk_index: number; content: string; score?: number }[];
  return given.map(({ document_id, chunk_index, content, score = 0 }): Hit => {
    const known = found.find(({ document, chunk }) => document.id === document_id && chunk.index === chunk_index);
    if (known) return { ...known, score, chunk: { ...known.chunk, text: content } };
    const document = base.settings && base.get(document_id);
    const chunk = document && base.chunks(document_id, chunk_index, chunk_index)[0];
    if (!chunk)
      throw new ScriptError('BAD_ARGUMENT', `${method}: the hook's output: there is no chunk ${chunk_index} of a document ${JSON.stringify(document_id)}`);
    return { document, chunk: { ...chunk, text: content }, score, similarity: undefined, ranks: {} };
  });
}

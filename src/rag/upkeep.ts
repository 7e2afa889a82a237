import type { Callback, Context } from '../call/context.ts';
import type { Soon } from '../call/soon.ts';
import { ScriptError } from '../errors.ts';
import { removeTenant } from '../tenant/tenants.ts';
import type { DocumentInfo, Filter } from './knowledge.ts';
import type { Pipeline } from './pipeline.ts';
import { progressTo } from './progress.ts';
import { checkFilter } from './query.ts';
import { forgetRetrievals, retrievalsOf } from './statistics.ts';

const PAGE = 1_000;

/** A document as scripts see it. */
function present(info: DocumentInfo) {
  const { id, source, chunks, hash: _, ...rest } = info;
  return { document_id: id, ...(source !== undefined && { source }), ...rest, chunk_count: chunks };
}

/** A stored document with its text, null when there is none. */
export function getDocument({ base }: Pipeline, id: string) {
  const info = base.get(id);
  return info ? { ...present(info), content: base.text(id) ?? '' } : null;
}

/** A page of documents, ordered by id. */
export function listDocuments(
  context: Context,
  { base }: Pipeline,
  options: { metadata_filters?: Filter | undefined; limit?: number | undefined; after?: string | undefined } = {},
) {
  const { metadata_filters, limit = PAGE, after } = options;
  checkFilter(context, metadata_filters);
  return base.list({ filter: metadata_filters, limit, after }).map(present);
}

/** Deletes by id or filter and says how many there were. Throws BAD_ARGUMENT without either. */
export function deleteDocuments(
  context: Context,
  { base }: Pipeline,
  { document_ids, metadata_filters }: { document_ids?: readonly string[] | undefined; metadata_filters?: Filter | undefined },
): Soon<number> {
  if ((document_ids === undefined) === (metadata_filters === undefined))
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: which: expected either document_ids or metadata_filters`);
  if (document_ids) return base.remove({ ids: document_ids });
  checkFilter(context, metadata_filters);
  return base.remove({ filter: metadata_filters ?? {} });
}

/** How much a base holds. */
export function statsOf(context: Context, pipeline: Pipeline) {
  const { storage_size_bytes, ...stats } = pipeline.base.stats();
  const { count, totalMs } = retrievalsOf(context, pipeline);
  const { settings } = pipeline.base;
  return {
    ...stats,
    storage_size_mb: storage_size_bytes / 2 ** 20,
    avg_retrieval_time: count === 0 ? 0 : totalMs / count,
    retrievals: count,
    ...(settings && { embedding_provider: settings.embedder, dimensions: settings.dimensions }),
  };
}

/** Makes the index anew while searches go on. */
export async function rebuild(context: Context, { base, name }: Pipeline, onProgress: Callback | undefined): Promise<void> {
  const progress = progressTo(context, `rag.${name}.rebuild.progress`, onProgress);
  await base.rebuild(progress.report, context.signal);
  await progress.end();
}

/** Removes everything of a tenant; says whether there was anything. */
export async function cleanUp(context: Context, tenant: string): Promise<boolean> {
  forgetRetrievals(context, tenant);
  return removeTenant(context.run.host, tenant);
}

import type { z } from 'zod';
import { breathe } from '../call/breath.ts';
import type { Callback, Context } from '../call/context.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { announceFailure, events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import { toChunking } from './chunk/chunk.ts';
import { checkDocuments, checkIngested } from './hooked.ts';
import type { PreparedDocument } from './knowledge.ts';
import type { Pipeline } from './pipeline.ts';
import { prepare } from './prepare.ts';
import { progressTo } from './progress.ts';
import type { ChunkOptions, DocumentInput, ingested } from './schemas.ts';
import { knowledge } from './store/service.ts';

/** What became of an ingest. */
export type Ingested = z.output<typeof ingested>;

export interface IngestOptions {
  readonly chunking?: ChunkOptions | undefined;
  readonly on_progress?: Callback | undefined;
}

/**
 * Stores documents one by one, each whole or not at all; one that cannot be read or is refused fails alone. Throws what concerns all of them: an
 * embedding model that is not granted or fails, another model than the base's vectors have (CONFLICT), a tenant that is full (LIMIT_EXCEEDED).
 */
export async function ingest(context: Context, pipeline: Pipeline, documents: readonly DocumentInput[], options: IngestOptions = {}): Promise<Ingested> {
  const { name } = pipeline;
  pipeline.checkVectors();
  const bus = context.run.get(events);
  const input: ValueMap = { base: name, documents: documents as unknown as Value[] };
  const watched = {
    kind: 'rag',
    name,
    before: 'before_ingest',
    after: 'after_ingest',
    error: 'error',
    input,
    fields: { base: name },
    checkInput: checkDocuments(context),
    checkOutput: checkIngested(context),
  };
  try {
    await bus.announce(context, `rag.${name}.ingest.started`, { name, documents: documents.length });
    const output = await context.run.get(hooks).around<ValueMap, Value>(context, watched, async (changed, inside) => {
      const stored = await store(inside, pipeline, changed.documents as unknown as DocumentInput[], options);
      return stored as unknown as ValueMap;
    });
    // A hook that skips the ingest need not say what became of it.
    const result = (output ?? { documents: 0, chunks_created: 0, vectors_indexed: 0, skipped: documents.length, failed: [] }) as unknown as Ingested;
    await bus.announce(context, `rag.${name}.ingest.completed`, { name, documents: result.documents, skipped: result.skipped, failed: result.failed.length });
    return result;
  } catch (error) {
    await announceFailure(context, 'rag', name, error);
    throw error;
  }
}

async function store(outer: Context, pipeline: Pipeline, documents: readonly DocumentInput[], options: IngestOptions): Promise<Ingested> {
  const { embedder, tenant } = pipeline;
  const { run } = outer;
  const first = run.language === 'lua' ? 1 : 0;
  const limits = run.host.config.rag;
  const late = AbortSignal.timeout(limits.ingest_timeout_ms);
  const context = outer.with({ signal: AbortSignal.any([outer.signal, late]) });
  const chunking = toChunking({ ...pipeline.chunking, ...options.chunking }, context.method);
  const progress = progressTo(context, `rag.${pipeline.name}.ingest.progress`, options.on_progress);
  run.host.get(knowledge).base(tenant, pipeline.name);
  const result: Ingested = { documents: 0, chunks_created: 0, vectors_indexed: 0, skipped: 0, failed: [] };
  const known = (id: string, hash: string) => pipeline.base.settings !== undefined && pipeline.base.get(id)?.hash === hash;
  let total = documents.length;
  const counted = (count: number) => {
    total = count;
    progress.report(0, total);
  };
  try {
    for await (const one of prepare(context, documents, { chunking, embedder, tenant, known, counted })) {
      await breathe(context.run.cpu);
      context.signal.throwIfAborted();
      if ('error' in one) {
        const { index, source, error } = one;
        result.failed.push({ index: index + first, ...(source !== undefined && { source }), error: error.message });
      } else if ('passedOver' in one) {
        result.passed_over ??= [];
        result.passed_over.push({ index: one.index + first, ...one.passedOver });
        continue;
      } else if ('skipped' in one) result.skipped++;
      else {
        checkQuota(context, pipeline, one.document);
        const { settings } = pipeline.base;
        // A base whose documents were all deleted may be made with another model.
        const same = settings?.embedder === pipeline.embedder && settings.metric === pipeline.storage.metric;
        // A provider may change how long its vectors are.
        if (!same || settings.dimensions !== one.document.chunks[0]?.vector.length) await configure(pipeline, one.document);
        const what = await pipeline.base.put(one.document, run.now());
        if (what === 'skipped') result.skipped++;
        else {
          result.documents++;
          result.chunks_created += one.document.chunks.length;
          result.vectors_indexed += one.document.chunks.length;
        }
      }
      progress.report(result.documents + result.skipped + result.failed.length, total);
    }
  } catch (error) {
    if (late.aborted && !outer.signal.aborted)
      throw new ScriptError(
        'TIMEOUT',
        `${outer.method}: took longer than rag.ingest_timeout_ms = ${limits.ingest_timeout_ms}; ${result.documents} documents were stored`,
      );
    throw error;
  }
  await progress.end();
  return result;
}

async function configure({ base, embedder, storage, chunking }: Pipeline, { chunks }: PreparedDocument): Promise<void> {
  const dimensions = chunks[0]?.vector.length;
  if (dimensions !== undefined) await base.configure({ ...storage, embedder, dimensions, chunking });
}

/** Throws LIMIT_EXCEEDED when a document would not fit what the tenant may keep in all its knowledge bases. */
function checkQuota(context: Context, { tenant, base }: Pipeline, { id, text }: PreparedDocument): void {
  const { max_documents, max_mb } = context.run.host.config.rag;
  const { documents, bytes } = context.run.host.get(knowledge).totals(tenant);
  const old = base.settings && base.get(id);
  if (!old && documents >= max_documents)
    throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: the tenant ${tenant} has rag.max_documents = ${max_documents} already`);
  if (bytes - (old?.size ?? 0) + Buffer.byteLength(text) > max_mb * 2 ** 20)
    throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: the knowledge of the tenant ${tenant} would be larger than rag.max_mb = ${max_mb}`);
}

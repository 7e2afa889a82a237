import { dirname, resolve } from 'node:path';
import type { Context, Grants } from '../call/context.ts';
import { fromJsonText } from '../call/json.ts';
import type { ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { answer } from '../rag/answer.ts';
import { ingest } from '../rag/ingest.ts';
import type { Filter, Hit } from '../rag/knowledge.ts';
import { openPipeline, type Pipeline } from '../rag/pipeline.ts';
import { retrieve } from '../rag/retrieve.ts';
import { deleteDocuments, listDocuments, rebuild, statsOf } from '../rag/upkeep.ts';
import { print, printTable, time, warn, withTenant } from './data.ts';
import type { DataFlags } from './nouns.ts';
import { progressLine } from './progress.ts';
import { EXIT, jsonText } from './report.ts';
import { bold, snippet } from './snippet.ts';

export type RagFlags = DataFlags & { readonly base?: string };
export type IngestFlags = RagFlags & {
  readonly strategy?: string;
  readonly chunkSize?: number;
  readonly overlap?: number;
  readonly embedding?: string;
  readonly progress?: boolean;
};
type QueryFlags = RagFlags & { readonly top?: number; readonly filter?: string };
export type SearchFlags = QueryFlags & { readonly mode?: 'hybrid' | 'vector' | 'keyword'; readonly rerank?: boolean };
export type AnswerFlags = QueryFlags & { readonly model?: string };
export type ListFlags = RagFlags & { readonly filter?: string; readonly limit?: number };

const PATTERN = /[*?{[]/;
/** What scores less bears nothing on the question. */
const LEAST_SCORE = 0.0005;

/** Ingests files, folders, patterns and addresses; the status is 1 when some document failed, 130 after Ctrl-C, which leaves whole documents. */
export function ingestPaths(paths: readonly string[], flags: IngestFlags): Promise<number> {
  const addresses = paths.filter(isAddress);
  const grants = { read: readable(paths), net: addresses.map((one) => new URL(one).host) };
  let failed = false;
  const work = async (context: Context) => {
    const pipeline = open(context, flags, flags.embedding);
    const line = progressLine(flags.progress);
    const { strategy, chunkSize: chunk_size, overlap } = flags;
    try {
      const documents = paths.map((path) => ({ metadata: {}, ...(isAddress(path) ? { url: path } : { file_path: path }) }));
      const done = await ingest(context, pipeline, documents, { chunking: { strategy, chunk_size, overlap }, on_progress: line.callback });
      line.clear();
      failed = done.failed.length > 0;
      if (flags.json) return print(jsonText(done));
      print(`${counted(done.documents, 'document')} stored, ${counted(done.chunks_created, 'chunk')}; ${done.skipped} were known already`);
      for (const { source, reason } of done.passed_over ?? []) warn(`passed over: ${source}: ${reason}`);
      for (const { error } of done.failed) warn(`failed: ${error.replace(/^rag ingest: /, '')}`);
    } finally {
      line.clear();
    }
  };
  return interruptible(flags, 'rag ingest', work, { makes: true, grants }, () => failed);
}

/** Prints the passages that answer a query best. */
export function searchBase(query: string, flags: SearchFlags): Promise<number> {
  return inBase(flags, 'rag search', async (context, pipeline) => {
    const { top: top_k, mode, rerank } = flags;
    const hits = await retrieve(context, pipeline, { query, top_k, mode, rerank, metadata_filters: filterOf(flags) });
    if (flags.json) return print(jsonText(hits.map(plain)));
    const bearing = hits.filter(({ score }) => Math.abs(score) >= LEAST_SCORE);
    if (bearing.length === 0) print('nothing was found');
    for (const [at, hit] of bearing.entries()) {
      print(`${at === 0 ? '' : '\n'}${bold(String(at + 1))}  ${placeOf(hit)}  ${hit.score.toFixed(3)}`);
      for (const text of snippet(hit.chunk.text.replace(/^#{1,6} .*\n+/, ''), query)) print(`   ${text}`);
    }
  });
}

/** Prints an answer from the passages, and where they stand. */
export function answerQuestion(question: string, flags: AnswerFlags): Promise<number> {
  return inBase(flags, 'rag answer', async (context, pipeline) => {
    const { top: top_k, model } = flags;
    const { output, citations, quotations, usage, ...rest } = await answer(context, pipeline, {
      query: question,
      top_k,
      model,
      metadata_filters: filterOf(flags),
    });
    if (flags.json) return print(jsonText({ output, citations, quotations, usage, model: rest.model, cost_usd: rest.cost_usd }));
    print(output);
    if (citations.length > 0) print('');
    for (const { number, source, heading } of citations) print(`[${number}] ${heading === '' ? source : `${source} › ${heading}`}`);
  });
}

/** Prints the documents of a base. */
export function listBase(flags: ListFlags): Promise<number> {
  return inBase(flags, 'rag list', async (context, pipeline) => {
    const found = listDocuments(context, pipeline, { metadata_filters: filterOf(flags), limit: flags.limit });
    if (flags.json) return print(jsonText(found));
    printTable(
      found.map((one) => [one.document_id, one.format, counted(one.chunk_count, 'chunk'), `${one.size} bytes`, `v${one.version}`, time(one.updated_at)]),
      'documents',
    );
  });
}

/** Deletes documents by id; an id that is not there is an error, after the others are gone. */
export function deleteFromBase(ids: readonly string[], flags: RagFlags): Promise<number> {
  return inBase(flags, 'rag delete', async (context, pipeline) => {
    const missing = ids.filter((id) => pipeline.base.get(id) === undefined);
    const deleted = await deleteDocuments(context, pipeline, { document_ids: ids });
    if (missing.length > 0)
      throw new ScriptError('NOT_FOUND', `there is no document ${missing.join(', ')} in the knowledge base ${pipeline.name}; deleted ${deleted}`);
    print(flags.json ? jsonText({ deleted }) : `deleted ${counted(deleted, 'document')}`);
  });
}

/** Prints how much a base holds. */
export function showStats(flags: RagFlags): Promise<number> {
  return inBase(flags, 'rag stats', async (context, pipeline) => {
    const { avg_retrieval_time: _, retrievals: __, ...stats } = statsOf(context, pipeline);
    if (flags.json) return print(jsonText(stats));
    const { index } = stats;
    printTable([
      ['documents', String(stats.document_count)],
      ['chunks', String(stats.chunk_count)],
      ['storage', `${stats.storage_size_mb.toFixed(2)} MB`],
      ['embeddings', `${stats.embedding_provider}, ${stats.dimensions} dimensions`],
      ['index', index.kind === 'flat' ? 'none; search is exact' : `${index.kind}, ${index.state}, ${index.entries} entries`],
    ]);
  });
}

/** Makes the index of a base anew. */
export function rebuildBase(flags: RagFlags & { progress?: boolean }): Promise<number> {
  const line = progressLine(flags.progress);
  const work = async (context: Context) => {
    const pipeline = stored(context, flags);
    try {
      await rebuild(context, pipeline, line.callback);
    } finally {
      line.clear();
    }
    const { index } = statsOf(context, pipeline);
    print(flags.json ? jsonText({ index }) : index.kind === 'flat' ? 'no index is needed; search is exact' : `the index has ${index.entries} entries`);
  };
  return interruptible(flags, 'rag rebuild', work);
}

function inBase(flags: RagFlags, method: string, work: (context: Context, pipeline: Pipeline) => Promise<void>): Promise<number> {
  return interruptible(flags, method, (context) => work(context, stored(context, flags)));
}

/** The first Ctrl-C cancels the work, which ends between two documents; a second one ends the process. */
async function interruptible(
  flags: RagFlags,
  method: string,
  work: (context: Context) => Promise<void>,
  options: { makes?: boolean; grants?: Partial<Grants> } = {},
  failed = () => false,
): Promise<number> {
  const abort = new AbortController();
  const interrupt = () => {
    if (abort.signal.aborted) process.exit(EXIT.interrupted);
    abort.abort(new ScriptError('CANCELLED', 'interrupted; what was stored is whole'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    // Whoever types the command chooses the model; the network is what the paths name, and the models' own.
    const grants = { models: ['*'], ...options.grants };
    const status = await withTenant(flags, method, (context) => work(context.with({ signal: abort.signal })), { ...options, grants });
    if (abort.signal.aborted && status !== 0) return EXIT.interrupted;
    return status === 0 && failed() ? EXIT.failed : status;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

function open(context: Context, { tenant = 'default', base = 'main' }: RagFlags, embedder?: string): Pipeline {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(base))
    throw new ScriptError('BAD_ARGUMENT', `--base: expected 1 to 64 of A-Z a-z 0-9 _ -, got ${JSON.stringify(base.slice(0, 80))}`);
  return openPipeline(context, tenant, { tenant, name: base, chunking: undefined, embedder, storage: {} });
}

/** A base that holds something or once did. */
function stored(context: Context, flags: RagFlags): Pipeline {
  const pipeline = open(context, flags);
  if (pipeline.base.settings === undefined)
    throw new ScriptError('NOT_FOUND', `there is no knowledge base ${pipeline.name} of the tenant ${pipeline.tenant}; llmspell rag ingest makes it`);
  return pipeline;
}

function filterOf({ filter }: { filter?: string }): Filter | undefined {
  if (filter === undefined) return undefined;
  let value: unknown;
  try {
    value = fromJsonText(filter);
  } catch {
    // Said below.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ScriptError('BAD_ARGUMENT', `--filter: expected a JSON object such as {"kind": "manual"}, got ${JSON.stringify(filter.slice(0, 60))}`);
  return value as ValueMap;
}

/** Relative paths are looked for in the current folder; beside it, what the paths name may be read. */
function readable(paths: readonly string[]): string[] {
  const named = paths
    .filter((path) => !isAddress(path))
    .map((path) => {
      const parts = path.split('/');
      const first = parts.findIndex((part) => PATTERN.test(part));
      return resolve(first < 0 ? path : parts.slice(0, first).join('/') || (path.startsWith('/') ? '/' : '.'));
    });
  return [process.cwd(), ...named, ...named.map((path) => dirname(path))];
}

function isAddress(path: string): boolean {
  return /^https?:\/\//i.test(path) && URL.canParse(path);
}

function plain({ chunk, document, score, similarity }: Hit) {
  const { id: document_id, source, metadata } = document;
  return { document_id, source, headings: chunk.headings ?? [], content: chunk.text, score, similarity, chunk_index: chunk.index, metadata };
}

function placeOf({ chunk, document }: Hit): string {
  return [document.source ?? document.id, ...(chunk.headings ?? [])].join(' › ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

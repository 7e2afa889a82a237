import { breathe } from '../call/breath.ts';
import { encode } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { createHash } from '../call/digest.ts';
import type { ValueMap } from '../call/value.ts';
import type { ReadDocument } from '../document/document.ts';
import { readDocument } from '../document/read.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { embeddings } from '../model/embeddings.ts';
import { chunk } from './chunk/chunk.ts';
import type { Chunking } from './chunk/chunker.ts';
import { embedTexts } from './embed.ts';
import type { Chunk, PreparedDocument } from './knowledge.ts';
import type { DocumentInput } from './schemas.ts';
import { type DocumentSource, type PassedOver, sourcesOf } from './sources.ts';
import { checkMetadata } from './store/fields.ts';

export interface PrepareOptions {
  readonly chunking: Chunking;
  /** The embedding model, `local/words`, `local/hash` or `provider/model`. */
  readonly embedder: string;
  /** Whose cache keeps the vectors; the run's own tenant if not given. */
  readonly tenant?: string | undefined;
  /** Whether a document of this id and hash is stored already: it is then neither chunked nor embedded. */
  readonly known?: ((id: string, hash: string) => boolean) | undefined;
  /** Told once how many documents the inputs name. */
  readonly counted?: ((documents: number) => void) | undefined;
}

/** What became of one document; `index` is that of the input, from 0, which may name many. */
export type Prepared =
  | { readonly index: number; readonly document: PreparedDocument }
  | { readonly index: number; readonly skipped: { readonly id: string; readonly hash: string } }
  | { readonly index: number; readonly source: string | undefined; readonly error: ScriptError }
  | { readonly index: number; readonly passedOver: PassedOver };

/** Documents that are under way at once, so that their waits overlap. */
const AHEAD = 4;

/** Documents ready to be stored, in order, as they are asked for; a bad one fails alone. Cancellation and a model that is refused or out of order end it. */
export async function* prepare(context: Context, inputs: readonly DocumentInput[], options: PrepareOptions): AsyncGenerator<Prepared> {
  context.run.host.get(embeddings).check(context, options.embedder);
  const abort = new AbortController();
  const inside = context.with({ signal: AbortSignal.any([context.signal, abort.signal]) });
  const begun: Promise<Ended>[] = [];
  try {
    const all = await allSources(inside, inputs);
    options.counted?.(all.filter(([, source]) => !('reason' in source)).length);
    for (const [index, source] of all) {
      if ('reason' in source) {
        yield { index, passedOver: source };
        continue;
      }
      begun.push(ended(index, source.source, 'failed' in source ? Promise.reject(source.failed) : prepareDocument(inside, source, options)));
      if (begun.length === AHEAD) yield told(context, await (begun.shift() as Promise<Ended>));
    }
    for (const one of begun) yield told(context, await one);
  } finally {
    abort.abort(new ScriptError('CANCELLED', 'the documents are no longer wanted'));
  }
}

interface Ended {
  readonly index: number;
  readonly source: string | undefined;
  readonly made?: PreparedDocument | { readonly id: string; readonly hash: string };
  readonly error?: unknown;
}

/** The work's result or failure as data: nobody may be waiting for it yet. */
function ended(index: number, source: string | undefined, work: Promise<PreparedDocument | { id: string; hash: string }>): Promise<Ended> {
  return work.then(
    (made) => ({ index, source, made }),
    (error: unknown) => ({ index, source, error }),
  );
}

function told(context: Context, { index, source, made, error }: Ended): Prepared {
  if (!made) return { index, source, error: failure(context, error) };
  return 'chunks' in made ? { index, document: made } : { index, skipped: made };
}

type Found = DocumentSource | PassedOver | { readonly source: string | undefined; readonly failed: unknown };

/** The documents of all inputs, or why an input names none. */
async function allSources(context: Context, inputs: readonly DocumentInput[]): Promise<[index: number, Found][]> {
  const all: [number, Found][] = [];
  for (const [index, input] of inputs.entries()) {
    try {
      for (const source of await sourcesOf(context, input)) all.push([index, source]);
    } catch (failed) {
      all.push([index, { source: input.file_path ?? input.url, failed }]);
    }
  }
  return all;
}

/** One document: read, chunked, embedded. Gives its id and hash alone when that version is known. */
export async function prepareDocument(
  context: Context,
  source: DocumentSource,
  options: PrepareOptions,
): Promise<PreparedDocument | { id: string; hash: string }> {
  const { embedder, known, tenant = context.run.tenant } = options;
  const { signal, method, run } = context;
  await breathe(run.cpu);
  const given = await source.open();
  const read: ReadDocument = 'text' in given ? { text: given.text, format: 'text' } : await readDocument(given, { signal, method, run });
  if (read.text.trim() === '')
    throw new ScriptError('TOOL_FAILED', `${method}: ${source.source ?? 'the document'}: it is empty`, { details: { outcome: 'failed', retryable: false } });
  const metadata: ValueMap = { ...(read.title !== undefined && { title: read.title }), ...source.metadata };
  checkMetadata(metadata, method);
  const chunking = options.chunking.by_format ? { ...options.chunking, strategy: strategyFor(read.format) } : options.chunking;
  const id = source.id ?? createHash('sha256').update(read.text).digest('hex').slice(0, 32);
  const hash = hashOf(read, metadata, chunking);
  if (known?.(id, hash)) return { id, hash };
  await breathe(run.cpu);
  const chunks = await chunk(
    read.text,
    { ...chunking, language: chunking.language ?? read.language },
    // Sentences are compared with each other: nothing sets them off from queries.
    { signal, method, run, embed: (texts) => embedTexts(context, embedder, texts, tenant, 'query') },
  );
  await breathe(run.cpu);
  const vectors = await embedTexts(context, embedder, chunks.map(embeddedText), tenant);
  return {
    id,
    hash,
    source: source.source,
    format: read.format,
    metadata,
    text: read.text,
    chunks: chunks.map((one, at) => ({ ...one, vector: vectors[at] as Float32Array })),
  };
}

/** HTML and DOCX are read as Markdown. */
function strategyFor(format: string): string {
  if (format === 'markdown' || format === 'html' || format === 'docx') return 'markdown';
  return format === 'code' ? 'code' : 'recursive';
}

/** What a chunk's vector is made of: its text under the headings that it does not show itself. */
export function embeddedText({ text, headings = [] }: Chunk): string {
  const missing = headings.filter((heading) => !text.includes(heading));
  return missing.length === 0 ? text : `${missing.join(' › ')}\n\n${text}`;
}

function hashOf({ text, format }: ReadDocument, metadata: ValueMap, chunking: Chunking): string {
  const { strategy, size, overlap, language = '', breakpoint_percentile } = chunking;
  return createHash('sha256')
    .update(encode([format, metadata, strategy, size, overlap, language, breakpoint_percentile]))
    .update(text)
    .digest('hex');
}

/** What a provider says of one text, not of all. */
const OF_THE_TEXT = [400, 413, 422];

/** The document's own failure; what concerns the whole call is thrown on. */
function failure(context: Context, error: unknown): ScriptError {
  if (context.signal.aborted) throw error;
  const failed = asScriptError(error);
  const general = failed.code === 'MODEL_FAILED' && !OF_THE_TEXT.includes(failed.details?.status as number);
  if (general || failed.code === 'BAD_CONFIG' || failed.code === 'INTERNAL') throw failed;
  return failed;
}

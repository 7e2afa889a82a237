import { createHash } from 'node:crypto';
import { encode } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import type { ValueMap } from '../call/value.ts';
import type { ReadDocument } from '../document/document.ts';
import { readDocument } from '../document/read.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { embeddings } from '../model/embeddings.ts';
import { chunk } from './chunk/chunk.ts';
import type { Chunking } from './chunk/chunker.ts';
import { embedTexts } from './embed.ts';
import type { Chunk, PreparedDocument } from './knowledge.ts';
import { type DocumentInput, type DocumentSource, sourcesOf } from './sources.ts';

export interface PrepareOptions {
  readonly chunking: Chunking;
  /** The embedding model, `local/hash` or `provider/model`. */
  readonly embedder: string;
  /** Whose cache keeps the vectors; the run's tenant if not given. */
  readonly tenant?: string | undefined;
  /** Whether a document of this id and hash is stored already: it is then neither chunked nor embedded. */
  readonly known?: ((id: string, hash: string) => boolean) | undefined;
}

/** What became of one document; `index` is that of the input, from 0, which may name many. */
export type Prepared =
  | { readonly index: number; readonly document: PreparedDocument }
  | { readonly index: number; readonly skipped: { readonly id: string; readonly hash: string } }
  | { readonly index: number; readonly source: string | undefined; readonly error: ScriptError };

/** Documents ready to be stored, one after the other as they are asked for; a bad one fails alone. Cancellation and a model that is refused or out of order end it. */
export async function* prepare(context: Context, inputs: readonly DocumentInput[], options: PrepareOptions): AsyncGenerator<Prepared> {
  context.run.host.get(embeddings).check(context, options.embedder);
  for (const [index, input] of inputs.entries()) {
    let sources: DocumentSource[];
    try {
      sources = sourcesOf(context, input);
    } catch (error) {
      yield { index, source: input.file_path ?? input.url, error: failure(context, error) };
      continue;
    }
    for (const source of sources) {
      try {
        const made = await prepareDocument(context, source, options);
        yield 'chunks' in made ? { index, document: made } : { index, skipped: made };
      } catch (error) {
        yield { index, source: source.source, error: failure(context, error) };
      }
    }
  }
}

/** One document: read, chunked, embedded. Gives its id and hash alone when that version is known. */
export async function prepareDocument(
  context: Context,
  source: DocumentSource,
  options: PrepareOptions,
): Promise<PreparedDocument | { id: string; hash: string }> {
  const { chunking, embedder, tenant, known } = options;
  const { signal, method } = context;
  const given = await source.open();
  const read: ReadDocument = 'text' in given ? { text: given.text, format: 'text' } : await readDocument(given, { signal, method });
  if (read.text.trim() === '')
    throw new ScriptError('TOOL_FAILED', `${method}: ${source.source ?? 'the document'}: it is empty`, { details: { outcome: 'failed', retryable: false } });
  const metadata: ValueMap = { ...(read.title !== undefined && { title: read.title }), ...source.metadata };
  const id = source.id ?? createHash('sha256').update(read.text).digest('hex').slice(0, 32);
  const hash = hashOf(read, metadata, chunking);
  if (known?.(id, hash)) return { id, hash };
  const chunks = await chunk(
    read.text,
    { ...chunking, language: chunking.language ?? read.language },
    { signal, method, embed: (texts) => embedTexts(context, embedder, texts, tenant) },
  );
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

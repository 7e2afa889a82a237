import { breathe } from '../call/breath.ts';
import type { Context } from '../call/context.ts';
import { MAX_CONTEXT_TOKENS } from './answer.ts';
import { assemble, type Citation } from './assemble.ts';
import type { Hit } from './knowledge.ts';
import type { Pipeline } from './pipeline.ts';
import type { Quotation } from './quotations.ts';

interface Span {
  readonly start: number;
  readonly stop: number;
}

/** Units after which the bytes of a text are counted on from. */
const COUNTED = 4_096;

/** The texts of documents, each read once. */
function textsOf({ base }: Pipeline): (documentId: string) => string {
  const texts = new Map<string, string>();
  return (id) => {
    const text = texts.get(id) ?? base.text(id) ?? '';
    texts.set(id, text);
    return text;
  };
}

/** Turns places in documents into what the script's language counts: bytes from 1, both ends included, for `string.sub`; units from 0 for `slice`. */
function spans(context: Context, text: (documentId: string) => string): (documentId: string, span: Span) => Span {
  if (context.run.language === 'javascript') return (_, span) => span;
  const counts = new Map<string, (at: number) => number>();
  return (id, { start, stop }) => {
    const count = counts.get(id) ?? bytesBefore(text(id));
    counts.set(id, count);
    return { start: count(start) + 1, stop: count(stop) };
  };
}

/** How many bytes of UTF-8 stand before a place of a text; many places of a long text are asked for. */
function bytesBefore(text: string): (at: number) => number {
  const marks = [0];
  // Not between the halves of a surrogate pair, which count as four bytes together and as six apart.
  const place = (mark: number) => mark * COUNTED - Number(/^[\ud800-\udbff][\udc00-\udfff]/.test(text.slice(mark * COUNTED - 1, mark * COUNTED + 1)));
  const bytes = (mark: number, to: number) => (marks[mark] as number) + Buffer.byteLength(text.slice(place(mark), to));
  return (at) => {
    const mark = Math.floor(at / COUNTED);
    while (marks.length <= mark) marks.push(bytes(marks.length - 1, place(marks.length)));
    return bytes(mark, at);
  };
}

/** Hits as scripts see them; with `neighbors`, each with the text around it. */
export async function chunksFor(context: Context, pipeline: Pipeline, hits: readonly Hit[], neighbors = 0) {
  const text = textsOf(pipeline);
  const span = spans(context, text);
  const chunks = [];
  for (const { chunk, document, score, similarity } of hits) {
    chunks.push({
      content: chunk.text,
      ...(similarity !== undefined && { similarity }),
      score,
      metadata: { ...document.metadata, document_id: document.id },
      document_id: document.id,
      ...(document.source !== undefined && { source: document.source }),
      headings: [...(chunk.headings ?? [])],
      chunk_index: chunk.index,
      offset: span(document.id, { start: chunk.start, stop: chunk.stop }),
      ...(neighbors > 0 && { surrounding: surrounding(pipeline, text(document.id), document.id, chunk.index, neighbors) }),
    });
    await breathe(context.run.cpu);
  }
  return chunks;
}

function surrounding({ base }: Pipeline, text: string, id: string, index: number, neighbors: number): string {
  const around = base.chunks(id, index - neighbors, index + neighbors);
  return text.slice(around[0]?.start, around.at(-1)?.stop);
}

/** The assembled context of hits with its citations. */
export function contextFor(context: Context, pipeline: Pipeline, hits: readonly Hit[], maxTokens = MAX_CONTEXT_TOKENS) {
  const { text, citations, truncated } = assemble(hits, maxTokens);
  return { context: text, citations: citationsFor(context, pipeline, citations), truncated };
}

export function citationsFor(context: Context, pipeline: Pipeline, citations: readonly Citation[]) {
  const span = spans(context, textsOf(pipeline));
  return citations.map(({ start, stop, ...citation }) => ({ ...citation, offset: span(citation.document_id, { start, stop }) }));
}

export function quotationsFor(context: Context, pipeline: Pipeline, quotations: readonly Quotation[]) {
  const span = spans(context, textsOf(pipeline));
  return quotations.map(({ start, stop, ...quotation }) => ({
    ...quotation,
    ...(start !== undefined && stop !== undefined && quotation.document_id !== undefined && { offset: span(quotation.document_id, { start, stop }) }),
  }));
}

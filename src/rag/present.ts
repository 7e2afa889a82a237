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

/** Turns places in documents into what the script's language counts: bytes from 1, both ends included, for `string.sub`; units from 0 for `slice`. */
function spans(context: Context, { base }: Pipeline): (documentId: string, span: Span) => Span {
  if (context.run.language === 'javascript') return (_, span) => span;
  const texts = new Map<string, string>();
  return (id, { start, stop }) => {
    const text = texts.get(id) ?? base.text(id) ?? '';
    texts.set(id, text);
    const before = Buffer.byteLength(text.slice(0, start));
    return { start: before + 1, stop: before + Buffer.byteLength(text.slice(start, stop)) };
  };
}

/** Hits as scripts see them; with `neighbors`, each with the text around it. */
export function chunksFor(context: Context, pipeline: Pipeline, hits: readonly Hit[], neighbors = 0) {
  const span = spans(context, pipeline);
  return hits.map(({ chunk, document, score, similarity }) => ({
    content: chunk.text,
    ...(similarity !== undefined && { similarity }),
    score,
    metadata: { ...document.metadata, document_id: document.id },
    document_id: document.id,
    ...(document.source !== undefined && { source: document.source }),
    headings: [...(chunk.headings ?? [])],
    chunk_index: chunk.index,
    offset: span(document.id, { start: chunk.start, stop: chunk.stop }),
    ...(neighbors > 0 && { surrounding: surrounding(pipeline, document.id, chunk.index, neighbors) }),
  }));
}

function surrounding({ base }: Pipeline, id: string, index: number, neighbors: number): string {
  const around = base.chunks(id, index - neighbors, index + neighbors);
  return (base.text(id) ?? '').slice(around[0]?.start, around.at(-1)?.stop);
}

/** The assembled context of hits with its citations. */
export function contextFor(context: Context, pipeline: Pipeline, hits: readonly Hit[], maxTokens = MAX_CONTEXT_TOKENS) {
  const { text, citations, truncated } = assemble(hits, maxTokens);
  return { context: text, citations: citationsFor(context, pipeline, citations), truncated };
}

export function citationsFor(context: Context, pipeline: Pipeline, citations: readonly Citation[]) {
  const span = spans(context, pipeline);
  return citations.map(({ start, stop, ...citation }) => ({ ...citation, offset: span(citation.document_id, { start, stop }) }));
}

export function quotationsFor(context: Context, pipeline: Pipeline, quotations: readonly Quotation[]) {
  const span = spans(context, pipeline);
  return quotations.map(({ start, stop, ...quotation }) => ({
    ...quotation,
    ...(start !== undefined && stop !== undefined && quotation.document_id !== undefined && { offset: span(quotation.document_id, { start, stop }) }),
  }));
}

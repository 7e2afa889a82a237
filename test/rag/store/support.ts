import type { ValueMap } from '../../../src/call/value.ts';
import type { KnowledgeSettings, PreparedDocument } from '../../../src/rag/knowledge.ts';

/** Settings of a base whose vectors have few dimensions. */
export function settings(changes: Partial<KnowledgeSettings> = {}): KnowledgeSettings {
  return { embedder: 'local/hash', dimensions: 4, metric: 'cosine', backend: 'hnsw', m: 16, ef_construction: 64, ef_search: 64, ...changes };
}

/** A document of some chunks; where no vectors are given, each chunk's is made from its text. */
export function prepared(
  id: string,
  texts: readonly string[],
  more: { metadata?: ValueMap; hash?: string; vectors?: readonly Float32Array[] } = {},
): PreparedDocument {
  let start = 0;
  const chunks = texts.map((text, index) => {
    const chunk = {
      index,
      text,
      start,
      stop: start + text.length,
      headings: index % 2 ? ['Part', `${index}`] : undefined,
      vector: more.vectors?.[index] ?? vectorOf(text),
    };
    start += text.length;
    return chunk;
  });
  return {
    id,
    hash: more.hash ?? texts.join('|') + JSON.stringify(more.metadata ?? {}),
    format: 'text',
    source: `${id}.txt`,
    metadata: more.metadata ?? {},
    text: texts.join(''),
    chunks,
  };
}

/** Four numbers that the same text gives again. */
export function vectorOf(text: string): Float32Array {
  const vector = Float32Array.of(1, 0, 0, 0);
  for (let at = 0; at < text.length; at++) vector[1 + (at % 3)] = ((vector[1 + (at % 3)] as number) * 31 + text.charCodeAt(at)) % 97;
  return vector;
}

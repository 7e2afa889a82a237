import { describe, expect, it } from 'vitest';
import { withConversation } from '../../src/rag/converse.ts';
import type { Hit } from '../../src/rag/knowledge.ts';
import { rerank } from '../../src/rag/rerank.ts';

const hit = (id: string, text: string, score = 1): Hit =>
  ({ chunk: { index: 0, text, start: 0, stop: text.length }, document: { id, metadata: {} }, score }) as unknown as Hit;
const filler = (count: number) => Array.from({ length: count }, (_, at) => `filler${at}`).join(' ');
const order = (hits: readonly Hit[]) => hits.map(({ document }) => document.id);

describe('ordering passages anew', () => {
  const hits = [hit('first', 'a harbour'), hit('second', 'the lighthouse')];

  it('reads the first 128 words of a query, so that a long one costs no more', () => {
    expect(order(rerank(`${filler(20)} lighthouse`, hits))).toEqual(['second', 'first']);
    expect(order(rerank(`${filler(200)} lighthouse`, hits))).toEqual(['first', 'second']);
  });

  it('reads the first 256 words of a conversation', async () => {
    const widened = (words: number) =>
      withConversation('x', { turns: [filler(words), 'lighthouse'], context_boost: 10 })?.(
        [hit('first', 'a harbour'), hit('second', 'the lighthouse', 0.9)],
        async () => [],
      );
    const scores = async (words: number) => (await widened(words))?.map(({ document, score }) => [document.id, score]);
    const plain = Object.fromEntries((await scores(300)) ?? []);
    const boosted = Object.fromEntries((await scores(2)) ?? []);
    expect(plain.second).toBeLessThan(plain.first);
    expect(boosted.second).toBeGreaterThan(boosted.first);
  });
});

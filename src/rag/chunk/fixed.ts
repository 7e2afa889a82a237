import type { Chunker } from './chunker.ts';

/** As many words as fit, whatever they say. */
export const fixed: Chunker = {
  doc: 'as many words as fit',
  pieces: (text) => [{ start: 0, stop: text.length }],
};

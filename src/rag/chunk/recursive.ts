import type { Chunker } from './chunker.ts';
import { fit } from './measure.ts';
import type { Piece } from './pack.ts';
import { sentences } from './sentence.ts';
import { isBlank, lines, paragraphs, type Split } from './split.ts';

/** From the coarsest to the finest; what is still too large is cut between words. */
const LEVELS: readonly Split[] = [paragraphs, lines, sentences];

/** Where lines are what matters, and paragraphs are known already. */
export const LINES = 1;

/** A part of the text as it is if it fits into a chunk, else divided at blank lines, then lines, then sentences. */
export function* divide(text: string, start: number, stop: number, size: number, level = 0): Generator<Piece> {
  const split = LEVELS[level];
  const { at, tokens } = fit(text, start, stop, size);
  if (!split || at >= stop || (tokens === 0 && isBlank(text, at, stop))) yield { start, stop };
  else for (const part of split(text, start, stop)) yield* divide(text, part.start, part.stop, size, level + 1);
}

/** Paragraphs as far as they fit, then lines, then sentences. */
export const recursive: Chunker = {
  doc: 'paragraphs as far as they fit, then lines, sentences and words',
  pieces: (text, { size }) => divide(text, 0, text.length, size),
};

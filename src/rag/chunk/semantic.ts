import type { Chunker } from './chunker.ts';
import { fit } from './measure.ts';
import type { Piece } from './pack.ts';
import { divide } from './recursive.ts';
import { sentences } from './sentence.ts';

/** Sentences before and after a gap that are compared. */
const WINDOW = 3;
/** A topic has so many sentences at least. */
const SHORTEST_TOPIC = 2;
/** Of a longer text several sentences at a time are embedded. */
const MOST_EMBEDDED = 10_000;

/**
 * Sentences as long as they speak of the same. Each gap between two sentences is measured by the distance of the windows before and after it, as in
 * TextTiling (Hearst 1997) with embeddings in place of word counts; gaps above a percentile of all distances begin a new chunk (Kamradt, 5 Levels of
 * Text Splitting, 2024).
 */
export const semantic: Chunker = {
  doc: 'sentences that speak of the same, by their embeddings',
  *pieces(text, { size }) {
    for (const { start, stop } of sentences(text, 0, text.length)) {
      if (fit(text, start, stop, size).at >= stop) yield { start, stop };
      else yield* divide(text, start, stop, size);
    }
  },
  async refine(text, sentences, { breakpoint_percentile }, embed, signal) {
    const pieces = sentences.length > MOST_EMBEDDED ? joined(sentences, Math.ceil(sentences.length / MOST_EMBEDDED)) : sentences;
    if (pieces.length <= 2) return [...pieces];
    const vectors = await embed(
      pieces.map(({ start, stop }) => text.slice(start, stop).trim() || '-'),
      signal,
    );
    const distances = gapDistances(vectors);
    const bar = percentile(distances, breakpoint_percentile);
    let begun = 0;
    return pieces.map((piece, at): Piece => {
      const distance = distances[at - 1];
      const peak = distance !== undefined && distance > bar && distance >= (distances[at - 2] ?? 0) && distance >= (distances[at] ?? 0);
      if (!peak || at - begun < SHORTEST_TOPIC) return piece;
      begun = at;
      return { ...piece, hard: true };
    });
  },
};

/** So many pieces at a time as one. */
function joined(pieces: readonly Piece[], count: number): Piece[] {
  const all: Piece[] = [];
  for (let at = 0; at < pieces.length; at += count) {
    const [first, last] = [pieces[at], pieces[Math.min(at + count, pieces.length) - 1]];
    if (first && last) all.push({ start: first.start, stop: last.stop });
  }
  return all;
}

/** 1 − cosine of the mean vectors before and after each gap. */
export function gapDistances(vectors: readonly Float32Array[]): number[] {
  const distances: number[] = [];
  for (let gap = 1; gap < vectors.length; gap++) {
    const before = sum(vectors, Math.max(0, gap - WINDOW), gap);
    const after = sum(vectors, gap, Math.min(vectors.length, gap + WINDOW));
    const length = Math.sqrt(dot(before, before) * dot(after, after));
    distances.push(length === 0 ? 1 : 1 - dot(before, after) / length);
  }
  return distances;
}

function sum(vectors: readonly Float32Array[], from: number, to: number): Float64Array {
  const total = new Float64Array(vectors[from]?.length ?? 0);
  for (let at = from; at < to; at++) for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (vectors[at]?.[i] ?? 0);
  return total;
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i] ?? 0) * (b[i] ?? 0);
  return total;
}

/** The value that so many per cent of all do not exceed, between two values in proportion. */
function percentile(values: readonly number[], per_cent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = ((sorted.length - 1) * per_cent) / 100;
  const below = sorted[Math.floor(place)] ?? 0;
  return below + ((sorted[Math.ceil(place)] ?? below) - below) * (place % 1);
}

import type { Soon } from '../../call/soon.ts';
import type { Piece } from './pack.ts';

/** How a text is chunked, every option decided. */
export interface Chunking {
  readonly strategy: string;
  /** None was asked for: a document of a format that has a better one takes that. */
  readonly by_format?: true | undefined;
  /** Most tokens of a chunk, as `countTokens` counts them. */
  readonly size: number;
  /** Most tokens that a chunk repeats of the one before. */
  readonly overlap: number;
  /** The programming language, for `code`; undefined is told from nothing and takes what most languages share. */
  readonly language?: string | undefined;
  /** `semantic` begins a chunk where the distance of what stands before and after is above this percentile of all distances. */
  readonly breakpoint_percentile: number;
}

/** Vectors of texts, of length 1. */
export type Embed = (texts: readonly string[], signal: AbortSignal) => Promise<Float32Array[]>;

/** One way to chunk: the pieces that belong together, which are then packed into chunks. */
export interface Chunker {
  readonly doc: string;
  /** Chunks keep the blanks at the start of their first line. */
  readonly indented?: true;
  /** The pieces of a text, from its start to its end without gaps; larger ones than a chunk are cut between words. */
  pieces(text: string, chunking: Chunking): Iterable<Piece>;
  /** What needs embeddings changes the pieces afterwards. */
  refine?(text: string, pieces: readonly Piece[], chunking: Chunking, embed: Embed, signal: AbortSignal): Soon<Piece[]>;
}

// What the pool's threads do for large texts.
import type { Chunk } from '../knowledge.ts';
import type { Chunking } from './chunker.ts';
import { CHUNKERS } from './index.ts';
import { type Piece, pack } from './pack.ts';

export interface ChunkTask {
  readonly text: string;
  readonly chunking: Chunking;
  /** The pieces if they are known already. */
  readonly pieces?: readonly Piece[] | undefined;
  /** Whether the pieces are wanted, in place of the chunks. */
  readonly only_pieces?: boolean | undefined;
}

/** The pieces of a text, or its chunks. */
export function run({ text, chunking, pieces, only_pieces }: ChunkTask): Piece[] | Chunk[] {
  const chunker = CHUNKERS.get(chunking.strategy);
  if (!chunker) throw new Error(`no chunker ${chunking.strategy}`);
  const found = pieces ?? chunker.pieces(text, chunking);
  return only_pieces ? [...found] : pack(text, found, { ...chunking, indented: chunker.indented });
}

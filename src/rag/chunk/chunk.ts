import { quoted } from '../../call/check/failure.ts';
import { ScriptError } from '../../errors.ts';
import { nearest } from '../../nearest.ts';
import { inWorker } from '../../worker/pool.ts';
import type { WorkOptions } from '../../worker/queue.ts';
import type { Chunk } from '../knowledge.ts';
import type { ChunkOptions } from '../schemas.ts';
import type { Chunker, Chunking, Embed } from './chunker.ts';
import { CHUNKERS } from './index.ts';
import type { Piece } from './pack.ts';
import { type ChunkTask, run as chunkHere } from './task.ts';

export const DEFAULT_CHUNK_SIZE = 512;
const MOST_CHUNK_SIZE = 100_000;
const DEFAULT_OVERLAP = 50;
const DEFAULT_PERCENTILE = 90;
/** Longer texts, in UTF-16 code units, are chunked beside the event loop. */
const LARGE = 50_000;
const TASK = new URL('./task.ts', import.meta.url);

export interface ChunkContext {
  readonly signal: AbortSignal;
  /** Who chunks it. */
  readonly run: WorkOptions['run'];
  /** What `semantic` compares sentences by. */
  readonly embed?: Embed | undefined;
  /** Stands before messages: the method. */
  readonly method?: string | undefined;
  /** Time for one text, ms. */
  readonly deadlineMs?: number | undefined;
}

/** The options with their defaults. Throws BAD_ARGUMENT for an unknown strategy, with the nearest one, and for sizes that fit nothing. */
export function toChunking(options: ChunkOptions = {}, method?: string): Chunking {
  const { strategy = 'recursive', chunk_size: size = DEFAULT_CHUNK_SIZE, language, breakpoint_percentile = DEFAULT_PERCENTILE } = options;
  const overlap = options.overlap ?? Math.min(DEFAULT_OVERLAP, Math.floor(size / 10));
  const problem = (what: string) => new ScriptError('BAD_ARGUMENT', `${method === undefined ? '' : `${method}: `}chunking.${what}`);
  if (!CHUNKERS.has(strategy)) {
    const near = nearest(strategy, CHUNKERS.keys());
    throw problem(`strategy: unknown ${quoted(strategy)}; ${near === undefined ? `there are ${[...CHUNKERS.keys()].join(', ')}` : `did you mean "${near}"?`}`);
  }
  if (!(Number.isInteger(size) && size >= 1 && size <= MOST_CHUNK_SIZE)) throw problem(`chunk_size: expected 1 to ${MOST_CHUNK_SIZE} tokens, got ${size}`);
  if (!(Number.isInteger(overlap) && overlap >= 0 && overlap <= size / 2))
    throw problem(`overlap: expected 0 to half of chunk_size, ${Math.floor(size / 2)}, got ${overlap}`);
  if (!(breakpoint_percentile > 0 && breakpoint_percentile < 100))
    throw problem(`breakpoint_percentile: expected a number between 0 and 100, got ${breakpoint_percentile}`);
  return { strategy, ...(options.strategy === undefined && { by_format: true }), size, overlap, language, breakpoint_percentile };
}

/**
 * A text in chunks: all of it but blanks, in order, none with more tokens than `chunk_size`; each is exactly the text from `start` to `stop`. Large
 * texts are chunked by a thread. Throws BAD_ARGUMENT, LIMIT_EXCEEDED for more than 100,000 chunks, TIMEOUT.
 */
export async function chunk(text: string, chunking: Chunking, context: ChunkContext): Promise<Chunk[]> {
  const { refine } = CHUNKERS.get(chunking.strategy) as Chunker;
  if (!refine) return (await work({ text, chunking }, context)) as Chunk[];
  const { embed, signal, method } = context;
  if (!embed)
    throw new ScriptError('BAD_ARGUMENT', `${method === undefined ? '' : `${method}: `}chunking.strategy: ${chunking.strategy} needs an embedding model`);
  const pieces = await refine(text, (await work({ text, chunking, only_pieces: true }, context)) as Piece[], chunking, embed, signal);
  return (await work({ text, chunking, pieces }, context)) as Chunk[];
}

function work(task: ChunkTask, { signal, run, deadlineMs = 30_000 }: ChunkContext): Piece[] | Chunk[] | Promise<Piece[] | Chunk[]> {
  return task.text.length <= LARGE ? chunkHere(task) : inWorker(TASK, task, { deadlineMs, signal, run });
}

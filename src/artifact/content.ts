import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../call/context.ts';
import { createHash } from '../call/digest.ts';
import { ScriptError } from '../errors.ts';
import { storeOf } from '../state/state.ts';
import type { Encoding, StagedContent, StagedFile, StoredContent } from '../store/artifacts.ts';
import type { BlobFiles } from '../store/blobs.ts';
import { storeFailure } from '../store/failure.ts';

/** Loaded at first use: most scripts have no artifacts. */
const zlib = () => process.getBuiltinModule('node:zlib');

/** Content up to this size lies in the database, larger in a file beside it, bytes. */
export const INLINE_BYTES = 65_536;
/** Hashing holds the event loop for no longer than a piece of this size takes, bytes. */
const PIECE_BYTES = 262_144;
/** Compressing must save this share to be worth it. */
const WORTH = 0.9;

/** Hashes and, where it helps, compresses small content. */
export function stageBytes(bytes: Uint8Array): StagedContent {
  const packed = zlib().zstdCompressSync(bytes);
  const helps = packed.length < bytes.length * WORTH;
  const data = helps ? new Uint8Array(packed) : bytes;
  return { hash: hashOf(bytes), size: bytes.length, encoding: helps ? 'zstd' : 'raw', stored: data.length, content: { data } };
}

/** Hashes, compresses where it helps, and writes large content to a file under a temporary name as it comes. Throws LIMIT_EXCEEDED beyond `most` bytes, STORE_FAILED, and what the pieces throw; then nothing stays. */
export async function stageFile(context: Context, files: BlobFiles, pieces: AsyncIterable<Uint8Array>, most: number): Promise<StagedContent> {
  const hash = createHash('sha256');
  let size = 0;
  let stored = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      context.signal.throwIfAborted();
      size += piece.length;
      if (size > most) throw tooLarge(context, `at least ${size}`, most);
      hash.update(piece);
      yield piece;
    }
  }
  async function* stored_pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      stored += piece.length;
      yield piece;
    }
  }
  const source = counted();
  const first = await firstPiece(source);
  const encoding: Encoding = zlib().zstdCompressSync(first).length < first.length * WORTH ? 'zstd' : 'raw';
  let content: StagedFile | undefined;
  try {
    const write = async (incoming: AsyncIterable<Uint8Array>) => {
      content = await files.stage(stored_pieces(incoming));
    };
    if (encoding === 'raw') await write(rest(first, source));
    else await pipeline(rest(first, source), zlib().createZstdCompress(), write);
  } catch (error) {
    content?.discard();
    throw error instanceof ScriptError || context.signal.aborted ? error : storeFailure(error);
  }
  if (!content) throw new ScriptError('INTERNAL', `${context.method}: the content was not written`);
  return { hash: hash.digest('hex'), size, encoding, stored, content };
}

/** Bytes as pieces, between which others have their turn. */
export async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield bytes.subarray(at, at + PIECE_BYTES);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The content of a small artifact. Throws STORE_FAILED that names it when the stored bytes are not what was stored. */
export function openBytes(name: string, { data, encoding, hash, size }: StoredContent): Uint8Array {
  try {
    const bytes =
      encoding === 'zstd'
        ? new Uint8Array(zlib().zstdDecompressSync(data ?? new Uint8Array(), { maxOutputLength: Math.max(1, size) }))
        : (data ?? new Uint8Array());
    if (hashOf(bytes) === hash) return bytes;
  } catch (error) {
    throw damaged(name, error);
  }
  throw damaged(name);
}

/** The content of a large artifact piece by piece. Throws STORE_FAILED that names it at the end at the latest: nothing may be believed before. */
export async function* openFile(context: Context, name: string, content: StoredContent): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  const { blobs } = storeOf(context);
  const source = Readable.from(blobs.read(content.file ?? ''), { objectMode: false });
  const decoded = content.encoding === 'zstd' ? source.compose(zlib().createZstdDecompress()) : source;
  try {
    for await (const piece of decoded as AsyncIterable<Uint8Array>) {
      context.signal.throwIfAborted();
      size += piece.length;
      if (size > content.size) throw damaged(name);
      hash.update(piece);
      yield piece;
    }
  } catch (error) {
    if (error instanceof ScriptError || context.signal.aborted || isGone(error)) throw error;
    throw isDataError(error) ? damaged(name, error) : storeFailure(error);
  }
  if (size !== content.size || hash.digest('hex') !== content.hash) throw damaged(name);
}

/** Whether a file was not there any more. */
export function isGone(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ENOENT';
}

/** The error for content that is not what was stored. */
export function damaged(name: string, cause?: unknown): ScriptError {
  return new ScriptError('STORE_FAILED', `the content of the artifact ${name} is damaged on disk (its checksum does not hold)`, { cause });
}

export function tooLarge(context: Context, found: string, most: number): ScriptError {
  return new ScriptError('LIMIT_EXCEEDED', `${context.method}: content: expected at most artifacts.max_size = ${most} bytes, got ${found}`);
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isDataError(error: unknown): boolean {
  const code = String((error as { code?: unknown } | null)?.code ?? '');
  return code.startsWith('ZSTD_') || code.startsWith('Z_') || code === 'ERR_BUFFER_TOO_LARGE';
}

/** The first bytes, enough to see whether compressing helps. */
async function firstPiece(source: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const { value, done } = await source.next();
  return done || !value ? new Uint8Array() : value;
}

async function* rest(first: Uint8Array, source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  yield* source;
}

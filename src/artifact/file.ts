import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { Context } from '../call/context.ts';
import type { ValueMap } from '../call/value.ts';
import { openForReading } from '../tool/files/access.ts';
import { type ArtifactInfo, storePieces } from './artifact.ts';

/** Stores a file that the run may read, under its own name. Throws as `storeArtifact` and the file tools do. */
export async function storeFile(context: Context, session_id: string, path: string, type: string, metadata?: ValueMap): Promise<ArtifactInfo> {
  const { fd, stats } = openForReading(context, path, 'file');
  const stream = createReadStream('', { fd, start: 0, highWaterMark: 262_144 });
  try {
    return await storePieces(context, { session_id, type, name: basename(path.replaceAll('\\', '/')), metadata }, stats.size, stream);
  } finally {
    stream.destroy();
  }
}

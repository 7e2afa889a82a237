import type { Context } from '../call/context.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { ScriptError } from '../errors.ts';
import { storeOf } from '../state/state.ts';
import type { StoredContent } from '../store/artifacts.ts';
import type { ArtifactInfo } from './artifact.ts';
import { damaged, isGone, openBytes, openFile } from './content.ts';

export interface ContentRange {
  /** From where, bytes; 0 if not given. */
  readonly offset?: number | undefined;
  /** How many bytes; to the end if not given. */
  readonly length?: number | undefined;
}

/** What a script gets of an artifact at once, bytes. */
const MOST_BYTES = 15 * 2 ** 20;

/** The content of an artifact, or part of it, after all of it was checked. Throws STORE_FAILED that names the artifact when it is damaged, LIMIT_EXCEEDED when it is too large for one value. */
export function readArtifact(
  context: Context,
  info: ArtifactInfo,
  { offset = 0, length = Math.max(0, info.size - offset) }: ContentRange = {},
): Soon<Uint8Array> {
  if (Math.min(length, info.size) > MOST_BYTES)
    throw new ScriptError(
      'LIMIT_EXCEEDED',
      `${context.method}: ${info.name} has ${info.size} bytes, more than the ${MOST_BYTES} that are given at once; give offset and length`,
    );
  return whenReady(contentOf(context, info), (content) => {
    if (content.data !== undefined) return openBytes(info.name, content).subarray(offset, offset + length);
    return collect(context, info, content, offset, length);
  });
}

/** The content piece by piece, checked as a whole before the first piece comes. Throws as `readArtifact` does. */
export async function* streamArtifact(context: Context, info: ArtifactInfo): AsyncGenerator<Uint8Array> {
  const content = await contentOf(context, info);
  if (content.data !== undefined) {
    yield openBytes(info.name, content);
    return;
  }
  for await (const _ of openFile(context, info.name, content));
  yield* openFile(context, info.name, content);
}

async function collect(context: Context, info: ArtifactInfo, content: StoredContent, offset: number, length: number): Promise<Uint8Array> {
  const wanted = Buffer.allocUnsafe(Math.max(0, Math.min(length, info.size - offset)));
  let at = 0;
  try {
    for await (const piece of openFile(context, info.name, content)) {
      const from = Math.max(0, offset - at);
      const into = Math.max(0, at - offset);
      if (from < piece.length && into < wanted.length) wanted.set(piece.subarray(from, from + wanted.length - into), into);
      at += piece.length;
    }
  } catch (error) {
    if (!isGone(error)) throw error;
    // Deleted meanwhile, or deleted and stored anew under another file's name; or somebody removed the file.
    const again = await storeOf(context).artifacts.content(info.content_hash);
    if (again?.file === content.file) throw damaged(info.name, error);
    if (!again) throw new ScriptError('NOT_FOUND', `${context.method}: the artifact ${info.name} was deleted while it was read`);
    return collect(context, info, again, offset, length);
  }
  return new Uint8Array(wanted.buffer, wanted.byteOffset, wanted.length);
}

function contentOf(context: Context, info: ArtifactInfo): Soon<StoredContent> {
  return whenReady(storeOf(context).artifacts.content(info.content_hash), (content) => {
    if (!content) throw damaged(info.name);
    return content;
  });
}

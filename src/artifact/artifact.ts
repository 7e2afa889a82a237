import { doneInTurns } from '../call/breath.ts';
import { decode, encodeSoon } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { randomBytes } from '../call/digest.ts';
import { sameValue } from '../call/same.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { events } from '../event/bus.ts';
import { checkSession, quotasOf, refusal } from '../session/refusal.ts';
import { storeOf } from '../state/state.ts';
import type { ArtifactFilter, ArtifactRecord, StagedContent } from '../store/artifacts.ts';
import { isRefused } from '../store/sessions.ts';
import { INLINE_BYTES, piecesOf, stageBytes, stageFile, tooLarge } from './content.ts';
import { checkArtifactName, checkArtifactType, isArtifactId } from './names.ts';
import { sweepNowAndThen } from './sweep.ts';

/** What is known of an artifact; `created_at` in ms since 1970. */
export type ArtifactInfo = {
  id: string;
  session_id: string;
  name: string;
  type: string;
  version: number;
  size: number;
  content_hash: string;
  created_at: number;
  metadata: ValueMap;
};

export interface ArtifactQuery extends Omit<ArtifactFilter, 'limit' | 'offset'> {
  /** Fields that the metadata must have with these values. */
  readonly metadata?: ValueMap | undefined;
  readonly limit?: number | undefined;
}

const MOST_METADATA_BYTES = 65_536;
const PAGE = 500;

export interface ArtifactDraft {
  readonly session_id: string;
  readonly type: string;
  readonly name: string;
  readonly metadata?: ValueMap | undefined;
}

/** Stores content as the next version of a name in an active session. Throws NOT_FOUND, CONFLICT when the session is not active, LIMIT_EXCEEDED beyond a quota, STORE_FAILED; then nothing was stored. */
export function storeArtifact(context: Context, draft: ArtifactDraft, content: Uint8Array): Soon<ArtifactInfo> {
  return whenReady(checkDraft(context, draft), (checked) => {
    const most = context.run.host.config.artifacts.max_size;
    if (content.length > most) throw tooLarge(context, String(content.length), most);
    if (content.length <= INLINE_BYTES) return add(context, checked, stageBytes(content));
    return stageFile(context, storeOf(context).blobs, piecesOf(content), most).then((staged) => add(context, checked, staged));
  });
}

/** As `storeArtifact`, with content that comes in pieces and is never whole in memory when it is large. */
export async function storePieces(context: Context, draft: ArtifactDraft, size: number, pieces: AsyncIterable<Uint8Array>): Promise<ArtifactInfo> {
  const checked = await checkDraft(context, draft);
  const most = context.run.host.config.artifacts.max_size;
  if (size > most) throw tooLarge(context, String(size), most);
  if (size > INLINE_BYTES) return add(context, checked, await stageFile(context, storeOf(context).blobs, pieces, most));
  const all: Uint8Array[] = [];
  let length = 0;
  for await (const piece of pieces) {
    length += piece.length;
    if (length > INLINE_BYTES) throw new ScriptError('CONFLICT', `${context.method}: the file grew while it was read; nothing was stored`);
    all.push(piece);
  }
  return add(context, checked, stageBytes(new Uint8Array(Buffer.concat(all))));
}

/** An artifact by id, or the given or highest version of a name; undefined when there is none. */
export function findArtifact(context: Context, session_id: string, reference: string, version?: number): Soon<ArtifactInfo | undefined> {
  checkSession(context, session_id, 'session_id');
  const named = !isArtifactId(reference);
  if (named) checkArtifactName(context, reference, 'id');
  if (!named && version !== undefined)
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: version: an id names one version already; give the name of the artifact instead`);
  const wanted = named ? { name: reference, version } : { id: reference };
  return whenReady(storeOf(context).artifacts.find(session_id, wanted, now(context)), (record) => record && infoOf(record));
}

/** The artifacts of a session, newest first: the highest version of each name, or all. */
export function listArtifacts(context: Context, session_id: string, { all_versions = false }: { readonly all_versions?: boolean } = {}): Soon<ArtifactInfo[]> {
  return queryArtifacts(context, { session_id, latest: !all_versions, limit: Number.MAX_SAFE_INTEGER });
}

/** Artifacts of all sessions of the tenant that fit, newest first. */
export function queryArtifacts(context: Context, { metadata, limit = 100, ...filter }: ArtifactQuery): Soon<ArtifactInfo[]> {
  if (filter.session_id !== undefined) checkSession(context, filter.session_id, 'session_id');
  return whenReady(encodeMetadata(context, metadata), () => queryFields(context, filter, limit, metadata));
}

function queryFields(context: Context, filter: Omit<ArtifactFilter, 'limit' | 'offset'>, limit: number, metadata: ValueMap = {}): Soon<ArtifactInfo[]> {
  const { artifacts } = storeOf(context);
  const fields = Object.entries(metadata);
  const look = (records: readonly ArtifactRecord[]) => doneInTurns(context.run.cpu, fitting(records, fields));
  if (fields.length === 0) return whenReady(artifacts.query({ ...filter, limit }, now(context)), look);
  const found = new Map<string, ArtifactInfo>();
  const page = (offset: number): Soon<ArtifactInfo[]> =>
    whenReady(artifacts.query({ ...filter, limit: PAGE, offset }, now(context)), (records) =>
      whenReady(look(records), (fit) => {
        // What is stored between two pages moves the others on: one may come twice.
        for (const info of fit) found.set(info.id, info);
        return records.length < PAGE || found.size >= limit ? [...found.values()].slice(0, limit) : page(offset + PAGE);
      }),
    );
  return page(0);
}

/** The artifacts whose metadata has all fields, in steps. */
function* fitting(records: readonly ArtifactRecord[], fields: readonly [string, Value][]): Generator<undefined, ArtifactInfo[]> {
  const found: ArtifactInfo[] = [];
  for (const record of records) {
    const info = infoOf(record);
    if (fields.every(([key, value]) => Object.hasOwn(info.metadata, key) && sameValue(info.metadata[key] as Value, value))) found.push(info);
    yield;
  }
  return found;
}

/** The versions of a name, lowest first. */
export function artifactVersions(context: Context, session_id: string, name: string): Soon<ArtifactInfo[]> {
  checkArtifactName(context, name);
  return whenReady(queryArtifacts(context, { session_id, name, limit: Number.MAX_SAFE_INTEGER }), (found) => found.sort((a, b) => a.version - b.version));
}

/** Deletes one version; says whether it was there. Its content goes with the last artifact that has it. */
export function deleteArtifact(context: Context, session_id: string, id: string): Soon<boolean> {
  checkSession(context, session_id, 'session_id');
  if (!isArtifactId(id))
    throw new ScriptError(
      'BAD_ARGUMENT',
      `${context.method}: id: expected the id of an artifact, got ${JSON.stringify(id.slice(0, 80))} (Artifact.versions lists the ids of a name)`,
    );
  return whenReady(storeOf(context).artifacts.remove(session_id, id, now(context)), (removed) =>
    removed ? whenReady(context.run.get(events).announce(context, 'artifact.deleted', { id, session_id }), () => true) : false,
  );
}

function add(context: Context, draft: ArtifactDraft & { readonly encoded: Uint8Array }, staged: StagedContent): Soon<ArtifactInfo> {
  const { session_id, type, name, encoded } = draft;
  const discard = () => {
    if (!('data' in staged.content)) staged.content.discard();
  };
  const artifact = { id: `art_${randomBytes(12).toString('hex')}`, session_id, type, name, metadata: encoded };
  const finish = (outcome: Awaited<ReturnType<ReturnType<typeof storeOf>['artifacts']['add']>>): Soon<ArtifactInfo> => {
    discard();
    if (isRefused(outcome)) throw refusal(context, session_id, outcome);
    const info = infoOf(outcome);
    const { id, version, size } = info;
    if (!('data' in staged.content)) sweepNowAndThen(context);
    // What has expired went when this was added, and its files go now.
    return whenReady(storeOf(context).artifacts.collect(), () =>
      whenReady(context.run.get(events).announce(context, 'artifact.stored', { id, session_id, name, type, version, size }), () => info),
    );
  };
  const fail = (error: unknown): never => {
    discard();
    throw error;
  };
  try {
    const added = storeOf(context).artifacts.add(artifact, staged, quotasOf(context), now(context));
    return added instanceof Promise ? added.then(finish, fail) : finish(added);
  } catch (error) {
    return fail(error);
  }
}

function checkDraft(context: Context, draft: ArtifactDraft): Soon<ArtifactDraft & { readonly encoded: Uint8Array }> {
  checkSession(context, draft.session_id, 'session_id');
  checkArtifactType(context, draft.type);
  checkArtifactName(context, draft.name);
  return whenReady(encodeMetadata(context, draft.metadata), (encoded) => ({ ...draft, encoded }));
}

/** Metadata as it is stored. Throws LIMIT_EXCEEDED where it is larger than metadata may be. */
function encodeMetadata(context: Context, metadata: ValueMap = {}): Soon<Uint8Array> {
  return whenReady(encodeSoon(context.run.cpu, metadata, `${context.method}: metadata`, context.run.language), (encoded) => {
    if (encoded.length <= MOST_METADATA_BYTES) return encoded;
    throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: metadata: expected at most ${MOST_METADATA_BYTES} bytes, got ${encoded.length}`);
  });
}

function infoOf({ id, session_id, name, type, version, size, hash, created_at, metadata }: ArtifactRecord): ArtifactInfo {
  return { id, session_id, name, type, version, size, content_hash: hash, created_at, metadata: decode(metadata) as ValueMap };
}

function now(context: Context): number {
  return Math.floor(context.run.now());
}

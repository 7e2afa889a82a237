import { breathe } from '../call/breath.ts';
import { uncharged } from '../call/cpu.ts';
import { whenReady } from '../call/soon.ts';
import type { ArtifactFilter, ArtifactRecord, ArtifactRecords, StagedContent } from './artifacts.ts';
import type { BlobFiles } from './blobs.ts';
import type { Steps } from './in-turns.ts';
import type { MemoryData } from './memory-data.ts';
import type { SortedMap } from './sorted-map.ts';

/** So many artifacts are looked at between two looks at the clock. */
const STEP = 100;

/** Artifacts of a process that keeps nothing. */
export function memoryArtifacts(data: MemoryData, files: BlobFiles): ArtifactRecords {
  const { cpu } = uncharged('memory');

  function keep({ hash, size, encoding, stored, content }: StagedContent): void {
    if (data.contents.has(hash)) return;
    data.needRoom(stored);
    const place = 'data' in content ? { data: content.data, file: undefined } : { data: undefined, file: content.place(hash) };
    data.contents.set(hash, { hash, size, encoding, stored, ...place, uses: 0 });
    if (place.file !== undefined) data.placedFiles.add(place.file);
    data.bytes += stored;
  }

  return {
    add: (artifact, staged, quotas, now) =>
      data.tidied(now, () => {
        const session = data.live(artifact.session_id, now);
        if (session?.record.status !== 'active') return { refused: session?.record.status ?? 'absent' };
        if (data.totals.artifacts >= quotas.artifacts) return { refused: 'full', quota: 'artifacts' };
        if (data.totals.bytes + staged.size > quotas.artifact_bytes) return { refused: 'full', quota: 'artifact_bytes' };
        keep(staged);
        const version = 1 + (session.byName.get(artifact.name)?.at(-1)?.record.version ?? 0);
        const record: ArtifactRecord = { ...artifact, version, hash: staged.hash, size: staged.size, created_at: now };
        data.addArtifact(session, record);
        data.touch(session, now);
        return record;
      }),
    find(session_id, reference, now) {
      const session = data.live(session_id, now);
      if ('id' in reference) return session?.byId.get(reference.id)?.record;
      const versions = session?.byName.get(reference.name);
      const { version } = reference;
      return (version === undefined ? versions?.at(-1) : versions?.find(({ record }) => record.version === version))?.record;
    },
    query(filter, now) {
      const copied = data.tidied(now, () => {
        const { all, latest } = (filter.session_id === undefined ? data : data.live(filter.session_id, now))?.artifacts ?? {};
        return (filter.latest ? latest : all)?.copy();
      });
      return whenReady(copied, (artifacts) => (artifacts ? data.inTurns(fitting(artifacts, filter)) : []));
    },
    content: (hash) => data.contents.get(hash),
    remove: (session_id, id, now) =>
      data.whenFree(() => {
        const session = data.live(session_id, now);
        if (!session || !data.removeArtifact(session, id)) return false;
        data.touch(session, now);
        return true;
      }),
    totals: () => ({ ...data.totals }),
    collect: () => data.tidied(0, () => undefined),
    sweep: (now) =>
      files.sweep(async (file) => {
        await breathe(cpu);
        if (data.placedFiles.has(file)) return false;
        files.remove(file);
        return true;
      }, now),
  };
}

/** Those that fit of artifacts that nobody changes meanwhile. */
function* fitting(artifacts: SortedMap<ArtifactRecord>, filter: ArtifactFilter): Steps<ArtifactRecord[]> {
  const { type, name, content_hash, created_from = 0, created_before = Number.POSITIVE_INFINITY, limit, offset = 0 } = filter;
  const found: ArtifactRecord[] = [];
  let [looked, passed] = [0, 0];
  if (limit <= 0) return found;
  for (const [, one] of artifacts.from()) {
    if (++looked % STEP === 0) yield;
    if ((type ?? one.type) !== one.type || (name ?? one.name) !== one.name || (content_hash ?? one.hash) !== one.hash) continue;
    if (one.created_at < created_from || one.created_at >= created_before || ++passed <= offset) continue;
    found.push(one);
    if (found.length >= limit) break;
  }
  return found;
}

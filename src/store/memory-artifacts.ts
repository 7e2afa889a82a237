import type { ArtifactRecord, ArtifactRecords, StoredContent } from './artifacts.ts';
import type { BlobFiles } from './blobs.ts';
import { liveArtifacts, liveSession, type MemorySessions, touch } from './memory-sessions.ts';

/** Content and the bytes that it takes. */
export interface MemoryContent extends StoredContent {
  readonly stored: number;
}

/** Artifacts of a process that keeps nothing. */
export function memoryArtifacts(data: MemorySessions, contents: Map<string, MemoryContent>, files: BlobFiles): ArtifactRecords {
  /** Newest first; a later one of the same millisecond comes before. */
  const all = (now: number) =>
    liveArtifacts(data, now)
      .reverse()
      .sort((a, b) => b.created_at - a.created_at);

  return {
    add(artifact, staged, quotas, now) {
      const session = liveSession(data, artifact.session_id, now);
      if (session?.record.status !== 'active') return { refused: session?.record.status ?? 'absent' };
      const there = liveArtifacts(data, now);
      if (there.length >= quotas.artifacts) return { refused: 'full', quota: 'artifacts' };
      if (there.reduce((sum, { size }) => sum + size, staged.size) > quotas.artifact_bytes) return { refused: 'full', quota: 'artifact_bytes' };
      const { hash, size, encoding, stored, content } = staged;
      if (!contents.has(hash)) {
        data.needRoom(stored);
        const place = 'data' in content ? { data: content.data, file: undefined } : { data: undefined, file: content.place(hash) };
        contents.set(hash, { hash, size, encoding, stored, ...place });
        data.bytes += stored;
      }
      const version = 1 + Math.max(0, ...session.artifacts.filter(({ name }) => name === artifact.name).map((one) => one.version));
      const record: ArtifactRecord = { ...artifact, version, hash, size, created_at: now };
      session.artifacts.push(record);
      touch(session, now);
      return record;
    },
    find(session_id, reference, now) {
      const artifacts = liveSession(data, session_id, now)?.artifacts ?? [];
      if ('id' in reference) return artifacts.find(({ id }) => id === reference.id);
      const named = artifacts.filter(({ name, version }) => name === reference.name && (reference.version ?? version) === version);
      return named.toSorted((a, b) => b.version - a.version)[0];
    },
    query({ session_id, type, name, content_hash, created_from = 0, created_before = Number.POSITIVE_INFINITY, latest = false, limit, offset = 0 }, now) {
      const every = all(now);
      const isLatest = (one: ArtifactRecord) =>
        !every.some((other) => other.session_id === one.session_id && other.name === one.name && other.version > one.version);
      return every
        .filter((one) => (session_id ?? one.session_id) === one.session_id && (type ?? one.type) === one.type && (name ?? one.name) === one.name)
        .filter((one) => (content_hash ?? one.hash) === one.hash && one.created_at >= created_from && one.created_at < created_before)
        .filter((one) => !latest || isLatest(one))
        .slice(offset, offset + limit);
    },
    content: (hash) => contents.get(hash),
    remove(session_id, id, now) {
      const session = liveSession(data, session_id, now);
      const at = session?.artifacts.findIndex((one) => one.id === id) ?? -1;
      if (!session || at < 0) return false;
      session.artifacts.splice(at, 1);
      touch(session, now);
      dropUnused(data, contents, files);
      return true;
    },
    totals: () => {
      const there = [...data.sessions.values()].flatMap(({ artifacts }) => artifacts);
      return { artifacts: there.length, bytes: there.reduce((sum, { size }) => sum + size, 0) };
    },
    collect: () => dropUnused(data, contents, files),
    sweep: (now) =>
      files.sweep((file) => {
        if ([...contents.values()].some((content) => content.file === file)) return false;
        files.remove(file);
        return true;
      }, now),
  };
}

/** Forgets content that no artifact has. */
export function dropUnused(data: MemorySessions, contents: Map<string, MemoryContent>, files: BlobFiles): void {
  const used = new Set([...data.sessions.values()].flatMap(({ artifacts }) => artifacts.map(({ hash }) => hash)));
  for (const [hash, { file, stored }] of contents) {
    if (used.has(hash)) continue;
    contents.delete(hash);
    data.bytes -= stored;
    if (file !== undefined) files.remove(file);
  }
}

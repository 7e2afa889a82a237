import { whenReady } from '../call/soon.ts';
import type { ArtifactRecord, ArtifactRecords, NewArtifact, StagedContent, StoredContent } from './artifacts.ts';
import type { BlobFiles } from './blobs.ts';
import { type Database, tenantFull } from './database.ts';
import type { Quotas, Refused, SessionStatus } from './sessions.ts';
import { total } from './sqlite-sessions.ts';

const COLUMNS = 'a.id, a.session_id, a.name, a.version, a.type, a.hash, a.size, a.metadata, a.created_at';
const SELECT = `SELECT ${COLUMNS} FROM artifacts AS a JOIN sessions AS s ON s.id = a.session_id AND (s.expires_at IS NULL OR s.expires_at > :now)`;
const LATEST = 'NOT EXISTS (SELECT 1 FROM artifacts AS b WHERE b.session_id = a.session_id AND b.name = a.name AND b.version > a.version)';

/** Artifacts in `state.db`, large content in files beside it. */
export function sqliteArtifacts(db: Database, files: BlobFiles, maxBytes: number | undefined): ArtifactRecords {
  /** Database and files share one bound. */
  const shareRoom = () => {
    if (maxBytes !== undefined) db.limitTo(maxBytes - total(db, 'file_bytes'));
  };
  shareRoom();

  function insert(artifact: NewArtifact, staged: StagedContent, quotas: Quotas, now: number, placed: (file: string) => void): ArtifactRecord | Refused {
    const { session_id, name } = artifact;
    db.run('DELETE FROM sessions WHERE expires_at <= :now', { now });
    const session = db.one<{ status: SessionStatus }>('SELECT status FROM sessions WHERE id = :session_id', { session_id });
    if (session?.status !== 'active') return { refused: session?.status ?? 'absent' };
    if (total(db, 'artifacts') >= quotas.artifacts) return { refused: 'full', quota: 'artifacts' };
    if (total(db, 'artifact_bytes') + staged.size > quotas.artifact_bytes) return { refused: 'full', quota: 'artifact_bytes' };
    if (!db.one('SELECT 1 FROM blobs WHERE hash = :hash', { hash: staged.hash })) {
      const { hash, size, encoding, stored, content } = staged;
      const data = 'data' in content ? content.data : null;
      if (maxBytes !== undefined && data === null && total(db, 'file_bytes') + db.size + stored > maxBytes) throw tenantFull(maxBytes);
      const file = 'data' in content ? null : content.place(hash);
      if (file !== null) placed(file);
      db.run('INSERT INTO blobs VALUES (:hash, :size, :encoding, :stored, :data, :file)', { hash, size, encoding, stored, data, file });
    }
    const version =
      1 +
      (db.one<{ top: number | null }>('SELECT max(version) AS top FROM artifacts WHERE session_id = :session_id AND name = :name', { session_id, name })?.top ??
        0);
    const record: ArtifactRecord = { ...artifact, version, hash: staged.hash, size: staged.size, created_at: now };
    db.run('INSERT INTO artifacts VALUES (:id, :session_id, :name, :version, :type, :hash, :size, :metadata, :created_at)', { ...record });
    db.run('UPDATE sessions SET updated_at = :now, expires_at = :now + expires_in WHERE id = :session_id', { session_id, now });
    return record;
  }

  function collect() {
    const dropped = db.all<{ file: string }>('SELECT file FROM dropped_files');
    if (dropped.length === 0) return undefined;
    for (const { file } of dropped) files.remove(file);
    shareRoom();
    return db.write(() =>
      db.transaction(() => {
        for (const { file } of dropped) db.run('DELETE FROM dropped_files WHERE file = :file', { file });
      }),
    );
  }

  return {
    add: (artifact, staged, quotas, now) =>
      db.write(() => {
        let placed: string | undefined;
        try {
          const outcome = db.transaction(() =>
            insert(artifact, staged, quotas, now, (file) => {
              placed = file;
            }),
          );
          if (placed !== undefined) shareRoom();
          return outcome;
        } catch (error) {
          if (placed !== undefined) files.remove(placed);
          throw error;
        }
      }),
    find(session_id, reference, now) {
      if ('id' in reference) return db.one<ArtifactRecord>(`${SELECT} WHERE a.session_id = :session_id AND a.id = :id`, { session_id, id: reference.id, now });
      return db.one<ArtifactRecord>(
        `${SELECT} WHERE a.session_id = :session_id AND a.name = :name AND (:version IS NULL OR a.version = :version) ORDER BY a.version DESC LIMIT 1`,
        { session_id, name: reference.name, version: reference.version ?? null, now },
      );
    },
    query({ latest = false, limit, offset = 0, ...wanted }, now) {
      const conditions = [
        ...(wanted.session_id === undefined ? [] : ['a.session_id = :session_id']),
        ...(wanted.type === undefined ? [] : ['a.type = :type']),
        ...(wanted.name === undefined ? [] : ['a.name = :name']),
        ...(wanted.content_hash === undefined ? [] : ['a.hash = :content_hash']),
        ...(wanted.created_from === undefined ? [] : ['a.created_at >= :created_from']),
        ...(wanted.created_before === undefined ? [] : ['a.created_at < :created_before']),
        ...(latest ? [LATEST] : []),
      ];
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
      const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as Record<string, string | number>;
      return db.all<ArtifactRecord>(`${SELECT} ${where} ORDER BY a.created_at DESC, a.rowid DESC LIMIT :limit OFFSET :offset`, {
        ...given,
        limit,
        offset,
        now,
      });
    },
    content(hash) {
      const row = db.one<{ hash: string; size: number; encoding: StoredContent['encoding']; data: Uint8Array | null; file: string | null }>(
        'SELECT hash, size, encoding, data, file FROM blobs WHERE hash = :hash',
        { hash },
      );
      return row && { ...row, data: row.data ?? undefined, file: row.file ?? undefined };
    },
    remove: (session_id, id, now) =>
      whenReady(
        db.write(() =>
          db.transaction(() => {
            db.run('UPDATE sessions SET updated_at = :now, expires_at = :now + expires_in WHERE id = :session_id', { session_id, now });
            return db.run('DELETE FROM artifacts WHERE session_id = :session_id AND id = :id', { session_id, id }) > 0;
          }),
        ),
        (removed) => whenReady(collect(), () => removed),
      ),
    totals: () => ({ artifacts: total(db, 'artifacts'), bytes: total(db, 'artifact_bytes') }),
    collect,
    sweep: (now) =>
      files.sweep((file) => {
        const known = () => db.one('SELECT 1 FROM blobs WHERE file = :file', { file }) !== undefined;
        if (!db.isOpen || known()) return false;
        // A file is named and its row written under the lock of one writer, so under that lock a file without a row is nobody's.
        return db.write(() =>
          db.transaction(() => {
            if (known()) return false;
            files.remove(file);
            return true;
          }),
        );
      }, now),
  };
}

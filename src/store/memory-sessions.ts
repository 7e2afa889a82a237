import { randomBytes } from '../call/digest.ts';
import type { ArtifactRecord } from './artifacts.ts';
import type { NewSession, Quotas, Refused, SessionRecord, SessionRecords, StoredTurn } from './sessions.ts';

/** What sessions and artifacts of a memory store share. */
export interface MemorySessions {
  readonly sessions: Map<string, MemorySession>;
  /** What turns, values and contents of artifacts take together. */
  bytes: number;
  /** Throws LIMIT_EXCEEDED where there is no room for so many bytes more. */
  needRoom(bytes: number): void;
}

export interface MemorySession {
  record: SessionRecord;
  turns: StoredTurn[];
  values: Map<string, Uint8Array>;
  artifacts: ArtifactRecord[];
  /** Of turns and values. */
  bytes: number;
}

/** Counts so many bytes more of a session. Throws LIMIT_EXCEEDED where there is no room for them. */
function grow(data: MemorySessions, session: MemorySession, bytes: number): void {
  if (bytes > 0) data.needRoom(bytes);
  data.bytes += bytes;
  session.bytes += bytes;
}

/** Forgets a session. */
function forget(data: MemorySessions, id: string): void {
  data.bytes -= data.sessions.get(id)?.bytes ?? 0;
  data.sessions.delete(id);
}

/** The session unless it has expired; an expired one is forgotten. */
export function liveSession(data: MemorySessions, id: string, now: number): MemorySession | undefined {
  const found = data.sessions.get(id);
  if (found?.record.expires_at === undefined || found.record.expires_at > now) return found;
  forget(data, id);
  return undefined;
}

/** Notes a change. */
export function touch(session: MemorySession, now: number): void {
  const { expires_in } = session.record;
  session.record = {
    ...session.record,
    turns: session.turns.at(-1)?.number ?? 0,
    updated_at: now,
    expires_at: expires_in === undefined ? undefined : now + expires_in,
  };
}

/** All artifacts of sessions that live. */
export function liveArtifacts(data: MemorySessions, now: number): ArtifactRecord[] {
  return [...data.sessions.keys()].flatMap((id) => liveSession(data, id, now)?.artifacts ?? []);
}

/** Sessions of a process that keeps nothing; `changed` is told when artifacts may have gone. */
export function memorySessions(data: MemorySessions, changed: () => void): SessionRecords {
  const { sessions } = data;

  function insert(session: NewSession, quotas: Quotas, now: number): MemorySession | Refused {
    for (const id of sessions.keys()) liveSession(data, id, now);
    changed();
    if (sessions.size >= quotas.sessions) return { refused: 'full', quota: 'sessions' };
    if (sessions.has(session.id)) return { refused: 'taken' };
    const { expires_in } = session;
    const record: SessionRecord = {
      ...session,
      status: 'active',
      created_at: now,
      updated_at: now,
      saved_at: undefined,
      expires_at: expires_in === undefined ? undefined : now + expires_in,
      turns: 0,
    };
    const made: MemorySession = { record, turns: [], values: new Map(), artifacts: [], bytes: 0 };
    sessions.set(session.id, made);
    return made;
  }

  function active(id: string, now: number): MemorySession | Refused {
    const session = liveSession(data, id, now);
    return session?.record.status === 'active' ? session : { refused: session?.record.status ?? 'absent' };
  }

  return {
    create(session, quotas, now) {
      const made = insert(session, quotas, now);
      return 'refused' in made ? made : made.record;
    },
    get: (id, now) => liveSession(data, id, now)?.record,
    list: ({ status, tags = [], limit }, now) =>
      [...sessions.keys()]
        .flatMap((id) => liveSession(data, id, now)?.record ?? [])
        .filter((record) => (status === undefined || record.status === status) && tags.every((tag) => record.tags.includes(tag)))
        .reverse()
        .sort((a, b) => b.created_at - a.created_at)
        .slice(0, limit),
    change(id, from, to, now) {
      const session = liveSession(data, id, now);
      if (!session) return { refused: 'absent' };
      const before = session.record;
      if (!from.includes(before.status)) return { refused: before.status };
      session.record = to === 'saved' ? { ...before, saved_at: now } : { ...before, status: to.status };
      touch(session, now);
      return before;
    },
    append(id, turns, quotas, now) {
      const session = active(id, now);
      if ('refused' in session) return session;
      if (session.turns.length + turns.length > quotas.turns) return { refused: 'full', quota: 'turns' };
      grow(
        data,
        session,
        turns.reduce((sum, { length }) => sum + length, 0),
      );
      session.turns.push(...turns.map((turn, at) => ({ number: session.record.turns + at + 1, turn, created_at: now })));
      touch(session, now);
      return session.record.turns;
    },
    turns(id, { last, after = 0, limit }) {
      const found = (sessions.get(id)?.turns ?? []).filter(({ number }) => number > after);
      if (last === undefined) return found.slice(0, limit);
      const most = limit === undefined ? last : Math.min(last, limit);
      return most === 0 ? [] : found.slice(-most);
    },
    setValue(id, key, value, now) {
      const session = active(id, now);
      if ('refused' in session) return session;
      grow(data, session, (value?.length ?? 0) - (session.values.get(key)?.length ?? 0));
      if (value) session.values.set(key, value);
      else session.values.delete(key);
      touch(session, now);
      return true;
    },
    value: (id, key) => sessions.get(id)?.values.get(key),
    values: (id) =>
      [...(sessions.get(id)?.values ?? [])].map(([key, value]) => ({ key, value })).sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))),
    fork(id, copy, quotas, now) {
      const session = liveSession(data, id, now);
      if (!session) return { refused: 'absent' };
      const before = liveArtifacts(data, now);
      const bytes = (list: readonly ArtifactRecord[]) => list.reduce((sum, { size }) => sum + size, 0);
      if (before.length + session.artifacts.length > quotas.artifacts) return { refused: 'full', quota: 'artifacts' };
      if (bytes(before) + bytes(session.artifacts) > quotas.artifact_bytes) return { refused: 'full', quota: 'artifact_bytes' };
      data.needRoom(session.bytes);
      const made = insert(copy, quotas, now);
      if ('refused' in made) return made;
      grow(data, made, session.bytes);
      made.turns = [...session.turns];
      made.values = new Map(session.values);
      made.artifacts = session.artifacts.map((one) => ({ ...one, session_id: copy.id, id: `art_${randomBytes(12).toString('hex')}` }));
      touch(made, now);
      return made.record;
    },
    remove(id, now) {
      const session = liveSession(data, id, now);
      forget(data, id);
      changed();
      return session?.record;
    },
  };
}

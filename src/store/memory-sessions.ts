import { randomBytes } from '../call/digest.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Steps } from './in-turns.ts';
import type { MemoryData, MemorySession } from './memory-data.ts';
import type { NewSession, Quotas, Refused, SessionFilter, SessionRecord, SessionRecords } from './sessions.ts';
import type { SortedMap } from './sorted-map.ts';

/** So many sessions, values or artifacts are looked at between two looks at the clock. */
const STEP = 100;

/** Counts so many bytes more of a session. Throws LIMIT_EXCEEDED where there is no room for them. */
function grow(data: MemoryData, session: MemorySession, bytes: number): void {
  if (bytes > 0) data.needRoom(bytes);
  data.bytes += bytes;
  session.bytes += bytes;
}

/** Sessions of a process that keeps nothing. */
export function memorySessions(data: MemoryData): SessionRecords {
  const { sessions } = data;

  function draft(session: NewSession, quotas: Quotas, now: number): MemorySession | Refused {
    if (sessions.size >= quotas.sessions) return { refused: 'full', quota: 'sessions' };
    if (sessions.has(session.id)) return { refused: 'taken' };
    const { expires_in } = session;
    return data.draft({
      ...session,
      status: 'active',
      created_at: now,
      updated_at: now,
      saved_at: undefined,
      expires_at: expires_in === undefined ? undefined : now + expires_in,
      turns: 0,
    });
  }

  function active(id: string, now: number): MemorySession | Refused {
    const session = data.live(id, now);
    return session?.record.status === 'active' ? session : { refused: session?.record.status ?? 'absent' };
  }

  function fork(session: MemorySession, copy: NewSession, quotas: Quotas, now: number): Soon<SessionRecord | Refused> {
    const { artifacts, bytes } = data.totals;
    if (artifacts + session.byId.size > quotas.artifacts) return { refused: 'full', quota: 'artifacts' };
    if (bytes + session.artifactBytes > quotas.artifact_bytes) return { refused: 'full', quota: 'artifact_bytes' };
    data.needRoom(session.bytes);
    const made = draft(copy, quotas, now);
    if ('refused' in made) return made;
    grow(data, made, session.bytes);
    made.turns = [...session.turns];
    made.values = session.values.copy();
    return whenReady(data.inTurns(copyArtifacts(data, session, made)), () => {
      data.open(made);
      data.touch(made, now);
      return made.record;
    });
  }

  return {
    create: (session, quotas, now) =>
      data.tidied(now, () => {
        const made = draft(session, quotas, now);
        if ('refused' in made) return made;
        data.open(made);
        return made.record;
      }),
    get: (id, now) => data.live(id, now)?.record,
    list: (filter, now) =>
      whenReady(
        data.tidied(now, () => data.newest.copy()),
        (newest) => data.inTurns(fitting(newest, filter)),
      ),
    change: (id, from, to, now) =>
      data.whenFree(() => {
        const session = data.live(id, now);
        if (!session) return { refused: 'absent' };
        const before = session.record;
        if (!from.includes(before.status)) return { refused: before.status };
        session.record = to === 'saved' ? { ...before, saved_at: now } : { ...before, status: to.status };
        data.touch(session, now);
        return before;
      }),
    append: (id, turns, quotas, now) =>
      data.whenFree(() => {
        const session = active(id, now);
        if ('refused' in session) return session;
        if (session.turns.length + turns.length > quotas.turns) return { refused: 'full', quota: 'turns' };
        grow(
          data,
          session,
          turns.reduce((sum, { length }) => sum + length, 0),
        );
        for (const turn of turns) session.turns.push({ number: session.turns.length + 1, turn, created_at: now });
        data.touch(session, now);
        return session.record.turns;
      }),
    turns(id, { last, after = 0, limit = Number.POSITIVE_INFINITY }) {
      // Numbers are those of places, from 1.
      const turns = sessions.get(id)?.turns ?? [];
      if (last === undefined) return turns.slice(after, after + limit);
      return turns.slice(Math.max(after, turns.length - Math.min(last, limit)));
    },
    setValue: (id, key, value, now) =>
      data.whenFree(() => {
        const session = active(id, now);
        if ('refused' in session) return session;
        grow(data, session, (value?.length ?? 0) - (session.values.get(key)?.length ?? 0));
        if (value) session.values.set(key, value);
        else session.values.delete(key);
        data.touch(session, now);
        return true;
      }),
    value: (id, key) => sessions.get(id)?.values.get(key),
    values(id) {
      const values = sessions.get(id)?.values.copy();
      return values ? data.inTurns(allOf(values)) : [];
    },
    fork: (id, copy, quotas, now) =>
      data.tidied(now, () => {
        const session = data.live(id, now);
        return session ? fork(session, copy, quotas, now) : { refused: 'absent' };
      }),
    remove(id, now) {
      const removed = data.whenFree(() => {
        const session = data.live(id, now);
        if (session) data.forget(session);
        return session?.record;
      });
      return whenReady(removed, (record) => data.tidied(now, () => record));
    },
  };
}

/** Those that fit of sessions in an order that nobody changes meanwhile. */
function* fitting(newest: SortedMap<MemorySession>, { status, tags = [], limit }: SessionFilter): Steps<SessionRecord[]> {
  const found: SessionRecord[] = [];
  let looked = 0;
  for (const [, { record }] of newest.from()) {
    if (found.length >= limit) break;
    if (++looked % STEP === 0) yield;
    if ((status === undefined || record.status === status) && tags.every((tag) => record.tags.includes(tag))) found.push(record);
  }
  return found;
}

function* allOf(values: SortedMap<Uint8Array>): Steps<{ readonly key: string; readonly value: Uint8Array }[]> {
  const all: { readonly key: string; readonly value: Uint8Array }[] = [];
  for (const [key, value] of values.from()) {
    all.push({ key, value });
    if (all.length % STEP === 0) yield;
  }
  return all;
}

/** Gives a session the artifacts of another, which nobody changes meanwhile. */
function* copyArtifacts(data: MemoryData, from: MemorySession, to: MemorySession): Steps<void> {
  for (const { record } of from.byId.values()) {
    data.addArtifact(to, { ...record, session_id: to.record.id, id: `art_${randomBytes(12).toString('hex')}` });
    if (to.byId.size % STEP === 0) yield;
  }
}

import type { Database } from './database.ts';
import type { NewSession, Quotas, Refused, SessionRecord, SessionRecords, SessionStatus, StoredTurn } from './sessions.ts';

interface Row {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly status: SessionStatus;
  readonly tags: string;
  readonly metadata: Uint8Array;
  readonly forked_from: string | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly saved_at: number | null;
  readonly expires_in: number | null;
  readonly expires_at: number | null;
  readonly turns: number;
}

const LIVE = '(expires_at IS NULL OR expires_at > :now)';
const SELECT = 'SELECT *, (SELECT coalesce(max(number), 0) FROM turns WHERE session_id = sessions.id) AS turns FROM sessions';
const TOUCH = 'UPDATE sessions SET updated_at = :now, expires_at = :now + expires_in WHERE id = :id';
const TAGGED = 'NOT EXISTS (SELECT 1 FROM json_each(:tags) AS wanted WHERE wanted.value NOT IN (SELECT value FROM json_each(sessions.tags)))';

/** Sessions in `state.db`. */
export function sqliteSessions(db: Database): SessionRecords {
  const find = (id: string, now: number) => db.one<Row>(`${SELECT} WHERE id = :id AND ${LIVE}`, { id, now });

  function insert(session: NewSession, now: number): Refused | undefined {
    if (db.one('SELECT 1 FROM sessions WHERE id = :id', { id: session.id })) return { refused: 'taken' };
    db.run(
      `INSERT INTO sessions VALUES (:id, :name, :description, 'active', :tags, :metadata, :forked_from, :now, :now, NULL, :expires_in, :now + :expires_in)`,
      {
        id: session.id,
        name: session.name ?? null,
        description: session.description ?? null,
        tags: JSON.stringify(session.tags),
        metadata: session.metadata,
        forked_from: session.forked_from ?? null,
        expires_in: session.expires_in ?? null,
        now,
      },
    );
    return undefined;
  }

  function made(id: string, now: number): SessionRecord | Refused {
    const row = find(id, now);
    return row ? recordOf(row) : { refused: 'absent' };
  }

  return {
    create: (session, quotas, now) =>
      db.write(() =>
        db.transaction(() => {
          db.run('DELETE FROM sessions WHERE expires_at <= :now', { now });
          if (total(db, 'sessions') >= quotas.sessions) return { refused: 'full', quota: 'sessions' };
          return insert(session, now) ?? made(session.id, now);
        }),
      ),
    get(id, now) {
      const row = find(id, now);
      return row && recordOf(row);
    },
    list: ({ status, tags = [], limit }, now) =>
      db
        .all<Row>(`${SELECT} WHERE ${LIVE} AND (:status IS NULL OR status = :status) AND ${TAGGED} ORDER BY created_at DESC, rowid DESC LIMIT :limit`, {
          status: status ?? null,
          tags: JSON.stringify(tags),
          limit,
          now,
        })
        .map(recordOf),
    change(id, from, to, now) {
      const work = () => {
        const row = find(id, now);
        if (!row) return { refused: 'absent' as const };
        if (!from.includes(row.status)) return { refused: row.status };
        if (to === 'saved') db.run('UPDATE sessions SET saved_at = :now WHERE id = :id', { id, now });
        else db.run('UPDATE sessions SET status = :status WHERE id = :id', { id, status: to.status });
        db.run(TOUCH, { id, now });
        return recordOf(row);
      };
      return db.write(() => (to === 'saved' ? db.durable(work) : db.transaction(work)));
    },
    append: (id, turns, quotas, now) =>
      db.write(() =>
        db.transaction(() => {
          const row = find(id, now);
          if (row?.status !== 'active') return { refused: row?.status ?? 'absent' };
          if (row.turns + turns.length > quotas.turns) return { refused: 'full', quota: 'turns' };
          for (const [at, turn] of turns.entries())
            db.run('INSERT INTO turns VALUES (:id, :number, :turn, :now)', { id, number: row.turns + at + 1, turn, now });
          db.run(TOUCH, { id, now });
          return row.turns + turns.length;
        }),
      ),
    turns(id, { last, after = 0, limit = -1 }) {
      const order = last === undefined ? 'ASC' : 'DESC';
      const most = last === undefined ? limit : limit < 0 ? last : Math.min(last, limit);
      const rows = db.all<StoredTurn>(
        `SELECT number, turn, created_at FROM turns WHERE session_id = :id AND number > :after ORDER BY number ${order} LIMIT :most`,
        { id, after, most },
      );
      return last === undefined ? rows : rows.reverse();
    },
    setValue: (id, key, value, now) =>
      db.write(() =>
        db.transaction(() => {
          const row = find(id, now);
          if (row?.status !== 'active') return { refused: row?.status ?? 'absent' };
          if (value) db.run('INSERT INTO session_values VALUES (:id, :key, :value) ON CONFLICT DO UPDATE SET value = excluded.value', { id, key, value });
          else db.run('DELETE FROM session_values WHERE session_id = :id AND key = :key', { id, key });
          db.run(TOUCH, { id, now });
          return true as const;
        }),
      ),
    value: (id, key) => db.one<{ value: Uint8Array }>('SELECT value FROM session_values WHERE session_id = :id AND key = :key', { id, key })?.value,
    values: (id) => db.all('SELECT key, value FROM session_values WHERE session_id = :id ORDER BY key', { id }),
    fork: (id, copy, quotas, now) =>
      db.write(() => {
        try {
          return db.transaction(() => forkInside(id, copy, quotas, now));
        } catch (error) {
          if (error instanceof Undo) return error.refusal;
          throw error;
        }
      }),
    remove: (id, now) =>
      db.write(() =>
        db.transaction(() => {
          const row = find(id, now);
          db.run('DELETE FROM sessions WHERE id = :id', { id });
          return row && recordOf(row);
        }),
      ),
  };

  function forkInside(id: string, copy: NewSession, quotas: Quotas, now: number): SessionRecord | Refused {
    if (!find(id, now)) return { refused: 'absent' };
    const refusal = insert(copy, now);
    if (refusal) return refusal;
    const names = { from: id, to: copy.id };
    db.run('INSERT INTO turns SELECT :to, number, turn, created_at FROM turns WHERE session_id = :from', names);
    db.run('INSERT INTO session_values SELECT :to, key, value FROM session_values WHERE session_id = :from', names);
    db.run(
      `INSERT INTO artifacts SELECT 'art_' || lower(hex(randomblob(12))), :to, name, version, type, hash, size, metadata, created_at FROM artifacts WHERE session_id = :from`,
      names,
    );
    for (const quota of ['sessions', 'artifacts', 'artifact_bytes'] as const) if (total(db, quota) > quotas[quota]) throw new Undo({ refused: 'full', quota });
    return made(copy.id, now);
  }
}

/** Ends a transaction without an error. */
class Undo extends Error {
  readonly refusal: Refused;

  constructor(refusal: Refused) {
    super('undone');
    this.refusal = refusal;
  }
}

/** One of the totals that triggers keep. */
export function total(db: Database, name: 'sessions' | 'artifacts' | 'artifact_bytes' | 'file_bytes'): number {
  return db.one<{ value: number }>('SELECT value FROM totals WHERE name = :name', { name })?.value ?? 0;
}

function recordOf(row: Row): SessionRecord {
  return {
    id: row.id,
    name: row.name ?? undefined,
    description: row.description ?? undefined,
    status: row.status,
    tags: JSON.parse(row.tags) as string[],
    metadata: row.metadata,
    forked_from: row.forked_from ?? undefined,
    created_at: row.created_at,
    updated_at: row.updated_at,
    saved_at: row.saved_at ?? undefined,
    expires_in: row.expires_in ?? undefined,
    expires_at: row.expires_at ?? undefined,
    turns: row.turns,
  };
}

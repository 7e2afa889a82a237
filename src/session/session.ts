import { decode, encode } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { randomBytes } from '../call/digest.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import { storeOf } from '../state/state.ts';
import { isRefused, type NewSession, type SessionRecord, type SessionStatus } from '../store/sessions.ts';
import { checkSession, quotasOf, refusal } from './refusal.ts';

export interface SessionSpec {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: ValueMap | undefined;
  /** The session is gone when nothing has changed for this time; `sessions.expires_in_ms` if not given. */
  readonly expires_in_ms?: number | undefined;
}

/** A session as scripts see it; times in ms since 1970. */
export type SessionInfo = {
  id: string;
  name?: string | undefined;
  description?: string | undefined;
  status: SessionStatus;
  tags: string[];
  metadata: ValueMap;
  turns: number;
  created_at: number;
  updated_at: number;
  saved_at?: number | undefined;
  expires_at?: number | undefined;
  forked_from?: string | undefined;
};

/** What a session's own description may take, bytes. */
const MOST_METADATA_BYTES = 65_536;

/** Makes a session, inside the host's hooks at `session:start`. Throws LIMIT_EXCEEDED beyond a quota, CONFLICT when the id is taken. */
export function createSession(context: Context, spec: SessionSpec, id: string = newId()): Soon<SessionInfo> {
  const made = (input: ValueMap) => {
    const { expires_in_ms: configured } = context.run.host.config.sessions;
    const session = newSession(context, id, { ...spec, ...(input as SessionSpec), expires_in_ms: spec.expires_in_ms ?? configured });
    return whenReady(storeOf(context).sessions.create(session, quotasOf(context), nowOf(context)), (outcome) => {
      if (isRefused(outcome)) throw refusal(context, id, outcome);
      // Sessions that have expired go when one is made, and their files with them.
      return whenReady(storeOf(context).artifacts.collect(), () => infoOf(outcome));
    });
  };
  return started(context, id, { ...described(spec) }, made);
}

/** The session, undefined when there is none. */
export function getSession(context: Context, id: string): Soon<SessionInfo | undefined> {
  checkSession(context, id);
  return whenReady(storeOf(context).sessions.get(id, nowOf(context)), (record) => record && infoOf(record));
}

/** Newest first. */
export function listSessions(
  context: Context,
  { limit = 100, ...filter }: { status?: SessionStatus | undefined; tags?: readonly string[] | undefined; limit?: number | undefined },
): Soon<SessionInfo[]> {
  return whenReady(storeOf(context).sessions.list({ ...filter, limit }, nowOf(context)), (all) => all.map(infoOf));
}

const VERBS = {
  suspend: { from: ['active'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'active' },
  complete: { from: ['active', 'suspended'], to: 'completed' },
} as const satisfies Record<string, { from: readonly SessionStatus[]; to: SessionStatus }>;

/** Moves a session to another status; completing it is inside the hooks at `session:end`. Throws CONFLICT when its status does not allow that. */
export function moveSession(context: Context, id: string, verb: keyof typeof VERBS): Soon<void> {
  checkSession(context, id);
  const { from, to } = VERBS[verb];
  const move = () =>
    whenReady(storeOf(context).sessions.change(id, from, { status: to }, nowOf(context)), (outcome) => {
      if (isRefused(outcome))
        throw refusal(
          context,
          id,
          outcome,
          `only ${from.length === 2 ? 'an active or suspended' : from[0] === 'active' ? 'an active' : 'a suspended'} session can be`,
        );
      return null;
    });
  const done = verb === 'complete' ? around(context, 'end', id, {}, move) : move();
  return whenReady(done, () => tell(context, to, id));
}

/** Removes a session with its turns, values and artifacts; says whether there was one. One that was not completed ends with it. */
export function deleteSession(context: Context, id: string): Soon<boolean> {
  checkSession(context, id);
  const store = storeOf(context);
  return whenReady(store.sessions.get(id, nowOf(context)), (record) => {
    if (!record) return false;
    const remove = () => whenReady(store.sessions.remove(id, nowOf(context)), (removed) => whenReady(store.artifacts.collect(), () => removed !== undefined));
    const done = record.status === 'completed' ? remove() : around(context, 'end', id, {}, remove);
    return whenReady(done, (there) => whenReady(tell(context, 'deleted', id), () => there === true));
  });
}

/** Waits until the disk has everything of a session, a power loss included, inside the hooks at `session:save`. */
export function saveSession(context: Context, id: string): Soon<void> {
  checkSession(context, id);
  const saved = around(context, 'save', id, {}, () =>
    whenReady(storeOf(context).sessions.change(id, ['active', 'suspended', 'completed'], 'saved', nowOf(context)), (outcome) => {
      if (isRefused(outcome)) throw refusal(context, id, outcome);
      return null;
    }),
  );
  return whenReady(saved, () => tell(context, 'saved', id));
}

/** Copies a session into a new, active one with its turns, values and artifacts. */
export function forkSession(context: Context, id: string): Soon<SessionInfo> {
  checkSession(context, id);
  const store = storeOf(context);
  return whenReady(store.sessions.get(id, nowOf(context)), (record) => {
    if (!record) throw refusal(context, id, { refused: 'absent' });
    const { name, description, tags, expires_in } = record;
    const copy = newId();
    const spec = { name, description, tags, metadata: decode(record.metadata) as ValueMap };
    return started(context, copy, { ...described(spec), forked_from: id }, (input) => {
      const session = newSession(context, copy, { ...spec, ...(input as SessionSpec), expires_in_ms: expires_in }, id);
      return whenReady(store.sessions.fork(id, session, quotasOf(context), nowOf(context)), (outcome) => {
        if (isRefused(outcome)) throw refusal(context, id, outcome);
        return infoOf(outcome);
      });
    });
  });
}

/** Runs an operation on a session inside the hooks of a moment. */
export function around(context: Context, moment: 'end' | 'save', id: string, input: ValueMap, operation: (input: ValueMap) => Soon<Value>): Soon<Value> {
  const watched = { kind: 'session', before: moment, input: { id, ...input }, fields: { session_id: id } };
  return context.run.get(hooks).around<ValueMap, Value>(context, watched, operation);
}

/** Tells what has become of a session. */
export function tell(context: Context, what: string, id: string): Soon<void> {
  return context.run.get(events).announce(context, `session.${what}`, { session_id: id });
}

/** The run's clock in whole milliseconds. */
export function nowOf(context: Context): number {
  return Math.floor(context.run.now());
}

function started(context: Context, id: string, input: ValueMap, make: (input: ValueMap) => Soon<SessionInfo>): Soon<SessionInfo> {
  let made: SessionInfo | undefined;
  const watched = { kind: 'session', before: 'start', input: { id, ...input }, fields: { session_id: id } };
  const done = context.run.get(hooks).around<ValueMap, Value>(context, watched, ({ id: _, forked_from: __, ...given }) =>
    whenReady(make(given), (info) => {
      made = info;
      return null;
    }),
  );
  return whenReady(done, () => {
    const info = made;
    if (!info) throw new ScriptError('HOOK_REJECTED', `${context.method}: a hook skipped the making of the session`);
    return whenReady(tell(context, 'started', id), () => info);
  });
}

function newSession(context: Context, id: string, spec: SessionSpec, forked_from?: string): NewSession {
  const metadata = encode({ ...spec.metadata });
  if (metadata.length > MOST_METADATA_BYTES)
    throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: metadata: expected at most ${MOST_METADATA_BYTES} bytes, got ${metadata.length}`);
  const { name, description, tags = [], expires_in_ms } = spec;
  return { id, name, description, tags: [...new Set(tags)], metadata, forked_from, expires_in: expires_in_ms };
}

function described({ name, description, tags = [], metadata = {} }: SessionSpec): ValueMap {
  return { ...(name !== undefined && { name }), ...(description !== undefined && { description }), tags: [...tags], metadata };
}

/** A new id; chance decides, not the run's seed, so that the same run twice makes two sessions. */
function newId(): string {
  return `ses_${randomBytes(12).toString('hex')}`;
}

export function infoOf(record: SessionRecord): SessionInfo {
  const { id, name, description, status, tags, turns, created_at, updated_at, saved_at, expires_at, forked_from } = record;
  return {
    id,
    name,
    description,
    status,
    tags: [...tags],
    metadata: decode(record.metadata) as ValueMap,
    turns,
    created_at,
    updated_at,
    saved_at,
    expires_at,
    forked_from,
  };
}

import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import type { Quotas, Refused } from '../store/sessions.ts';

const ID = /^[A-Za-z0-9_.-]{1,128}$/;

/** Whether it can be the id of a session. */
export function isSessionId(id: string): boolean {
  return ID.test(id);
}

/** Throws BAD_ARGUMENT unless it can be the id of a session. */
export function checkSession(context: Context, id: string, parameter = 'id'): void {
  if (!isSessionId(id))
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: ${parameter}: expected 1 to 128 of A-Za-z0-9_.-, got ${JSON.stringify(id.slice(0, 80))}`);
}

/** What the configuration allows the tenant. */
export function quotasOf(context: Context): Quotas {
  const { sessions, artifacts } = context.run.host.config;
  return { sessions: sessions.max_count, turns: sessions.max_turns, artifacts: artifacts.max_count, artifact_bytes: artifacts.max_bytes };
}

const QUOTAS: Readonly<Record<keyof Quotas, readonly [setting: string, what: string]>> = {
  sessions: ['sessions.max_count', 'sessions of this tenant'],
  turns: ['sessions.max_turns', 'turns of one session'],
  artifacts: ['artifacts.max_count', 'artifacts of this tenant'],
  artifact_bytes: ['artifacts.max_bytes', 'bytes of artifacts of this tenant'],
};

/** How an active session is had from one that is not. */
const WAYS = { active: '', suspended: '; Session.resume makes it active', completed: '; Session.fork copies it into an active one' } as const;

/** Why a change of a session was not made, as the error that the script gets; `rule` says what would be possible instead of how to make it active. */
export function refusal(context: Context, id: string, refused: Refused, rule?: string): ScriptError {
  const { method } = context;
  switch (refused.refused) {
    case 'absent':
      return new ScriptError('NOT_FOUND', `${method}: there is no session ${id}`);
    case 'taken':
      return new ScriptError('CONFLICT', `${method}: there is a session ${id} already`);
    case 'full': {
      const [setting, what] = QUOTAS[refused.quota];
      return new ScriptError('LIMIT_EXCEEDED', `${method}: more than ${setting} = ${quotasOf(context)[refused.quota]} ${what}`);
    }
    default: {
      const verb = method.split('.').at(-1);
      const how = rule === undefined ? WAYS[refused.refused] : `; ${rule} ${PAST[verb ?? ''] ?? 'changed'}`;
      return new ScriptError('CONFLICT', `${method}: the session ${id} is ${refused.refused}${how}`, { details: { status: refused.refused } });
    }
  }
}

const PAST: Readonly<Record<string, string>> = { suspend: 'suspended', resume: 'resumed', complete: 'completed' };

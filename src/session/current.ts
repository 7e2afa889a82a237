import { type Context, runService } from '../call/context.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { hooks } from '../hook/hooks.ts';
import { storeOf } from '../state/state.ts';
import { checkSession, refusal } from './refusal.ts';
import { createSession, getSession, moveSession, nowOf, type SessionInfo, tell } from './session.ts';

/** The session of a run: none until somebody asks. */
const current = runService('current session', () => ({ id: undefined as string | undefined, making: undefined as Promise<string> | undefined }));

/** The id of the run's session: the one that the host named, made if there is none of that name, else a new one. */
export function currentId(context: Context): Soon<string> {
  const state = context.run.get(current);
  if (state.making) return state.making;
  const { id } = state;
  const known = id !== undefined && whenReady(storeOf(context).sessions.get(id, nowOf(context)), (record) => record !== undefined);
  const found = whenReady(known, (there) => (there && id !== undefined ? id : make(context, id === undefined ? context.run.session : undefined)));
  const settle = (made: string) => {
    state.id = made;
    return made;
  };
  if (!(found instanceof Promise)) return settle(found);
  state.making = found.then(settle).finally(() => {
    state.making = undefined;
  });
  return state.making;
}

/** Makes a session the run's own from here on. Throws NOT_FOUND. */
export function setCurrent(context: Context, id: string): Soon<void> {
  return whenReady(getSession(context, id), (info) => {
    if (!info) throw refusal(context, id, { refused: 'absent' });
    context.run.get(current).id = id;
  });
}

/** Takes a session up again: it becomes the run's own, and active if it was suspended. Hooks at `session:restore` see it. Throws NOT_FOUND. */
export function loadSession(context: Context, id: string): Soon<SessionInfo> {
  checkSession(context, id);
  const watched = { kind: 'session', after: 'restore', input: { id }, fields: { session_id: id } };
  const load = () =>
    whenReady(getSession(context, id), (info) => {
      if (!info) throw refusal(context, id, { refused: 'absent' });
      const active = info.status === 'suspended' ? moveSession(context, id, 'resume') : undefined;
      return whenReady(active, () => whenReady(getSession(context, id), (now) => (now ?? info) as Value));
    });
  return whenReady(context.run.get(hooks).around<ValueMap, Value>(context, watched, load), () =>
    whenReady(setCurrent(context, id), () =>
      whenReady(tell(context, 'restored', id), () =>
        whenReady(getSession(context, id), (info) => {
          if (!info) throw refusal(context, id, { refused: 'absent' });
          return info;
        }),
      ),
    ),
  );
}

function make(context: Context, named: string | undefined): Soon<string> {
  if (named === undefined) return whenReady(createSession(context, {}), ({ id }) => id);
  checkSession(context, named, 'session');
  return whenReady(getSession(context, named), (info) => {
    if (info) return named;
    const made = () => named;
    // Another run may have made it in between.
    const already = (error: unknown) => {
      if (error instanceof ScriptError && error.code === 'CONFLICT') return named;
      throw error;
    };
    try {
      const making = createSession(context, {}, named);
      return making instanceof Promise ? making.then(made, already) : named;
    } catch (error) {
      return already(error);
    }
  });
}

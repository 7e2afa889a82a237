import { decodeSoon, encodeSoon } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { eachSoon, type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { storeOf } from '../state/state.ts';
import { isRefused, type TurnRange } from '../store/sessions.ts';
import { checkSession, quotasOf, refusal } from './refusal.ts';
import { nowOf } from './session.ts';

/** One turn of a conversation, as a script adds it. */
export type Turn = ValueMap & { role: 'system' | 'user' | 'assistant' | 'tool'; content: Value };

/** A turn with its number, from 1, and when it was added, ms since 1970. */
export type NumberedTurn = Turn & { number: number; created_at: number };

/** What one turn may take, its images included, bytes. */
const MOST_TURN_BYTES = 16 * 2 ** 20;
/** What one value may take, bytes: it is written while everything else waits. */
const MOST_VALUE_BYTES = 2 ** 20;
const MOST_KEY_BYTES = 1_024;

/** Adds turns to an active session, all or none, and gives the number of the last. Throws NOT_FOUND, CONFLICT when it is not active, LIMIT_EXCEEDED. */
export function addTurns(context: Context, id: string, turns: readonly Turn[]): Soon<number> {
  checkSession(context, id);
  const encoded = eachSoon(turns, (turn) => bounded(context, 'turn', turn, MOST_TURN_BYTES, ''));
  const appended = whenReady(encoded, (all) => storeOf(context).sessions.append(id, all, quotasOf(context), nowOf(context)));
  return whenReady(appended, (outcome) => {
    if (isRefused(outcome)) throw refusal(context, id, outcome);
    return outcome;
  });
}

/** Turns of a session, oldest first. Throws NOT_FOUND. */
export function getTurns(context: Context, id: string, range: TurnRange): Soon<NumberedTurn[]> {
  return inSession(context, id, () =>
    whenReady(storeOf(context).sessions.turns(id, range), (stored) =>
      eachSoon(stored, ({ number, turn, created_at }) =>
        whenReady(decodeSoon(context.run.cpu, turn), (decoded) => ({ ...(decoded as Turn), number, created_at })),
      ),
    ),
  );
}

/** Sets a value of an active session; null removes it. Throws NOT_FOUND, CONFLICT when it is not active, LIMIT_EXCEEDED for more than a megabyte. */
export function setValue(context: Context, id: string, key: string, value: Value): Soon<void> {
  checkSession(context, id);
  checkKey(context, key);
  const encoded = value === null ? undefined : bounded(context, 'value', value, MOST_VALUE_BYTES, '; keep large content with Artifact.store');
  const set = whenReady(encoded, (bytes) => storeOf(context).sessions.setValue(id, key, bytes, nowOf(context)));
  return whenReady(set, (outcome) => {
    if (isRefused(outcome)) throw refusal(context, id, outcome);
  });
}

/** A value of a session, null when there is none. Throws NOT_FOUND without the session. */
export function getValue(context: Context, id: string, key: string): Soon<Value> {
  checkKey(context, key);
  return inSession(context, id, () => whenReady(storeOf(context).sessions.value(id, key), (bytes) => (bytes ? decodeSoon(context.run.cpu, bytes) : null)));
}

/** All values of a session by key. */
export function getValues(context: Context, id: string): Soon<ValueMap> {
  return inSession(context, id, () =>
    whenReady(storeOf(context).sessions.values(id), (all) =>
      whenReady(
        eachSoon(all, ({ key, value }) => whenReady(decodeSoon(context.run.cpu, value), (decoded) => [key, decoded] as const)),
        (entries) => Object.fromEntries(entries),
      ),
    ),
  );
}

/** Reads something of a session that is there. Throws NOT_FOUND. */
function inSession<T>(context: Context, id: string, read: () => Soon<T>): Soon<T> {
  checkSession(context, id);
  return whenReady(storeOf(context).sessions.get(id, nowOf(context)), (record) => {
    if (!record) throw refusal(context, id, { refused: 'absent' });
    return read();
  });
}

function bounded(context: Context, parameter: string, value: Value, most: number, instead: string): Soon<Uint8Array> {
  return whenReady(encodeSoon(context.run.cpu, value, `${context.method}: ${parameter}`, context.run.language), (bytes) => {
    if (bytes.length <= most) return bytes;
    throw new ScriptError('LIMIT_EXCEEDED', `${context.method}: ${parameter}: takes more than ${most / 2 ** 20} MB${instead}`);
  });
}

function checkKey(context: Context, key: string): void {
  const size = Buffer.byteLength(key);
  if (size === 0 || size > MOST_KEY_BYTES)
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: key: expected 1 to ${MOST_KEY_BYTES} bytes of text, got ${size}`);
}

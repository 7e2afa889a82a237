import { doneInTurns } from '../call/breath.ts';
import { decodeSoon } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { fromJsonText } from '../call/json.ts';
import type { Soon } from '../call/soon.ts';
import type { Value } from '../call/value.ts';
import { beside } from './beside.ts';
import { findInSteps } from './json-path.ts';
import { checkParts } from './parts.ts';
import type { JsonInput } from './work/json.ts';

/** Longer texts, in UTF-16 code units, are parsed in a thread. */
const LONG = 32_768;
const TASK = new URL('./work/json.ts', import.meta.url);

/** The value of a JSON text, from a thread where that is long. Throws BAD_ARGUMENT that begins with `place`, and LIMIT_EXCEEDED for one that could not go to a script. */
export function readJson(context: Context, text: string, place?: string): Soon<Value> {
  if (text.length > LONG) return inThread(context, { text, place, path: undefined });
  const value = fromJsonText(text, place);
  checkParts(value, place);
  return value;
}

/** What a path leads to in a JSON text, from a thread where that is long. Throws as `readJson` and `find` do. */
export function findInText(context: Context, text: string, path: string, place?: string): Soon<Value[]> {
  if (text.length > LONG) return inThread(context, { text, place, path }) as Promise<Value[]>;
  return findIn(context, fromJsonText(text, place), path);
}

/** What a path leads to in a value, over several turns of the event loop where it looks at many places. */
export function findIn({ run }: Context, data: Value, path: string): Soon<Value[]> {
  return doneInTurns(run.cpu, findInSteps(data, path));
}

async function inThread(context: Context, input: JsonInput): Promise<Value> {
  return decodeSoon(context.run.cpu, await beside<Uint8Array>(context, TASK, input));
}

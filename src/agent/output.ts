import { decodeSoon, encode } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { fromJsonText } from '../call/json.ts';
import { checkerOf, type SchemaChecker } from '../call/json-schema/check.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import { toPlain, type Value, type ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { inWorker } from '../worker/pool.ts';
import type { OutputTask, ReadBeside } from './output-task.ts';

/** What a model may write as an answer that is read, characters. */
const MOST_ANSWER = 1_000_000;
/** Longer answers are read beside the event loop. */
const LONG = 32_768;
const DEADLINE_MS = 30_000;
const TASK = new URL('./output-task.ts', import.meta.url);

/** A value, or what is wrong with the answer in one sentence. */
export type Read = { readonly value: Value } | { readonly problem: string };

/** Reads the answers of one conversation, for which the schema is compiled once; see `readOutput`. */
export function outputReader({ run, signal }: Context, schema: ValueMap): (text: string) => Soon<Read> {
  let check: SchemaChecker | undefined;
  const compiled = () => {
    check ??= checkerOf(schema, NAME);
    return check;
  };
  return (text) => {
    if (text.length > MOST_ANSWER) return { problem: `it has more than ${MOST_ANSWER} characters` };
    if (text.length <= LONG) return readOutput(text, schema, compiled);
    const task: OutputTask = { text, schema: encode(schema) };
    return inWorker<ReadBeside>(TASK, task, { deadlineMs: DEADLINE_MS, run, signal }).then((read) =>
      'problem' in read ? read : whenReady(decodeSoon(run.cpu, read.bytes), (value) => ({ value })),
    );
  };
}

const NAME = 'output_schema';

/** A model's answer as the value that a schema describes, or what is wrong with it in one sentence. */
export function readOutput(text: string, schema: ValueMap, compiled = () => checkerOf(schema, NAME)): Read {
  const json = jsonIn(text);
  if (json === undefined) return { problem: 'it is no JSON' };
  try {
    const plain = toPlain(json) as Value;
    compiled()(plain, 'answer');
    return { value: json };
  } catch (error) {
    if (error instanceof ScriptError && error.message.startsWith(NAME)) throw error;
    return { problem: error instanceof Error ? error.message : 'it does not fit the schema' };
  }
}

const FENCE = '```';

/** What stands in the first fenced block. */
function fencedIn(text: string): string | undefined {
  const open = text.indexOf(FENCE);
  const close = open < 0 ? -1 : text.indexOf(FENCE, open + FENCE.length);
  return close < 0 ? undefined : text.slice(open + FENCE.length, close).replace(/^json/, '');
}

/** The JSON in a text: the whole of it, a fenced block, or from the first bracket to the last; trailing commas are forgiven. */
function jsonIn(text: string): Value | undefined {
  const fenced = fencedIn(text);
  const start = text.search(/[[{]/);
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'));
  const candidates = [text, fenced, start >= 0 && end > start ? text.slice(start, end + 1) : undefined].filter((one) => one !== undefined);
  // Most of them are the same text, which is read once.
  const tried = new Set<string>();
  for (const candidate of candidates) {
    for (const repaired of [candidate.trim(), candidate.replaceAll(/,(\s*[}\]])/g, '$1').trim()]) {
      if (tried.has(repaired)) continue;
      tried.add(repaired);
      try {
        return fromJsonText(repaired);
      } catch {
        // The next candidate.
      }
    }
  }
  return undefined;
}

import { fromJsonText } from '../call/json.ts';
import { checkerOf } from '../call/json-schema/check.ts';
import { toPlain, type Value, type ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';

/** A model's answer as the value that a schema describes, or what is wrong with it in one sentence. */
export function readOutput(text: string, schema: ValueMap): { value: Value } | { problem: string } {
  const json = jsonIn(text);
  if (json === undefined) return { problem: 'it is no JSON' };
  try {
    const plain = toPlain(json) as Value;
    checkerOf(schema, 'output_schema')(plain, 'answer');
    return { value: json };
  } catch (error) {
    if (error instanceof ScriptError && error.message.startsWith('output_schema')) throw error;
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
  for (const candidate of candidates) {
    for (const repaired of [candidate, candidate.replaceAll(/,(\s*[}\]])/g, '$1')]) {
      try {
        return fromJsonText(repaired.trim());
      } catch {
        // The next candidate.
      }
    }
  }
  return undefined;
}

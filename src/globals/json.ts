import { decodeSoon } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import { builtinGlobal, method } from '../call/define.ts';
import { fromJsonText, toJsonTextSoon } from '../call/json.ts';
import { anyValue } from '../call/schema.ts';
import type { Soon } from '../call/soon.ts';
import type { Value } from '../call/value.ts';
import { inWorker } from '../worker/pool.ts';
import { z } from '../zod.ts';
import type { JsonTask } from './json-task.ts';

/** Longer texts, in UTF-16 code units, are parsed beside the event loop. */
const LONG = 131_072;
const DEADLINE_MS = 30_000;
const TASK = new URL('./json-task.ts', import.meta.url);

/** JSON for Lua; JavaScript keeps its own. */
export const jsonGlobal = builtinGlobal({
  name: 'JSON',
  only: 'lua',
  doc: "JSON text. `JSON.null` is null inside data; `JSON.array(t)` marks a table as an array, so that an empty one stays `[]`. In JavaScript it is the language's own `JSON`.",
  methods: {
    parse: method({
      doc: 'The value of a JSON text; integers stay integers. Half of a surrogate pair (`"\\ud800"`) is an error: it stands for no text.',
      params: { text: z.string() },
      result: anyValue,
      effect: 'pure',
      examples: [{ lua: `print(JSON.parse('{"a": [1, 2.5, null]}').a[1])`, javascript: `print(JSON.parse('{"a": [1, 2.5, null]}').a[0])` }],
      handler: ({ text }, context) => parse({ text, place: 'JSON.parse: text' }, context),
    }),
    stringify: method({
      doc: 'The JSON text of a value. A string that is not UTF-8 is bytes and becomes `{"$bytes": base64}`.',
      params: { value: anyValue, options: z.strictObject({ pretty: z.boolean().optional() }).optional() },
      result: z.string(),
      effect: 'pure',
      examples: [{ lua: `print(JSON.stringify({name = "Ada", tags = JSON.array({})}))`, javascript: `print(JSON.stringify({name: "Ada", tags: []}))` }],
      handler: ({ value, options: { pretty = false } = {} }, { run }) => toJsonTextSoon(run.cpu, value, { pretty, place: 'JSON.stringify: value', first: 1 }),
    }),
  },
});

function parse(task: JsonTask, { run, signal }: Context): Soon<Value> {
  if (task.text.length <= LONG) return fromJsonText(task.text, task.place);
  return inWorker<Uint8Array>(TASK, task, { deadlineMs: DEADLINE_MS, run, signal }).then((bytes) => decodeSoon(run.cpu, bytes));
}

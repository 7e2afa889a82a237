import { z } from 'zod';
import { builtinGlobal, method } from '../call/define.ts';
import { fromJsonText, toJsonText } from '../call/json.ts';
import { anyValue } from '../call/schema.ts';

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
      handler: ({ text }) => fromJsonText(text, 'JSON.parse: text'),
    }),
    stringify: method({
      doc: 'The JSON text of a value. A string that is not UTF-8 is bytes and becomes `{"$bytes": base64}`.',
      params: { value: anyValue, options: z.strictObject({ pretty: z.boolean().optional() }).optional() },
      result: z.string(),
      effect: 'pure',
      examples: [{ lua: `print(JSON.stringify({name = "Ada", tags = JSON.array({})}))`, javascript: `print(JSON.stringify({name: "Ada", tags: []}))` }],
      handler: ({ value, options: { pretty = false } = {} }) => toJsonText(value, { pretty, place: 'JSON.stringify: value', first: 1 }),
    }),
  },
});

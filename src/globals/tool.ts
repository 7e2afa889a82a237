import type { Context } from '../call/context.ts';
import { builtinGlobal, defineHandle, handleMethod, method } from '../call/define.ts';
import { lines } from '../call/lines.ts';
import { anyMap, anyValue, handle, keptCallback } from '../call/schema.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { MOST_MS } from '../config/config.ts';
import { tools } from '../tool/registry.ts';
import { ownTool } from '../tool/script.ts';
import { TOOL_HANDLE, type Tool } from '../tool/tool.ts';
import { z } from '../zod.ts';

const info = z.object({
  name: z.string(),
  description: z.string(),
  category: z.string(),
  tags: z.array(z.string()),
  version: z.string(),
  source: z.enum(['builtin', 'host', 'script', 'mcp']),
});

/** Runs a tool; one of the script that waits for ever is told apart from one that waits for the host. */
function execute(context: Context, tool: string | Tool, params: ValueMap): Soon<Value> {
  return context.run.get(lines).counted(context, () => context.run.get(tools).execute(context, tool, params));
}

/** Tools: those that come with the runtime, the host's, and the script's own. */
export const toolGlobal = builtinGlobal({
  name: 'Tool',
  doc: "Tools: those that come with the runtime, the host's, and the script's own.",
  methods: {
    get: method({
      doc: 'A tool by name, nil when there is none; kebab-case finds the same tool.',
      params: { name: z.string() },
      result: handle(TOOL_HANDLE).nullable(),
      effect: 'read',
      examples: [
        {
          lua: `local tool = Tool.get("calculator")\nprint(tool:execute({expression = "6 * 7"}).result)`,
          javascript: `const tool = Tool.get("calculator")\nprint(tool.execute({expression: "6 * 7"}).result)`,
        },
      ],
      handler: ({ name }, { run }) => whenReady(run.get(tools).get(name), (found) => found ?? null),
    }),
    list: method({
      doc: 'Every tool.',
      params: {},
      result: z.array(info),
      effect: 'read',
      examples: [{ lua: `print(#Tool.list() > 10)`, javascript: `print(Tool.list().length > 10)` }],
      handler: (_, { run }) => run.get(tools).list(),
    }),
    discover: method({
      doc: 'Tools of a category or with a tag; a query ranks them by relevance.',
      params: {
        filter: z
          .strictObject({
            category: z.string().optional(),
            tag: z.string().optional(),
            query: z.string().max(1_000).optional().describe('words, of at most 1,000 characters together; what matches none of them is left out'),
          })
          .default({}),
      },
      result: z.array(info),
      effect: 'read',
      examples: [{ lua: `print(Tool.discover({query = "search the web"})[1].name)`, javascript: `print(Tool.discover({query: "search the web"})[0].name)` }],
      handler: ({ filter }, { run }) => run.get(tools).discover(filter),
    }),
    execute: method({
      doc: 'Runs a tool by name.',
      params: { name: z.string(), params: anyMap.default({}) },
      result: anyValue,
      effect: 'external',
      only_callbacks: 'when_idle',
      examples: [
        {
          lua: `print(Tool.execute("calculator", {expression = "2^10"}).result)`,
          javascript: `print(Tool.execute("calculator", {expression: "2^10"}).result)`,
        },
      ],
      handler: ({ name, params }, context) => execute(context, name, params),
    }),
    exists: method({
      doc: 'Whether there is a tool of this name.',
      params: { name: z.string() },
      result: z.boolean(),
      effect: 'read',
      examples: [{ lua: `print(Tool.exists("web-search"))`, javascript: `print(Tool.exists("web-search"))` }],
      handler: ({ name }, { run }) => run.get(tools).has(name),
    }),
    categories: method({
      doc: 'The categories of all tools.',
      params: {},
      result: z.array(z.string()),
      effect: 'read',
      examples: [{ lua: `print(Tool.categories())`, javascript: `print(Tool.categories())` }],
      handler: (_, { run }) =>
        [
          ...new Set(
            run
              .get(tools)
              .list()
              .map(({ category }) => category),
          ),
        ].sort(),
    }),
    get_schema: method({
      doc: "A tool's parameters as JSON Schema, nil when there is no such tool.",
      params: { name: z.string() },
      result: anyMap.nullable(),
      effect: 'read',
      examples: [
        {
          lua: `print(Tool.get_schema("calculator").properties.expression.type)`,
          javascript: `print(Tool.get_schema("calculator").properties.expression.type)`,
        },
      ],
      handler: ({ name }, { run }) => whenReady(run.get(tools).get(name), (found) => found?.schema ?? null),
    }),
    register: method({
      doc: "Adds a tool of the script's own; `parameters` is a JSON Schema that arguments are checked against.",
      params: {
        definition: z.strictObject({
          name: z.string(),
          description: z.string(),
          parameters: anyMap.optional(),
          handler: keptCallback('(params: any) => any'),
          category: z.string().optional(),
          tags: z.array(z.string()).optional(),
          timeout_ms: z.int().min(1).max(MOST_MS).optional(),
        }),
      },
      result: handle(TOOL_HANDLE),
      effect: 'write',
      keeps: true,
      examples: [
        {
          lua: `Tool.register({\n  name = "shout",\n  description = "Text in capitals",\n  parameters = {type = "object", properties = {text = {type = "string"}}, required = {"text"}},\n  handler = function(params) return params.text:upper() end\n})\nprint(Tool.execute("shout", {text = "hi"}))`,
          javascript: `Tool.register({\n  name: "shout",\n  description: "Text in capitals",\n  parameters: {type: "object", properties: {text: {type: "string"}}, required: ["text"]},\n  handler: params => params.text.toUpperCase()\n})\nprint(Tool.execute("shout", {text: "hi"}))`,
        },
      ],
      handler({ definition }, context) {
        const tool = ownTool(definition, `${context.method}: `, context);
        context.run.get(tools).register(tool);
        return tool;
      },
    }),
    remove: method({
      doc: "Removes a tool of the script's own; says whether there was one.",
      params: { name: z.string() },
      result: z.boolean(),
      effect: 'write',
      examples: [{ lua: `print(Tool.remove("shout"))`, javascript: `print(Tool.remove("shout"))` }],
      handler: ({ name }, { run }) => run.get(tools).remove(name),
    }),
  },
  handles: [
    defineHandle({
      type: TOOL_HANDLE,
      doc: 'A tool; `name`, `description`, `category`, `version` and `schema` are its fields.',
      methods: {
        execute: handleMethod<Tool>()({
          doc: 'Runs the tool.',
          params: { params: anyMap.default({}) },
          result: anyValue,
          effect: 'external',
          only_callbacks: 'when_idle',
          examples: [{ lua: `print(Tool.get("uuid"):execute({}).uuid ~= nil)`, javascript: `print(Tool.get("uuid").execute({}).uuid != null)` }],
          handler: ({ self, params }, context) => execute(context, self, params),
        }),
      },
    }),
  ],
});

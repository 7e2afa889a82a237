import { Liquid } from 'liquidjs';
import { z } from 'zod';
import { anyMap } from '../../call/schema.ts';
import { toPlain } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { defineTool } from '../tool.ts';

const engine = new Liquid({
  // No files: a template cannot include what the script did not give.
  templates: {},
  relativeReference: false,
  ownPropertyOnly: true,
  parseLimit: 1_000_000,
  renderLimit: 2_000,
  memoryLimit: 20_000_000,
  timezoneOffset: 0,
});

/** Liquid templates, without access to files. */
export const template = defineTool(
  {
    name: 'template',
    description: 'Fills a Liquid template',
    category: 'text',
    effect: 'pure',
    tags: ['liquid', 'render'],
    input: z.strictObject({
      template: z.string().max(1_000_000),
      variables: anyMap.default({}),
      strict: z.boolean().default(false).describe('an unknown variable is an error'),
    }),
    output: z.object({ text: z.string() }),
    examples: [
      {
        lua: `print(Tool.execute("template", {template = "{% for n in names %}Hello {{ n }}! {% endfor %}", variables = {names = {"Ada", "Bob"}}}).text)`,
        javascript: `print(Tool.execute("template", {template: "{% for n in names %}Hello {{ n }}! {% endfor %}", variables: {names: ["Ada", "Bob"]}}).text)`,
      },
    ],
    execute({ template: source, variables, strict }) {
      try {
        return { text: engine.parseAndRenderSync(source, toPlain(variables) as object, { strictVariables: strict }) as string };
      } catch (error) {
        const message = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'it cannot be rendered';
        throw new ScriptError('BAD_ARGUMENT', `template: template: ${message.replace(/, file:.*?(?=, line|$)/, '')}`, { cause: error });
      }
    },
  },
  'builtin',
);

import { anyMap } from '../../call/schema.ts';
import { toPlain, type ValueMap } from '../../call/value.ts';
import { z } from '../../zod.ts';
import { beside } from '../beside.ts';
import { isSmall } from '../small.ts';
import { defineTool } from '../tool.ts';
import { run } from '../work/template.ts';

const SMALL = 10_000;

/** Liquid templates, without access to files. */
export const template = defineTool(
  {
    name: 'template',
    description: 'Fills a Liquid template; a map is printed as JSON, a list as its items one after the other',
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
      {
        lua: `print(Tool.execute("template", {template = "{{ town }} {{ days | join: ', ' }} {{ days | json }}", variables = {town = {name = "Oslo"}, days = {1, 2}}}).text)`,
        javascript: `print(Tool.execute("template", {template: "{{ town }} {{ days | join: ', ' }} {{ days | json }}", variables: {town: {name: "Oslo"}, days: [1, 2]}}).text)`,
      },
    ],
    execute({ template: source, variables, strict }, context) {
      const input = { template: source, variables: toPlain(variables) as ValueMap, strict };
      const small = source.length <= SMALL && isSmall(input.variables, SMALL);
      const answer = small ? run({ ...input, brief: true }) : undefined;
      return answer ?? beside<{ text: string }>(context, new URL('../work/template.ts', import.meta.url), input);
    },
  },
  'builtin',
);

import { z } from '../../zod.ts';
import { evaluate } from '../calculate.ts';
import { defineTool } from '../tool.ts';

/** Arithmetic, without any evaluation of code. */
export const calculator = defineTool(
  {
    name: 'calculator',
    description: 'Evaluates an arithmetic expression',
    category: 'math',
    effect: 'pure',
    tags: ['numbers'],
    input: z.strictObject({
      expression: z.string().max(10_000).describe('numbers, + - * / % ^, parentheses, pi, e, tau, and functions such as sqrt(2), min(1, 2), round(x, 2)'),
      variables: z.record(z.string(), z.number()).optional(),
    }),
    output: z.object({ result: z.number() }),
    examples: [
      {
        lua: `print(Tool.execute("calculator", {expression = "sqrt(a^2 + b^2)", variables = {a = 3, b = 4}}).result)`,
        javascript: `print(Tool.execute("calculator", {expression: "sqrt(a^2 + b^2)", variables: {a: 3, b: 4}}).result)`,
      },
    ],
    execute: ({ expression, variables }) => ({ result: evaluate(expression, variables) }),
  },
  'builtin',
);

import { z } from '../../zod.ts';
import { drawChain } from '../diagram.ts';
import { defineKind } from '../kind.ts';
import { namedSteps, stepSchema } from '../step.ts';

/** Steps one after the other. */
export const sequential = defineKind({
  name: 'sequential',
  doc: 'Steps one after the other; the output is that of the last one.',
  options: { steps: z.array(stepSchema).min(1) },
  examples: [
    {
      lua: `local workflow = Workflow.sequential({\n  name = "sum",\n  steps = {\n    {name = "add", tool = "calculator", input = {expression = "$input + 1"}},\n    {name = "say", handler = function(ctx) return "the sum is " .. ctx.add.result end}\n  }\n})\nprint(workflow:execute(41).output)`,
      javascript: `const workflow = Workflow.sequential({\n  name: "sum",\n  steps: [\n    {name: "add", tool: "calculator", input: {expression: "$input + 1"}},\n    {name: "say", handler: ctx => "the sum is " + ctx.add.result}\n  ]\n})\nprint(workflow.execute(41).output)`,
    },
  ],
  plan({ steps: specs }) {
    const steps = namedSteps('Workflow.sequential', specs);
    return {
      parts: [{ label: 'steps', steps }],
      async run(execution, context, scope, records) {
        try {
          await execution.runSteps(context, steps, scope);
        } finally {
          records.push(...scope.records);
        }
        return { output: scope.last, outputs: scope.outputs() };
      },
      draw: (id, from, to) => drawChain(id, steps, from, to),
    };
  },
});

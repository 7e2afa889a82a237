import { z } from 'zod';
import { drawChain } from '../diagram.ts';
import type { Plan } from '../kind.ts';
import { namedSteps, stepSchema } from '../step.ts';

export const sequentialSchema = { steps: z.array(stepSchema).min(1) };

/** Steps one after the other; the output is the last one's. */
export function sequential({ steps: specs }: z.output<z.ZodObject<typeof sequentialSchema>>): Plan {
  const steps = namedSteps('Workflow.sequential', specs);
  return {
    kind: 'sequential',
    parts: [{ label: 'steps', steps }],
    async run(execution, context, scope, records) {
      try {
        await execution.runSteps(context, steps, scope);
      } finally {
        records.push(...scope.records);
      }
      return { output: scope.last, outputs: scope.outputs() };
    },
    draw: (id) => drawChain(id, steps, 'start', 'stop'),
  };
}

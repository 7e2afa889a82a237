import { z } from 'zod';
import { drawChain, label } from '../diagram.ts';
import type { Plan } from '../kind.ts';
import { Scope } from '../scope.ts';
import { condition, namedSteps, stepSchema } from '../step.ts';

const steps = z.array(stepSchema).min(1);

export const conditionalSchema = {
  branches: z.array(z.strictObject({ name: z.string(), condition, steps })).min(1),
  default: z
    .union([steps, z.strictObject({ steps })])
    .optional()
    .describe('steps for when no condition is true'),
};

/** The first branch whose condition is true; the output is that of its last step. */
export function conditional({ branches: given, default: otherwise }: z.output<z.ZodObject<typeof conditionalSchema>>): Plan {
  const branches = given.map((branch) => ({ ...branch, steps: namedSteps(`Workflow.conditional: branch ${branch.name}`, branch.steps) }));
  const fallback = otherwise === undefined ? undefined : namedSteps('Workflow.conditional: default', Array.isArray(otherwise) ? otherwise : otherwise.steps);
  return {
    kind: 'conditional',
    parts: [
      ...branches.map((branch) => ({ label: branch.name, steps: branch.steps, conditions: [branch.condition] })),
      ...(fallback ? [{ label: 'default', steps: fallback }] : []),
    ],
    async run(execution, context, scope, records) {
      let chosen = fallback;
      for (const branch of branches) {
        if (!(await execution.holds(context, branch.condition, scope))) continue;
        chosen = branch.steps;
        break;
      }
      const own = new Scope(scope.input, scope);
      try {
        await execution.runSteps(context, chosen ?? [], own);
      } finally {
        records.push(...own.records);
      }
      return { output: own.last, outputs: own.outputs() };
    },
    draw: (id) => [
      `start --> ${id}choice{choose}`,
      ...branches.flatMap((branch) => drawChain(id, branch.steps, `${id}choice`, 'stop', label(branch.name))),
      ...(fallback ? drawChain(id, fallback, `${id}choice`, 'stop', 'default') : [`${id}choice -->|none| stop`]),
    ],
  };
}

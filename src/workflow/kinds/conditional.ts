import { z } from '../../zod.ts';
import { drawChain, label } from '../diagram.ts';
import { defineKind } from '../kind.ts';
import { Scope } from '../scope.ts';
import { condition, namedParts, namedSteps, stepSchema } from '../step.ts';

const steps = z.array(stepSchema).min(1);

/** The first branch whose condition is true. */
export const conditional = defineKind({
  name: 'conditional',
  doc: 'The first branch whose condition is true, else `default`; the output is that of its last step.',
  options: {
    branches: z.array(z.strictObject({ name: z.string(), condition, steps })).min(1),
    default: z
      .union([steps, z.strictObject({ steps })])
      .optional()
      .describe('steps for when no condition is true'),
  },
  examples: [
    {
      lua: `local workflow = Workflow.conditional({\n  name = "size",\n  branches = {{name = "big", condition = function(ctx) return ctx.input > 10 end, steps = {{name = "say", handler = function() return "big" end}}}},\n  default = {{name = "say", handler = function() return "small" end}}\n})\nprint(workflow:execute(50).output)`,
      javascript: `const workflow = Workflow.conditional({\n  name: "size",\n  branches: [{name: "big", condition: ctx => ctx.input > 10, steps: [{name: "say", handler: () => "big"}]}],\n  default: [{name: "say", handler: () => "small"}]\n})\nprint(workflow.execute(50).output)`,
    },
  ],
  plan({ branches: given, default: otherwise }) {
    const branches = namedParts('Workflow.conditional', given).map((branch) => ({
      ...branch,
      steps: namedSteps(`Workflow.conditional: branch ${JSON.stringify(branch.name)}`, branch.steps),
    }));
    const fallback = otherwise === undefined ? undefined : namedSteps('Workflow.conditional: default', Array.isArray(otherwise) ? otherwise : otherwise.steps);
    return {
      parts: [
        ...branches.map((branch) => ({ label: branch.name, steps: branch.steps, before: [branch.condition] })),
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
      draw: (id, from, to) => [
        `${id}choice{"choose"}`,
        `${from} --> ${id}choice`,
        ...branches.flatMap((branch, at) => drawChain(`${id}b${at + 1}_`, branch.steps, `${id}choice`, to, label(branch.name))),
        ...(fallback ? drawChain(`${id}default_`, fallback, `${id}choice`, to, 'default') : [`${id}choice -->|"none"| ${to}`]),
      ],
    };
  },
});

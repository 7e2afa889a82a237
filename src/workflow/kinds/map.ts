import { anyValue } from '../../call/schema.ts';
import { sideBySide } from '../../call/side-by-side.ts';
import type { Value } from '../../call/value.ts';
import { z } from '../../zod.ts';
import { drawChain } from '../diagram.ts';
import { defineKind } from '../kind.ts';
import { Scope } from '../scope.ts';
import { namedSteps, stepSchema } from '../step.ts';
import { listOf } from './loop.ts';

/** One step for every item, side by side. */
export const map = defineKind({
  name: 'map',
  doc: 'One step for every item, side by side; the output is a list in the order of the items. The first item that fails for good cancels the others.',
  options: {
    items: anyValue.describe('a list, or a reference to one'),
    step: stepSchema,
    max_concurrency: z.int().min(1).default(16).describe('as many at once'),
  },
  examples: [
    {
      lua: `local workflow = Workflow.map({name = "shout", items = "$input", step = {name = "up", tool = "text", input = {operation = "upper", text = "$loop.value"}}})\nprint(workflow:execute({"a", "b"}).output[2].text)`,
      javascript: `const workflow = Workflow.map({name: "shout", items: "$input", step: {name: "up", tool: "text", input: {operation: "upper", text: "$loop.value"}}})\nprint(workflow.execute(["a", "b"]).output[1].text)`,
    },
  ],
  plan({ items: given, step: spec, max_concurrency }) {
    const steps = namedSteps('Workflow.map', [spec]);
    return {
      parts: [{ label: 'step', steps, turns: true }],
      values: [given],
      async run(execution, context, scope, records) {
        const items = await listOf(execution, context, scope, given, 'items');
        const scopes = items.map((value, index) => new Scope(scope.input, scope, { index: index + execution.first, value }));
        try {
          await sideBySide(context, scopes, (inside, own) => execution.runSteps(inside, steps, own), { atOnce: max_concurrency, why: 'another item failed' });
        } finally {
          records.push(...scopes.flatMap((own) => own.recordsOf(steps)));
        }
        const output: Value[] = scopes.map((own) => own.last);
        return { output, outputs: { items: output } };
      },
      draw: (id, from, to) => drawChain(id, steps, from, to, 'each item'),
    };
  },
});

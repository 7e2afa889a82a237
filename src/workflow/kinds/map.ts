import { z } from 'zod';
import { anyValue } from '../../call/schema.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { drawChain } from '../diagram.ts';
import type { Plan } from '../kind.ts';
import { Scope } from '../scope.ts';
import { namedSteps, stepSchema } from '../step.ts';
import { listOf } from './loop.ts';

export const mapSchema = {
  items: anyValue.describe('a list, or a reference to one'),
  step: stepSchema,
  max_concurrency: z.int().min(1).default(16),
};

/** One step for every item, side by side; the output is a list in the items' order. */
export function map({ items: given, step: spec, max_concurrency }: z.output<z.ZodObject<typeof mapSchema>>): Plan {
  const steps = namedSteps('Workflow.map', [spec]);
  return {
    kind: 'map',
    parts: [{ label: 'step', steps, turns: true }],
    values: [given],
    async run(execution, context, scope, records) {
      const items = await listOf(execution, context, scope, given, 'Workflow.map: items');
      const abort = new AbortController();
      const inside = context.with({ signal: AbortSignal.any([context.signal, abort.signal]) });
      const scopes = items.map((value, index) => new Scope(scope.input, scope, { index, value }));
      let failure: unknown;
      let next = 0;
      const work = async () => {
        while (next < items.length && !failure) {
          const own = scopes[next++] as Scope;
          try {
            await execution.runSteps(inside, steps, own);
          } catch (error) {
            failure ??= error;
            abort.abort(new ScriptError('CANCELLED', 'another item failed'));
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(max_concurrency, items.length) }, work));
      records.push(...scopes.flatMap((own) => own.records));
      if (failure) throw failure;
      const output: Value[] = scopes.map((own) => own.last);
      return { output, outputs: { items: output } };
    },
    draw: (id) => drawChain(id, steps, 'start', 'stop', 'each item'),
  };
}

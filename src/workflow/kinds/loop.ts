import { z } from 'zod';
import type { Context } from '../../call/context.ts';
import { anyValue } from '../../call/schema.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { drawChain } from '../diagram.ts';
import type { Execution } from '../engine.ts';
import type { Plan } from '../kind.ts';
import { Scope } from '../scope.ts';
import { type Condition, condition, namedSteps, stepSchema } from '../step.ts';

const iterator = z.union([
  z.strictObject({ range: z.strictObject({ start: z.number(), stop: z.number().describe('the last value'), step: z.number().default(1) }) }),
  z.strictObject({ collection: anyValue.describe('a list, or a reference to one') }),
  z.strictObject({ while_condition: condition }),
]);

export const loopSchema = {
  iterator,
  body: z.union([z.array(stepSchema).min(1), stepSchema]),
  max_iterations: z.int().min(1).max(1_000_000).default(1_000),
  break_when: condition.optional().describe('asked after each turn'),
};

/** The body once for each value; the output is a list of what its last step gave in each turn. */
export function loop({ iterator: over, body, max_iterations, break_when }: z.output<z.ZodObject<typeof loopSchema>>): Plan {
  const steps = namedSteps('Workflow.loop: body', Array.isArray(body) ? body : [body]);
  const values = 'range' in over ? rangeOf(over.range, max_iterations) : undefined;
  return {
    kind: 'loop',
    parts: [
      {
        label: 'body',
        steps,
        turns: true,
        conditions: [...('while_condition' in over ? [over.while_condition as Condition] : []), ...(break_when === undefined ? [] : [break_when as Condition])],
      },
    ],
    ...('collection' in over && { values: [over.collection] }),
    async run(execution, context, scope, records) {
      const items =
        values ?? ('collection' in over ? await listOf(execution, context, scope, over.collection, 'Workflow.loop: iterator.collection') : undefined);
      if (items && items.length > max_iterations)
        throw new ScriptError('LIMIT_EXCEEDED', `Workflow.loop: ${items.length} values are more than max_iterations = ${max_iterations}`);
      const outputs: Value[] = [];
      for (let index = 0; items ? index < items.length : true; index++) {
        const own = new Scope(scope.input, scope, { index, value: items?.[index] ?? outputs.at(-1) ?? null });
        if ('while_condition' in over && !(await execution.holds(context, over.while_condition as Condition, own))) break;
        if (index >= max_iterations)
          throw new ScriptError('LIMIT_EXCEEDED', `Workflow.loop: the condition still holds after max_iterations = ${max_iterations}`);
        try {
          await execution.runSteps(context, steps, own);
        } finally {
          records.push(...own.records);
        }
        outputs.push(own.last);
        if (break_when !== undefined && (await execution.holds(context, break_when as Condition, own))) break;
      }
      return { output: outputs, outputs: { iterations: outputs } };
    },
    draw: (id) => [`start --> ${id}turn{next}`, ...drawChain(id, steps, `${id}turn`, `${id}turn`, 'turn'), `${id}turn -->|done| stop`],
  };
}

function rangeOf({ start, stop, step }: { start: number; stop: number; step: number }, most: number): number[] {
  if (step === 0) throw new ScriptError('BAD_ARGUMENT', 'Workflow.loop: iterator.range.step: expected a number other than 0');
  const count = Math.max(0, Math.floor((stop - start) / step + 1e-9) + 1);
  if (count > most) throw new ScriptError('BAD_ARGUMENT', `Workflow.loop: iterator.range: ${count} values are more than max_iterations = ${most}`);
  return Array.from({ length: count }, (_, at) => start + at * step);
}

/** A list, given or referred to. Throws BAD_ARGUMENT when it is none. */
export async function listOf(execution: Execution, context: Context, scope: Scope, given: Value, what: string): Promise<Value[]> {
  const value = await execution.resolve(context, given, scope);
  if (Array.isArray(value)) return value;
  throw new ScriptError('BAD_ARGUMENT', `${what}: expected a list, got ${value === null ? 'nil' : typeof value}`);
}

import { z } from 'zod';
import type { Context } from '../../call/context.ts';
import { anyValue } from '../../call/schema.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { drawChain } from '../diagram.ts';
import type { Execution } from '../engine.ts';
import { defineKind } from '../kind.ts';
import { Scope } from '../scope.ts';
import { type Condition, condition, namedSteps, stepSchema } from '../step.ts';

const iterator = z.union([
  z.strictObject({ range: z.strictObject({ start: z.number(), stop: z.number().describe('the last value'), step: z.number().default(1) }) }),
  z.strictObject({ collection: anyValue.describe('a list, or a reference to one') }),
  z.strictObject({ while_condition: condition }),
]);

/** The body once for each value. */
export const loop = defineKind({
  name: 'loop',
  doc: 'A body once for each number of a range (`stop` included), each item of a collection, or while a condition is true; the output is a list of what its last step gave in each turn. `$loop.value` is the number or item, and in a while loop what the turn before gave.',
  options: {
    iterator,
    body: z.union([z.array(stepSchema).min(1), stepSchema]),
    max_iterations: z.int().min(1).max(1_000_000).default(1_000),
    break_when: condition.optional().describe('asked after each turn, of which it sees the outputs'),
  },
  examples: [
    {
      lua: `local workflow = Workflow.loop({name = "squares", iterator = {range = {start = 1, stop = 3}}, body = {{name = "square", tool = "calculator", input = {expression = "$loop.value ^ 2"}}}})\nprint(workflow:execute().output[3].result)`,
      javascript: `const workflow = Workflow.loop({name: "squares", iterator: {range: {start: 1, stop: 3}}, body: [{name: "square", tool: "calculator", input: {expression: "$loop.value ^ 2"}}]})\nprint(workflow.execute().output[2].result)`,
    },
  ],
  plan({ iterator: over, body, max_iterations, break_when }) {
    const steps = namedSteps('Workflow.loop: body', Array.isArray(body) ? body : [body]);
    const values = 'range' in over ? rangeOf(over.range, max_iterations) : undefined;
    const condition = 'while_condition' in over ? (over.while_condition as Condition) : undefined;
    return {
      parts: [{ label: 'body', steps, turns: true, before: condition === undefined ? [] : [condition], after: break_when === undefined ? [] : [break_when] }],
      ...('collection' in over && { values: [over.collection] }),
      async run(execution, context, scope, records) {
        const items =
          values ?? ('collection' in over ? await listOf(execution, context, scope, over.collection, 'Workflow.loop: iterator.collection') : undefined);
        if (items && items.length > max_iterations)
          throw new ScriptError('LIMIT_EXCEEDED', `Workflow.loop: ${items.length} values are more than max_iterations = ${max_iterations}`);
        const outputs: Value[] = [];
        for (let index = 0; items ? index < items.length : true; index++) {
          const own = new Scope(scope.input, scope, { index, value: items ? items[index] : outputs.at(-1) });
          if (condition !== undefined && !(await execution.holds(context, condition, own))) break;
          if (index >= max_iterations)
            throw new ScriptError('LIMIT_EXCEEDED', `Workflow.loop: the condition still holds after max_iterations = ${max_iterations}`);
          try {
            await execution.runSteps(context, steps, own);
          } finally {
            records.push(...own.records);
          }
          outputs.push(own.last);
          if (break_when !== undefined && (await execution.holds(context, break_when, own))) break;
        }
        return { output: outputs, outputs: { iterations: outputs } };
      },
      draw: (id, from, to) => [
        `${id}turn{"next"}`,
        `${from} --> ${id}turn`,
        ...drawChain(id, steps, `${id}turn`, `${id}turn`, 'turn'),
        `${id}turn -->|"done"| ${to}`,
      ],
    };
  },
});

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

import { Failure } from '../../call/check/failure.ts';
import { isMap } from '../../call/check/kind.ts';
import type { Context } from '../../call/context.ts';
import { anyValue } from '../../call/schema.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { drawChain } from '../diagram.ts';
import type { Execution } from '../engine.ts';
import { defineKind } from '../kind.ts';
import { Scope } from '../scope.ts';
import { type Condition, condition, namedSteps, stepSchema } from '../step.ts';

const iterator = z.strictObject({
  range: z.strictObject({ start: z.number(), stop: z.number().describe('the last value'), step: z.number().default(1) }).optional(),
  collection: anyValue.optional().describe('a list, or a reference to one'),
  while_condition: condition.optional(),
});
const ITERATORS = ['range', 'collection', 'while_condition'] as const;

/** The body once for each value. */
export const loop = defineKind({
  name: 'loop',
  doc: 'A body once for each number of a range (`stop` included), each item of a collection, or while a condition is true; the output is a list of what its last step gave in each turn. `$loop.value` is the number or item, and in a while loop what the turn before gave.',
  options: {
    iterator: iterator.describe('one of range, collection and while_condition'),
    body: z.union([z.array(stepSchema).min(1), stepSchema]),
    max_iterations: z.int().min(1).max(1_000_000).default(1_000).describe('a loop that would take more turns is an error'),
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
    const given = ITERATORS.filter((one) => over[one] !== undefined);
    if (given.length !== 1)
      throw new ScriptError('BAD_ARGUMENT', `Workflow.loop: iterator: expected one of ${ITERATORS.join(', ')}, got ${given.join(' and ') || 'none'}`);
    const { collection, while_condition: condition } = over as { collection?: Value; while_condition?: Condition };
    const values = over.range && rangeOf(over.range, max_iterations);
    return {
      parts: [{ label: 'body', steps, turns: true, before: condition === undefined ? [] : [condition], after: break_when === undefined ? [] : [break_when] }],
      ...(collection !== undefined && { values: [collection] }),
      async run(execution, context, scope, records) {
        const { name } = execution.workflow;
        const items = values ?? (collection === undefined ? undefined : await listOf(execution, context, scope, collection, 'iterator.collection'));
        if (items && items.length > max_iterations)
          throw new ScriptError('LIMIT_EXCEEDED', `workflow ${name}: ${items.length} values are more than max_iterations = ${max_iterations}`);
        const outputs: Value[] = [];
        for (let index = 0; items ? index < items.length : true; index++) {
          const own = new Scope(scope.input, scope, { index: index + execution.first, value: items ? items[index] : outputs.at(-1) });
          if (condition !== undefined && !(await execution.holds(context, condition, own))) break;
          if (index >= max_iterations)
            throw new ScriptError('LIMIT_EXCEEDED', `workflow ${name}: the condition still holds after max_iterations = ${max_iterations}`);
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
  // An empty table of Lua says not which of the two it is.
  if (isMap(value) && Object.keys(value).length === 0 && context.run.language === 'lua') return [];
  throw new ScriptError('BAD_ARGUMENT', `workflow ${execution.workflow.name}: ${new Failure('a list', value).message(what, context.run.language)}`);
}

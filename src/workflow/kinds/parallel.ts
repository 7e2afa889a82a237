import type { Context } from '../../call/context.ts';
import { lines } from '../../call/lines.ts';
import { cancelled } from '../../call/run.ts';
import type { ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { drawChain, label } from '../diagram.ts';
import { type Execution, StepFailure } from '../engine.ts';
import { defineKind, type KindResult } from '../kind.ts';
import { Scope, type StepRecord } from '../scope.ts';
import { namedParts, namedSteps, type Step, stepSchema } from '../step.ts';

const branch = z.strictObject({ name: z.string(), steps: z.array(stepSchema).min(1) });

interface Branch {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Made of one step, whose name it has. */
  readonly single?: true;
}

/** Branches side by side. */
export const parallel = defineKind({
  name: 'parallel',
  doc: 'Branches side by side; the output is a map of theirs by name.',
  options: {
    branches: z.array(branch).optional(),
    steps: z.array(stepSchema).optional().describe('each is a branch of its own'),
    max_concurrency: z.int().min(1).optional(),
    fail_fast: z.boolean().default(true).describe('a failure after which too few branches can complete cancels the others'),
    join: z
      .union([z.enum(['all', 'any']), z.int().min(1)])
      .default('all')
      .describe('how many branches must complete; the others are then cancelled'),
  },
  examples: [
    {
      lua: `local workflow = Workflow.parallel({name = "both", steps = {\n  {name = "a", handler = function() sleep(5) return 1 end},\n  {name = "b", handler = function() sleep(5) return 2 end}\n}})\nprint(workflow:execute().output)`,
      javascript: `const workflow = Workflow.parallel({name: "both", steps: [\n  {name: "a", handler: () => { sleep(5); return 1 }},\n  {name: "b", handler: () => { sleep(5); return 2 }}\n]})\nprint(workflow.execute().output)`,
    },
  ],
  plan({ branches: given = [], steps = [], max_concurrency, fail_fast, join }) {
    const single = namedSteps('Workflow.parallel', steps).map((step): Branch => ({ name: step.name, steps: [step], single: true }));
    namedParts('Workflow.parallel', [...given, ...single]);
    const named = given.map((one): Branch => ({ name: one.name, steps: namedSteps(`Workflow.parallel: branch ${JSON.stringify(one.name)}`, one.steps) }));
    const branches = [...named, ...single];
    if (branches.length === 0) throw new ScriptError('BAD_ARGUMENT', 'Workflow.parallel: expected branches or steps');
    if (typeof join === 'number' && join > branches.length)
      throw new ScriptError('BAD_ARGUMENT', `Workflow.parallel: join: expected at most the number of branches (${branches.length}), got ${join}`);
    const wanted = join === 'all' ? branches.length : join === 'any' ? 1 : join;
    return {
      parts: branches.map(({ name, steps: own }) => ({ label: name, steps: own })),
      run: (execution, context, scope, records) =>
        race({ execution, context, scope, records, branches, wanted, failFast: fail_fast, atOnce: max_concurrency ?? branches.length }),
      draw: (id, from, to) =>
        branches.flatMap(({ name, steps: own, single }, at) => drawChain(`${id}b${at + 1}_`, own, from, to, single ? undefined : label(name))),
    };
  },
});

interface Race {
  readonly execution: Execution;
  readonly context: Context;
  readonly scope: Scope;
  readonly records: StepRecord[];
  readonly branches: readonly Branch[];
  readonly wanted: number;
  readonly failFast: boolean;
  readonly atOnce: number;
}

async function race({ execution, context, scope, records, branches, wanted, failFast, atOnce }: Race): Promise<KindResult> {
  const abort = new AbortController();
  const inside = context.with({ signal: AbortSignal.any([context.signal, abort.signal]) });
  const outputs: ValueMap = {};
  const scopes = branches.map(({ name, single }) => new Scope(scope.input, scope, undefined, single ? undefined : name));
  let completed = 0;
  let failed = 0;
  let failure: unknown;
  let next = 0;
  const stop = (why: string) => abort.abort(new ScriptError('CANCELLED', why));
  const work = async () => {
    while (next < branches.length && !inside.signal.aborted) {
      const at = next++;
      const { name, steps } = branches[at] as Branch;
      const own = scopes[at] as Scope;
      try {
        await execution.runSteps(inside, steps, own);
        if (inside.signal.aborted) continue;
        outputs[name] = own.last;
        completed++;
        if (completed >= wanted && wanted < branches.length) stop('enough branches have completed');
      } catch (error) {
        if (inside.signal.aborted) continue;
        failed++;
        failure ??= error instanceof StepFailure ? new StepFailure(error.step === name ? name : `${name}.${error.step}`, error.cause) : error;
        if (failFast && failed > branches.length - wanted) stop(`branch ${name} failed`);
      }
    }
  };
  const own = context.run.get(lines);
  await own.waiting(context, () => Promise.all(Array.from({ length: Math.min(atOnce, branches.length) }, () => own.busy(context, work))));
  for (const [at, { steps }] of branches.entries()) {
    const own = scopes[at] as Scope;
    records.push(...(inside.signal.aborted ? own.recordsOf(steps) : own.records));
  }
  if (context.signal.aborted) throw cancelled(context.signal);
  if (completed < wanted) throw failure;
  return { output: outputs, outputs };
}

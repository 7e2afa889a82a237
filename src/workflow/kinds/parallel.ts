import { z } from 'zod';
import type { Context } from '../../call/context.ts';
import type { ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { drawChain } from '../diagram.ts';
import { type Execution, StepFailure } from '../engine.ts';
import type { Plan } from '../kind.ts';
import { Scope, type StepRecord } from '../scope.ts';
import { namedSteps, type Step, stepSchema } from '../step.ts';

const branch = z.strictObject({ name: z.string(), steps: z.array(stepSchema).min(1) });

export const parallelSchema = {
  branches: z.array(branch).optional(),
  steps: z.array(stepSchema).optional().describe('each is a branch of its own'),
  max_concurrency: z.int().min(1).optional(),
  fail_fast: z.boolean().default(true).describe('the first failure cancels the other branches'),
  join: z
    .union([z.enum(['all', 'any']), z.int().min(1)])
    .default('all')
    .describe('how many branches must complete; the others are then cancelled'),
};

interface Branch {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Branches side by side; the output is a map of theirs by name. */
export function parallel({ branches: given = [], steps = [], max_concurrency, fail_fast, join }: z.output<z.ZodObject<typeof parallelSchema>>): Plan {
  const single = namedSteps('Workflow.parallel', steps).map((step): Branch => ({ name: step.name, steps: [step] }));
  const named = given.map((one): Branch => ({ name: one.name, steps: namedSteps(`Workflow.parallel: branch ${one.name}`, one.steps) }));
  const branches = [...named, ...single];
  if (branches.length === 0) throw new ScriptError('BAD_ARGUMENT', 'Workflow.parallel: expected branches or steps');
  const wanted = join === 'all' ? branches.length : join === 'any' ? 1 : Math.min(join, branches.length);
  return {
    kind: 'parallel',
    parts: branches.map(({ name, steps: own }) => ({ label: name, steps: own })),
    async run(execution, context, scope, records) {
      return sideBySide({ execution, context, scope, records, branches, wanted, failFast: fail_fast, atOnce: max_concurrency ?? branches.length });
    },
    draw: (id) => branches.flatMap(({ steps: own }) => drawChain(id, own, 'start', 'stop')),
  };
}

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

async function sideBySide({ execution, context, scope, records, branches, wanted, failFast, atOnce }: Race) {
  const abort = new AbortController();
  const inside = context.with({ signal: AbortSignal.any([context.signal, abort.signal]) });
  const outputs: ValueMap = {};
  const scopes = branches.map(() => new Scope(scope.input, scope));
  let completed = 0;
  let failed = 0;
  let failure: unknown;
  let next = 0;
  const stop = (why: string) => abort.abort(new ScriptError('CANCELLED', why));
  const work = async () => {
    while (next < branches.length && !abort.signal.aborted) {
      const at = next++;
      const { name, steps } = branches[at] as Branch;
      const own = scopes[at] as Scope;
      try {
        await execution.runSteps(inside, steps, own);
        if (abort.signal.aborted) continue;
        outputs[name] = own.last;
        completed++;
        if (completed >= wanted && wanted < branches.length) stop('enough branches have completed');
      } catch (error) {
        if (abort.signal.aborted) continue;
        failed++;
        failure ??= error instanceof StepFailure ? new StepFailure(error.step === name ? name : `${name}.${error.step}`, error.cause) : error;
        if (failFast && failed > branches.length - wanted) stop(`branch ${name} failed`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, branches.length) }, work));
  for (const [at, { steps }] of branches.entries()) records.push(...recordsOf(scopes[at] as Scope, steps, abort.signal.aborted));
  if (completed < wanted) throw failure ?? context.signal.reason;
  return { output: outputs, outputs };
}

/** The branch's records; what never began was cancelled with it. */
function recordsOf({ records }: Scope, steps: readonly Step[], cancelled: boolean): StepRecord[] {
  const missing = cancelled ? steps.filter(({ name }) => !records.some((record) => record.name === name)) : [];
  return [...records, ...missing.map(({ name }): StepRecord => ({ name, status: 'cancelled', duration_ms: 0, attempts: 0 }))];
}

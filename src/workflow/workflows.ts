import { type Context, runService } from '../call/context.ts';
import { refuseAfterEnd } from '../call/ended.ts';
import type { HandleType, Value } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import type { Plan } from './kind.ts';
import { Workflow, type WorkflowOptions, type WorkflowResult } from './workflow.ts';

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The workflows of a run. */
export interface Workflows {
  /** Makes one; throws BAD_ARGUMENT when the name is taken or bad. */
  create(context: Context, kind: string, options: WorkflowOptions, plan: Plan): Workflow;
  get(name: string): Workflow | undefined;
  list(): Workflow[];
}

export const workflows = runService<Workflows>('workflows', () => {
  const all = new Map<string, Workflow>();
  return {
    create(context, kind, options, plan) {
      if (!NAME.test(options.name))
        throw new ScriptError('BAD_ARGUMENT', `${context.method}: name: expected 1 to 64 of A-Z a-z 0-9 _ -, got ${JSON.stringify(options.name.slice(0, 80))}`);
      if (all.has(options.name)) throw new ScriptError('BAD_ARGUMENT', `${context.method}: name: there is a workflow ${options.name} already`);
      const workflow = new Workflow(kind, options, plan);
      all.set(options.name, workflow);
      return workflow;
    },
    get: (name) => all.get(name),
    list: () => [...all.values()],
  };
});

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled';

/** A workflow that runs by itself. */
export class WorkflowRun {
  readonly workflow: string;
  status: RunStatus = 'running';
  readonly result: Promise<WorkflowResult>;
  readonly #abort = new AbortController();

  /** Starts it; throws CONFLICT when the main chunk has returned. */
  constructor(context: Context, workflow: Workflow, input: Value) {
    refuseAfterEnd(context);
    this.workflow = workflow.name;
    // It outlives the call that started it and ends with the run.
    const inside = context.with({ signal: AbortSignal.any([context.run.signal, this.#abort.signal]) });
    this.result = workflow.execute(inside, input).then(
      (result) => {
        this.status = 'completed';
        return result;
      },
      (error) => {
        this.status = asScriptError(error).code === 'CANCELLED' ? 'cancelled' : 'failed';
        throw error;
      },
    );
    context.run.background(this.result);
  }

  cancel(): boolean {
    if (this.status !== 'running') return false;
    this.status = 'cancelled';
    this.#abort.abort(new ScriptError('CANCELLED', `the workflow ${this.workflow} was cancelled`));
    return true;
  }
}

/** Handles of running workflows as scripts see them. */
export const WORKFLOW_RUN_HANDLE: HandleType<WorkflowRun> = { name: 'WorkflowRun', fields: ({ workflow }) => ({ workflow }) };

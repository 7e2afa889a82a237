import type { Context } from '../call/context.ts';
import { elapsedMs } from '../call/elapsed.ts';
import { lines } from '../call/lines.ts';
import type { Soon } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { asScriptError, placed, ScriptError } from '../errors.ts';
import { events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import { MAX_DEPTH } from '../tool/registry.ts';
import { scriptTool } from '../tool/script.ts';
import { TOOL_TIMEOUT_MS, type Tool } from '../tool/tool.ts';
import { diagram } from './diagram.ts';
import { announceWorkflowFailure, type ErrorStrategy, Execution, StepFailure } from './engine.ts';
import type { WorkflowLike } from './handle.ts';
import type { Plan } from './kind.ts';
import { Scope, type StepRecord } from './scope.ts';
import { describeStep } from './step.ts';
import { type Problem, problemsOf } from './validate.ts';

/** What a workflow has done. */
export type WorkflowResult = { success: boolean; output?: Value; outputs: ValueMap; steps: StepRecord[]; duration_ms: number; workflow_id: string };

export interface WorkflowOptions {
  readonly name: string;
  readonly description?: string | undefined;
  readonly error_strategy?: ErrorStrategy | undefined;
  readonly timeout_ms?: number | undefined;
}

/** A workflow of a run: a plan with a name, which can run many times and at once. */
export class Workflow implements WorkflowLike {
  readonly name: string;
  readonly kind: string;
  readonly plan: Plan;
  readonly options: WorkflowOptions;
  #runs = 0;

  constructor(kind: string, options: WorkflowOptions, plan: Plan) {
    this.kind = kind;
    this.name = options.name;
    this.options = options;
    this.plan = plan;
  }

  /** Runs it; throws BAD_ARGUMENT when `validate` finds something, STEP_FAILED when a step fails for good, and CANCELLED. */
  async execute(context: Context, outer: Value): Promise<WorkflowResult> {
    const [problem] = await problemsOf(context, this, 1);
    if (problem) throw new ScriptError('BAD_ARGUMENT', `workflow ${this.name}: ${problem.step === '' ? '' : `step ${problem.step}: `}${problem.message}`);
    if (context.depth >= MAX_DEPTH)
      throw new ScriptError('DEPTH_EXCEEDED', `${context.method}: agents, tools and workflows nest more than ${MAX_DEPTH} deep (at workflow ${this.name})`);
    const { run } = context;
    const id = `${this.name}_${++this.#runs}`;
    const bus = run.get(events);
    const deadline = this.#deadline(context);
    const inside = context.with({ depth: context.depth + 1 });
    const watched = {
      kind: 'workflow',
      name: this.name,
      before: 'before_start',
      after: 'after_complete',
      error: 'error',
      input: unwrap(outer),
      fields: { workflow_id: id },
    };
    const started = performance.now();
    await bus.announce(inside, `workflow.${this.name}.started`, { name: this.name, workflow_id: id });
    try {
      const attempt = (input: Value, deeper: Context) =>
        deadline.bounded(() => this.#run(deadline.inside(deeper), id, input)).catch(deadline.raise) as Promise<Value>;
      const result = normalised(await run.get(hooks).around<Value, Value>(inside, watched, attempt), id, elapsedMs(started));
      await bus.announce(inside, `workflow.${this.name}.completed`, { name: this.name, workflow_id: id, duration_ms: result.duration_ms });
      return result;
    } catch (error) {
      if (!context.signal.aborted) await announceWorkflowFailure(context, this.name, error);
      throw error;
    } finally {
      deadline.clear();
    }
  }

  /** What is known to be wrong before anything runs, as far as it is told. */
  validate(context: Context): Soon<Problem[]> {
    return problemsOf(context, this);
  }

  /** The workflow as data. */
  describe(): ValueMap {
    const parts = this.plan.parts.map(({ label, steps }) => ({ label, steps: steps.map(describeStep) }));
    return { name: this.name, kind: this.kind, description: this.options.description ?? '', parts };
  }

  /** A Mermaid flowchart. */
  diagram(): string {
    return diagram(this.plan);
  }

  asTool(): Tool {
    const schema: ValueMap = { type: 'object', properties: { input: { description: 'what the workflow gets' } } };
    return {
      ...scriptTool({
        name: this.name.toLowerCase().replaceAll('-', '_'),
        description: this.options.description ?? `Runs the workflow ${this.name}`,
        parameters: schema,
        handler: () => null,
        category: 'workflow',
      }),
      timeoutMs: Math.max(TOOL_TIMEOUT_MS, this.options.timeout_ms ?? 600_000),
      execute: async (input, context) => (await this.execute(context, (input as { input?: Value }).input ?? null)).output ?? null,
    };
  }

  async #run(context: Context, id: string, input: Value): Promise<WorkflowResult> {
    const started = performance.now();
    const execution = new Execution({ name: this.name, id }, this.options.error_strategy ?? 'fail', context);
    const records: StepRecord[] = [];
    const result = (success: boolean, output: Value, outputs: ValueMap): WorkflowResult => ({
      success,
      ...(output !== null && { output }),
      outputs,
      steps: records,
      duration_ms: elapsedMs(started),
      workflow_id: id,
    });
    try {
      const { output, outputs } = await this.plan.run(execution, context, new Scope(input), records);
      return result(
        records.every(({ status }) => status !== 'failed'),
        output,
        outputs,
      );
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      const cause = asScriptError(error.cause);
      const outputs = Object.fromEntries(
        records
          .filter(({ status }) => status === 'completed')
          .map(({ name, branch, output }) => [branch === undefined ? name : `${branch}.${name}`, output ?? null]),
      );
      throw new ScriptError('STEP_FAILED', this.#failure(error.step, cause), {
        cause,
        details: { step: error.step, ...result(false, null, outputs) },
      });
    }
  }

  /** What is said of a step that failed. A workflow that runs itself, by whatever others, says it once, with what went wrong at the bottom. */
  #failure(step: string, cause: ScriptError): string {
    const said = `workflow ${this.name}: step ${step} failed: `;
    const why = placed(cause);
    const again = cause.code === 'STEP_FAILED' ? why.lastIndexOf(said) : -1;
    return said + (again < 0 ? why : why.slice(again + said.length));
  }

  #deadline(context: Context) {
    const { timeout_ms } = this.options;
    const error = new ScriptError('TIMEOUT', `workflow ${this.name}: took longer than ${timeout_ms} ms`, { details: { outcome: 'unknown', retryable: true } });
    const abort = new AbortController();
    const timer = timeout_ms === undefined ? undefined : setTimeout(() => abort.abort(error), timeout_ms);
    return {
      /** What runs under the deadline; its hooks do not, so that they hear of it. */
      inside: (deeper: Context) => (timer === undefined ? deeper : deeper.with({ signal: AbortSignal.any([deeper.signal, abort.signal]) })),
      /** What is sure to end waits for nothing for ever. */
      bounded: <T>(work: () => Promise<T>) => (timer === undefined ? work() : context.run.get(lines).busy(context, work)),
      raise(thrown: unknown): never {
        throw abort.signal.aborted && !context.signal.aborted ? error : thrown;
      },
      clear: () => clearTimeout(timer),
    };
  }
}

/** A hook may answer in place of the workflow with an output alone. */
function normalised(given: Value, workflow_id: string, duration_ms: number): WorkflowResult {
  const result = given as unknown as Partial<WorkflowResult> | null;
  if (result && typeof result === 'object' && Array.isArray(result.steps) && result.workflow_id !== undefined) return result as WorkflowResult;
  const output = result && typeof result === 'object' && 'output' in result ? (result.output ?? null) : given;
  return { success: true, ...(output !== null && { output }), outputs: {}, steps: [], duration_ms, workflow_id };
}

/** A map whose only key is `input` stands for that value. */
function unwrap(given: Value): Value {
  if (given === null || typeof given !== 'object' || Array.isArray(given) || Object.getPrototypeOf(given) !== Object.prototype) return given;
  const map = given as ValueMap;
  return Object.keys(map).length === 1 && 'input' in map ? (map.input ?? null) : given;
}

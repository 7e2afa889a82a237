import type { AgentRequest } from '../agent/agent.ts';
import { agents } from '../agent/agents.ts';
import { breathe } from '../call/breath.ts';
import type { Context } from '../call/context.ts';
import { elapsedMs } from '../call/elapsed.ts';
import { lines } from '../call/lines.ts';
import { cancelled } from '../call/run.ts';
import type { Callback, Value, ValueMap } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { announceFailure, events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import { valueText } from '../model/model.ts';
import { tools } from '../tool/registry.ts';
import { type Reference, resolveReferences } from './reference.ts';
import type { Scope, StepRecord } from './scope.ts';
import { actionOf, type Condition, type Step } from './step.ts';
import type { Workflow } from './workflow.ts';
import { workflows } from './workflows.ts';

export type ErrorStrategy = 'fail' | 'continue';

const FIRST_BACKOFF_MS = 100;
const RETRIES_OF_RETRY = 3;
/** Trying again changes nothing. */
const FINAL = new Set(['CANCELLED', 'NOT_ALLOWED', 'HOOK_REJECTED', 'DEPTH_EXCEEDED', 'NOT_IN_TRANSACTION']);

/** What a step came to. */
interface Done {
  readonly output: Value;
  /** What an agent used. */
  readonly usage?: ValueMap;
}

/** What the record of a step says beside where it stands and how long it took. */
type Fate = Omit<StepRecord, 'name' | 'branch' | 'index' | 'duration_ms' | 'attempts'>;

/** Stops a workflow after a step that failed; the records say the rest. */
export class StepFailure extends Error {
  readonly step: string;
  override readonly cause: unknown;

  constructor(step: string, cause: unknown) {
    super(step);
    this.step = step;
    this.cause = cause;
  }
}

/** One execution of a workflow: what its kinds and steps share. */
export class Execution {
  readonly workflow: { readonly name: string; readonly id: string };
  readonly strategy: ErrorStrategy;
  /** The first position of a list in the script's language. */
  readonly first: 0 | 1;

  constructor(workflow: { name: string; id: string }, strategy: ErrorStrategy, context: Context) {
    this.workflow = workflow;
    this.strategy = strategy;
    this.first = context.run.language === 'lua' ? 1 : 0;
  }

  /** Runs steps one after the other; throws StepFailure at the first that fails for good. */
  async runSteps(context: Context, steps: readonly Step[], scope: Scope): Promise<void> {
    for (const step of steps) await this.runStep(context, step, scope);
  }

  /** Runs one step and adds its record to the scope. */
  async runStep(context: Context, step: Step, scope: Scope): Promise<void> {
    const breath = breathe(context.run.cpu);
    if (breath) await breath;
    const started = performance.now();
    const progress = { attempts: 0 };
    const record = (fields: Fate) => scope.add({ name: step.name, ...scope.place, duration_ms: elapsedMs(started), attempts: progress.attempts, ...fields });
    try {
      if (context.signal.aborted) throw cancelled(context.signal);
      if (step.when !== undefined && !(await this.holds(context, step.when, scope))) return record({ status: 'skipped' });
      const { output, usage } = await this.#watched(context, step, scope, progress);
      return record({ status: 'completed', output: output ?? undefined, ...(usage !== undefined && { usage }) });
    } catch (thrown) {
      const error = await this.#mend(context, step, scope, thrown, record);
      if (error === undefined) return;
      if (context.signal.aborted) {
        record({ status: 'cancelled' });
        throw error.cause;
      }
      const { code, message } = asScriptError(error.cause);
      record({ status: 'failed', error: { code, message } });
      const { on_error } = step;
      if (on_error === 'continue' || ((on_error === undefined || on_error === 'retry') && this.strategy === 'continue')) return;
      throw new StepFailure(step.name, error.cause);
    }
  }

  /** Lets the step's own function put an output in place of the error; else gives what it failed with in the end. */
  async #mend(context: Context, step: Step, scope: Scope, thrown: unknown, record: (fields: Fate) => void): Promise<{ cause: unknown } | undefined> {
    if (typeof step.on_error !== 'function' || context.signal.aborted) return { cause: thrown };
    const { code, message } = asScriptError(thrown);
    try {
      const output = await this.#invoke(context, step.on_error, [{ code, message, step: step.name }, this.ctx(scope)], step);
      record({ status: 'completed', output: output ?? undefined, error: { code, message } });
      return undefined;
    } catch (again) {
      return { cause: again };
    }
  }

  ctx(scope: Scope): Value {
    return scope.ctx({ name: this.workflow.name, id: this.workflow.id });
  }

  /** Whether a condition is true now, as the script's language sees truth. */
  async holds(context: Context, condition: Condition, scope: Scope): Promise<boolean> {
    if (typeof condition === 'boolean') return condition;
    const value = typeof condition === 'function' ? await this.#invoke(context, condition, [this.ctx(scope)]) : await this.resolve(context, condition, scope);
    if (value === null || value === false) return false;
    return context.run.language === 'lua' || Boolean(value);
  }

  /** A value with its references resolved. */
  resolve(context: Context, value: Value, scope: Scope): Promise<Value> {
    return resolveReferences(context.run.cpu, value, (reference: Reference) => scope.lookup(context, reference), this.first);
  }

  async #watched(context: Context, step: Step, scope: Scope, progress: { attempts: number }): Promise<Done> {
    const { run } = context;
    const bus = run.get(events);
    const { name } = this.workflow;
    const event = `workflow.${name}.step.${step.name}`;
    const told = { workflow: name, step: step.name, ...scope.place };
    const said = bus.announce(context, `${event}.started`, told);
    if (said) await said;
    try {
      const watched = {
        kind: 'workflow',
        name,
        before: 'before_step',
        after: 'after_step',
        error: 'error',
        input: await this.#input(context, step, scope),
        fields: { step: step.name, ...scope.place, workflow_id: this.workflow.id },
      };
      let usage: ValueMap | undefined;
      const output = await run.get(hooks).around<Value, Value>(context, watched, async (input, inside) => {
        const done = await this.#attempts(inside, step, input, scope, progress);
        usage = done.usage;
        return done.output;
      });
      const done = bus.announce(context, `${event}.completed`, told);
      if (done) await done;
      return usage === undefined ? { output } : { output, usage };
    } catch (error) {
      if (!context.signal.aborted) {
        const { code, message } = asScriptError(error);
        await bus.announce(context, `${event}.failed`, { ...told, code, message });
      }
      throw error;
    }
  }

  /** What the step is given, references resolved; nothing in a handler's case, which has its ctx. */
  async #input(context: Context, step: Step, scope: Scope): Promise<Value> {
    switch (actionOf(step)) {
      case 'handler':
        return null;
      case 'tool':
        return this.resolve(context, step.input ?? {}, scope);
      case 'workflow':
        // The input of the whole is data, in which a dollar sign means nothing.
        return step.input === undefined ? scope.input : this.resolve(context, step.input, scope);
      case 'agent':
        return valueText(await this.resolve(context, step.prompt ?? '', scope));
    }
  }

  async #attempts(context: Context, step: Step, input: Value, scope: Scope, progress: { attempts: number }): Promise<Done> {
    const retries = step.retries ?? (step.on_error === 'retry' ? RETRIES_OF_RETRY : 0);
    for (;;) {
      progress.attempts++;
      try {
        return await this.#attempt(context, step, input, scope);
      } catch (error) {
        const last = progress.attempts > retries || context.signal.aborted || FINAL.has(codeOf(error));
        if (last) throw error;
        const wait = (step.backoff_ms ?? FIRST_BACKOFF_MS) * 2 ** (progress.attempts - 1);
        await context.run.sleep(wait * (0.5 + context.run.random() / 2), context.signal);
      }
    }
  }

  async #attempt(context: Context, step: Step, input: Value, scope: Scope): Promise<Done> {
    const { timeout_ms } = step;
    if (timeout_ms === undefined) return this.#act(context, step, input, scope);
    const abort = new AbortController();
    const error = new ScriptError('TIMEOUT', `the step took longer than ${timeout_ms} ms`, { details: { outcome: 'unknown', retryable: true } });
    const timer = setTimeout(() => abort.abort(error), timeout_ms);
    const inside = context.with({ signal: AbortSignal.any([context.signal, abort.signal]) });
    try {
      return await context.run.get(lines).busy(context, () => this.#act(inside, step, input, scope));
    } catch (thrown) {
      throw abort.signal.aborted && !context.signal.aborted ? error : thrown;
    } finally {
      clearTimeout(timer);
    }
  }

  async #act(context: Context, step: Step, input: Value, scope: Scope): Promise<Done> {
    switch (actionOf(step)) {
      case 'handler':
        return { output: await this.#invoke(context, step.handler as Callback, [this.ctx(scope)], step) };
      case 'tool':
        return { output: await context.run.get(tools).execute(context, step.tool as string, input) };
      case 'workflow':
        return { output: (await this.#workflow(context, step).execute(context, input)).output ?? null };
      case 'agent':
        return this.#ask(context, step, valueText(input), scope);
    }
  }

  #workflow(context: Context, { workflow }: Step): Workflow {
    if (typeof workflow !== 'string') return workflow as Workflow;
    const found = context.run.get(workflows).get(workflow);
    if (!found) throw new ScriptError('NOT_FOUND', `there is no workflow "${workflow}"`);
    return found;
  }

  async #ask(context: Context, { agent, options = {} }: Step, prompt: string, scope: Scope): Promise<Done> {
    const found = typeof agent === 'string' ? context.run.get(agents).get(agent) : agent;
    if (!found) throw new ScriptError('NOT_FOUND', `there is no agent "${String(agent)}"`);
    const request = (await this.resolve(context, options as ValueMap, scope)) as Partial<AgentRequest>;
    const { output, usage } = await found.execute(context, { ...request, prompt });
    return { output, usage: { ...usage } };
  }

  #invoke(context: Context, fn: Callback, args: Value[], { timeout_ms }: Partial<Step> = {}): Promise<Value> {
    const options = { signal: context.signal, ...(timeout_ms !== undefined && { timeoutMs: timeout_ms }) };
    return context.run.get(lines).waiting(context, () => context.invoke(fn, args, options));
  }
}

/** The code of what went wrong at the bottom of nested workflows. */
function codeOf(error: unknown): string {
  const { code, cause } = asScriptError(error);
  return code === 'STEP_FAILED' && cause !== undefined ? codeOf(cause) : code;
}

/** Tells that a workflow failed, as a whole. */
export async function announceWorkflowFailure(context: Context, name: string, error: unknown): Promise<void> {
  await announceFailure(context, 'workflow', name, error);
}

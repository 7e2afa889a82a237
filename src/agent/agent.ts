import { compileLater } from '../call/compile.ts';
import type { Context } from '../call/context.ts';
import { elapsedMs } from '../call/elapsed.ts';
import { anyValue } from '../call/schema.ts';
import type { HandleType, Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { announceFailure, events } from '../event/bus.ts';
import { hooks } from '../hook/hooks.ts';
import type { Image, Message, OnText } from '../model/model.ts';
import type { SessionUse } from '../session/transcript.ts';
import { MAX_DEPTH } from '../tool/registry.ts';
import type { Tool } from '../tool/tool.ts';
import { z } from '../zod.ts';
import { type Budget, Spending } from './budget.ts';
import type { Outcome } from './loop.ts';

/** What an agent is called that answers once and was given no name. */
export const ANONYMOUS = 'anonymous';

/** How an agent is set up. */
export interface AgentConfig {
  readonly name: string;
  /** `provider/model`. */
  readonly model: string;
  readonly description: string;
  readonly system_prompt?: string | undefined;
  readonly tools: readonly Tool[];
  readonly temperature?: number | undefined;
  readonly max_tokens?: number | undefined;
  readonly output_schema?: ValueMap | undefined;
  readonly max_steps: number;
  readonly timeout_ms: number;
  readonly retries: number;
  readonly fallback_models: readonly string[];
  readonly budget: Budget;
  /** False when each request stands alone. */
  readonly keep_history?: boolean | undefined;
}

/** One question to an agent; what is not given is as the agent was set up. */
export interface AgentRequest {
  readonly prompt: string;
  readonly input?: Value | undefined;
  /** Text, data, or the id of a context, put before the prompt. */
  readonly context?: Value | undefined;
  readonly images?: readonly Image[] | undefined;
  readonly tools?: readonly Tool[] | undefined;
  readonly output_schema?: ValueMap | undefined;
  readonly temperature?: number | undefined;
  readonly max_tokens?: number | undefined;
  /** Takes the place of the agent's own history: its turns come before the prompt, and question and answer are added to it. */
  readonly session?: SessionUse | undefined;
}

/** What an agent answers. */
export type AgentResult = Omit<Outcome, 'added' | 'cost_usd'> & { duration_ms: number; cost_usd?: number | undefined };

export type AgentMetrics = { executions: number; failures: number; tool_calls: number; tokens: number; avg_duration_ms: number };

/** What stands behind an agent: a conversation with a model, or other agents. */
export interface AgentCore {
  answer(agent: Agent, context: Context, request: AgentRequest, onText: OnText | undefined): Promise<Outcome>;
  /** Agents that this one is made of. */
  readonly members: readonly Agent[];
  readonly kind: string;
}

/** An agent of a run: its settings, its history and what it has used. */
export class Agent {
  config: AgentConfig;
  readonly core: AgentCore;
  history: Message[] = [];
  destroyed = false;
  readonly #counts = { executions: 0, failures: 0, tool_calls: 0, tokens: 0, duration: 0 };

  constructor(config: AgentConfig, core: AgentCore) {
    this.config = config;
    this.core = core;
  }

  /** Adds to the history. Throws LIMIT_EXCEEDED when the run keeps too much. */
  remember({ run, method }: Context, messages: readonly Message[]): void {
    for (const message of messages) run.kept.add(method, message, message);
    this.history.push(...messages);
  }

  get name(): string {
    return this.config.name;
  }

  /** Answers a request inside the agent's hooks, budget and time; `onText` gets the answer as it arrives. Throws what model, tools, hooks and limits throw. */
  async execute(context: Context, request: AgentRequest, onText?: OnText): Promise<AgentResult> {
    const { name } = this;
    if (this.destroyed) throw new ScriptError('NOT_FOUND', `${context.method}: the agent ${name} was destroyed`);
    if (context.depth >= MAX_DEPTH)
      throw new ScriptError('DEPTH_EXCEEDED', `${context.method}: agents, tools and workflows nest more than ${MAX_DEPTH} deep (at agent ${name})`);
    const bus = context.run.get(events);
    const started = performance.now();
    const who = name === ANONYMOUS ? context.method : name;
    const spending = new Spending(who, this.config.budget, Spending.of(context));
    const deadline = this.#deadline(who);
    const inside = context.with({ depth: context.depth + 1, spending });
    const watched = {
      kind: 'agent',
      name,
      before: 'before_execution',
      after: 'after_execution',
      error: 'error',
      input: describe(request),
      checkInput: (changed: Value) => checkRequest(changed, name) as ValueMap,
      fields: { model: this.config.model },
    };
    await bus.announce(inside, `agent.${name}.started`, { name });
    try {
      const result = await context.run
        .get(hooks)
        .around<ValueMap, Value>(
          inside,
          watched,
          (input, deeper) =>
            this.#answer(within(deeper, deadline.signal), { ...request, ...(input as Partial<AgentRequest>) }, onText, started) as Promise<Value>,
        );
      const answered = normalised(result, this.config.model, elapsedMs(started));
      this.#count(answered, elapsedMs(started));
      await bus.announce(inside, `agent.${name}.completed`, { name, duration_ms: answered.duration_ms, tokens: answered.usage.total_tokens });
      return answered;
    } catch (error) {
      this.#counts.failures++;
      if (!context.signal.aborted) await announceFailure(context, 'agent', name, error);
      throw error;
    } finally {
      clearTimeout(deadline.timer);
    }
  }

  metrics(): AgentMetrics {
    const { duration, ...counts } = this.#counts;
    return { ...counts, avg_duration_ms: counts.executions === 0 ? 0 : duration / counts.executions };
  }

  async #answer(context: Context, request: AgentRequest, onText: OnText | undefined, started: number): Promise<AgentResult> {
    const {
      added: _,
      cost_usd,
      ...outcome
    } = await this.core.answer(this, context, request, onText).catch((thrown: unknown) => {
      throw context.signal.aborted ? context.signal.reason : thrown;
    });
    return { ...outcome, duration_ms: elapsedMs(started), ...(cost_usd !== undefined && { cost_usd }) };
  }

  #deadline(who: string): { signal: AbortSignal; timer: NodeJS.Timeout } {
    const { timeout_ms } = this.config;
    const abort = new AbortController();
    const error = () => new ScriptError('TIMEOUT', `${who}: took longer than ${timeout_ms} ms`, { details: { outcome: 'unknown', retryable: true } });
    return { signal: abort.signal, timer: setTimeout(() => abort.abort(error()), timeout_ms) };
  }

  #count({ usage, tool_calls }: AgentResult, duration: number): void {
    this.#counts.executions++;
    this.#counts.tool_calls += tool_calls.length;
    this.#counts.tokens += usage.total_tokens;
    this.#counts.duration += duration;
  }
}

/** Handles of agents as scripts see them. */
export const AGENT_HANDLE: HandleType<Agent> = { name: 'Agent', fields: ({ config: { name, model, description } }) => ({ name, model, description }) };

function describe({ prompt, input, context }: AgentRequest): ValueMap {
  return { prompt, ...(input !== undefined && { input }), ...(context !== undefined && { context }) };
}

/** What hooks may change of a request. */
const checkChanged = compileLater(() => z.strictObject({ prompt: z.string(), input: anyValue.optional(), context: anyValue.optional() }));

function checkRequest(changed: Value, agent: string): Value {
  return checkChanged(changed, `${agent}: input`) as Value;
}

/** The context with its signal bounded by another. */
function within(context: Context, signal: AbortSignal): Context {
  return context.with({ signal: AbortSignal.any([context.signal, signal]) });
}

/** A hook may answer in place of the agent with a text alone. */
function normalised(result: Value, model: string, duration_ms: number): AgentResult {
  const given = result as unknown as Partial<AgentResult> | null;
  if (given && typeof given === 'object' && given.usage && given.tool_calls) return given as AgentResult;
  const usage = { input_tokens: 0, output_tokens: 0, total_tokens: 0, cached_tokens: 0 };
  const output = given && typeof given === 'object' && 'output' in given ? (given.output ?? null) : result;
  return { output, usage, model, finish_reason: 'stop', tool_calls: [], steps: 0, duration_ms };
}

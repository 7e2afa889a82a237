import { z } from 'zod';
import { compileSchema } from '../call/compile.ts';
import { type Context, type Run, runService } from '../call/context.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { hooks } from '../hook/hooks.ts';
import { valueText } from '../model/model.ts';
import { models } from '../model/models.ts';
import { tools } from '../tool/registry.ts';
import { type ScriptToolDefinition, scriptTool } from '../tool/script.ts';
import { TOOL_TIMEOUT_MS, type Tool } from '../tool/tool.ts';
import { Agent, type AgentConfig, type AgentRequest, type AgentResult } from './agent.ts';
import type { Budget } from './budget.ts';
import { composite, type Router, type Strategy } from './composite.ts';
import { conversation } from './conversation.ts';

/** Something an agent can be given as a tool. */
export type ToolLike = string | Tool | Agent | ScriptToolDefinition | { asTool(): Tool };

/** An agent as scripts describe it. */
export interface AgentSpec {
  readonly name?: string | undefined;
  readonly model: string;
  readonly description?: string | undefined;
  readonly system_prompt?: string | undefined;
  readonly tools?: readonly ToolLike[] | undefined;
  readonly temperature?: number | undefined;
  readonly max_tokens?: number | undefined;
  readonly output_schema?: ValueMap | undefined;
  readonly max_steps?: number | undefined;
  readonly timeout_ms?: number | undefined;
  readonly retries?: number | undefined;
  readonly fallback_models?: readonly string[] | undefined;
  readonly budget?: Budget | undefined;
}

export interface CompositeSpec {
  readonly name?: string | undefined;
  readonly agents: readonly Agent[];
  readonly strategy: Strategy;
  readonly router?: Router | undefined;
  readonly description?: string | undefined;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const DEFAULTS = { max_steps: 10, timeout_ms: 120_000, retries: 2 } as const;

/** The agents of a run. */
export interface Agents {
  /** Makes an agent; throws BAD_ARGUMENT for a taken or bad name and what the check of its model throws. */
  create(context: Context, spec: AgentSpec): Promise<Agent>;
  createComposite(context: Context, spec: CompositeSpec): Soon<Agent>;
  /** Answers once, by an agent without a name. */
  executeOnce(context: Context, spec: AgentSpec, request: AgentRequest): Promise<AgentResult>;
  get(name: string): Agent | undefined;
  list(): Agent[];
  remove(name: string): boolean;
  /** Tools as an agent holds them; throws NOT_FOUND for an unknown name. */
  resolveTools(context: Context, given: readonly ToolLike[]): Promise<Tool[]>;
}

export const agents = runService<Agents>('agents', createAgents);

function createAgents(run: Run): Agents {
  const all = new Map<string, Agent>();
  let made = 0;

  async function resolveTools(context: Context, given: readonly ToolLike[]): Promise<Tool[]> {
    const registry = run.get(tools);
    return Promise.all(
      given.map(async (one) => {
        if (one instanceof Agent) return agentAsTool(one);
        if (typeof one === 'object') return 'execute' in one ? one : 'asTool' in one ? one.asTool() : scriptTool(one);
        const found = await registry.get(one);
        if (!found) throw new ScriptError('NOT_FOUND', `${context.method}: tools: there is no tool "${one}" (Tool.list() names all)`);
        return found;
      }),
    );
  }

  function freshName(context: Context, wanted: string | undefined, kind: string): string {
    const name = wanted ?? `${kind}_${++made}`;
    if (!NAME.test(name))
      throw new ScriptError('BAD_ARGUMENT', `${context.method}: name: expected 1 to 64 of A-Z a-z 0-9 _ -, got ${JSON.stringify(name.slice(0, 80))}`);
    if (all.has(name)) throw new ScriptError('BAD_ARGUMENT', `${context.method}: name: there is an agent ${name} already`);
    return name;
  }

  async function configOf(context: Context, spec: AgentSpec, name: string): Promise<AgentConfig> {
    const { tools: given = [], fallback_models = [], budget = {}, description = '' } = spec;
    const registry = run.host.get(models);
    for (const model of [spec.model, ...fallback_models]) registry.check(context, model);
    return {
      ...spec,
      name,
      description,
      max_steps: spec.max_steps ?? DEFAULTS.max_steps,
      timeout_ms: spec.timeout_ms ?? DEFAULTS.timeout_ms,
      retries: spec.retries ?? DEFAULTS.retries,
      tools: await resolveTools(context, given),
      fallback_models,
      budget,
    };
  }

  return {
    resolveTools,
    create: async (context, spec) => {
      const name = freshName(context, spec.name, 'agent');
      const watched = {
        kind: 'agent',
        name,
        before: 'before_creation',
        after: 'after_creation',
        input: { name, model: spec.model, description: spec.description ?? '' },
        checkInput: (changed: Value) => checkCreation(changed, name),
        checkOutput: () => ({ name }),
      };
      let agent: Agent | undefined;
      await run.get(hooks).around<ValueMap, Value>(context, watched, async (input) => {
        agent = new Agent(await configOf(context, { ...spec, ...(input as { model: string; description: string }) }, name), conversation);
        return { name };
      });
      if (!agent) throw new ScriptError('HOOK_REJECTED', `${context.method}: a hook skipped the making of ${name}`);
      all.set(name, agent);
      return agent;
    },
    createComposite(context, spec) {
      if (spec.agents.length === 0) throw new ScriptError('BAD_ARGUMENT', `${context.method}: agents: expected at least one`);
      const name = freshName(context, spec.name, 'composite');
      const config = {
        ...DEFAULTS,
        name,
        model: spec.agents[0]?.config.model ?? '',
        description: spec.description ?? `${spec.strategy} of ${spec.agents.map((agent) => agent.name).join(', ')}`,
        tools: [],
        fallback_models: [],
        budget: {},
      };
      const { model, description } = config;
      const watched = { kind: 'agent', name, before: 'before_creation', after: 'after_creation', input: { name, model, description } };
      let agent: Agent | undefined;
      const made = run.get(hooks).around<ValueMap, Value>(context, watched, () => {
        agent = new Agent(config, composite(spec.agents, spec.strategy, spec.router));
        return { name };
      });
      return whenReady(made, () => {
        if (!agent) throw new ScriptError('HOOK_REJECTED', `${context.method}: a hook skipped the making of ${name}`);
        all.set(name, agent);
        return agent;
      });
    },
    async executeOnce(context, spec, request) {
      const agent = new Agent(await configOf(context, spec, spec.name ?? 'anonymous'), conversation);
      return agent.execute(context, request);
    },
    get: (name) => all.get(name),
    list: () => [...all.values()],
    remove(name) {
      const agent = all.get(name);
      if (agent) agent.destroyed = true;
      return all.delete(name);
    },
  };
}

const checkChanged = compileSchema(z.strictObject({ name: z.string(), model: z.string(), description: z.string().default('') }));

/** What a hook puts in place of a new agent's configuration: model and description may change, the name not. */
function checkCreation(changed: Value, name: string): ValueMap {
  const checked = checkChanged(changed, `agent ${name}: input`) as ValueMap;
  if (checked.name !== name) throw new ScriptError('BAD_ARGUMENT', `agent ${name}: input: name: a hook cannot rename an agent`);
  return checked;
}

/** An agent as a tool that other agents and workflows call with `{prompt}`. */
export function agentAsTool(agent: Agent, options: { name?: string | undefined; description?: string | undefined } = {}): Tool {
  const schema: ValueMap = { type: 'object', properties: { prompt: { type: 'string', description: 'what to ask' } }, required: ['prompt'] };
  return {
    ...scriptTool({
      name: options.name ?? agent.name.toLowerCase().replaceAll('-', '_'),
      description: options.description ?? (agent.config.description || `Asks the agent ${agent.name}`),
      parameters: schema,
      handler: () => null,
      category: 'agent',
    }),
    timeoutMs: Math.max(TOOL_TIMEOUT_MS, agent.config.timeout_ms),
    execute: async (input, context) => {
      const { output } = await agent.execute(context, { prompt: valueText((input as { prompt: Value }).prompt) });
      return output;
    },
  };
}

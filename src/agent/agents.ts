import { compileLater } from '../call/compile.ts';
import { type Context, type Run, runService } from '../call/context.ts';
import { checkerOf } from '../call/json-schema/check.ts';
import type { Soon } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { hooks } from '../hook/hooks.ts';
import { valueText } from '../model/model.ts';
import { models } from '../model/models.ts';
import { tools } from '../tool/registry.ts';
import { ownTool, type ScriptToolDefinition, scriptTool } from '../tool/script.ts';
import { TOOL_TIMEOUT_MS, type Tool } from '../tool/tool.ts';
import { z } from '../zod.ts';
import { Agent, type AgentConfig, type AgentRequest, type AgentResult, ANONYMOUS } from './agent.ts';
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
  readonly keep_history?: boolean | undefined;
}

export interface CompositeSpec {
  readonly name?: string | undefined;
  readonly agents: readonly Agent[];
  readonly strategy: Strategy;
  readonly router?: Router | undefined;
  readonly description?: string | undefined;
  readonly timeout_ms?: number | undefined;
  readonly budget?: Budget | undefined;
}

type Checked = Partial<Pick<AgentSpec, 'fallback_models' | 'output_schema'>> & { readonly model?: string | undefined };

/** Tools of an agent: so many the providers take. */
const MOST_TOOLS = 128;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const DEFAULTS = { max_steps: 10, timeout_ms: 120_000, retries: 2 } as const;

/** What hooks of an agent's creation are told beside its name. */
type Told = { model: string; description: string };

/** The agents of a run. */
export interface Agents {
  /** Makes an agent; throws BAD_ARGUMENT for a taken or bad name and what the check of its model throws. */
  create(context: Context, spec: AgentSpec): Promise<Agent>;
  createComposite(context: Context, spec: CompositeSpec): Promise<Agent>;
  /** Answers once, by an agent without a name. */
  executeOnce(context: Context, spec: AgentSpec, request: AgentRequest): Promise<AgentResult>;
  get(name: string): Agent | undefined;
  list(): Agent[];
  remove(name: string): boolean;
  /** Throws what the check of a model throws, and BAD_ARGUMENT for an `output_schema` that is none. */
  checkSettings(context: Context, spec: Checked): void;
  /** Tools as an agent holds them, which messages call `tools[n]` or by their place; throws NOT_FOUND for an unknown name and BAD_ARGUMENT for two of one name or too many. */
  resolveTools(context: Context, given: readonly ToolLike[], place?: string): Promise<Tool[]>;
}

export const agents = runService<Agents>('agents', createAgents);

/** Throws BAD_ARGUMENT for more tools than an agent may have. */
export function checkToolCount({ method }: Context, count: number): void {
  if (count > MOST_TOOLS) throw new ScriptError('BAD_ARGUMENT', `${method}: tools: expected at most ${MOST_TOOLS}, got ${count}`);
}

function createAgents(run: Run): Agents {
  const all = new Map<string, Agent>();
  let made = 0;

  async function resolveTools(context: Context, given: readonly ToolLike[], place?: string): Promise<Tool[]> {
    checkToolCount(context, given.length);
    const registry = run.get(tools);
    const first = run.language === 'lua' ? 1 : 0;
    const resolved = await Promise.all(
      given.map(async (one, at) => {
        if (one instanceof Agent) return agentAsTool(one);
        // A workflow has `execute` too.
        if (typeof one === 'object')
          return 'asTool' in one ? one.asTool() : 'execute' in one ? one : ownTool(one, `${context.method}: ${place ?? `tools[${first + at}]`}.`, context);
        const found = await registry.get(one);
        if (!found) throw new ScriptError('NOT_FOUND', `${context.method}: tools: ${registry.unknown(one)}`);
        return found;
      }),
    );
    const names = new Set<string>();
    const twice = resolved.find(({ name }) => names.size === names.add(name).size);
    if (twice) throw new ScriptError('BAD_ARGUMENT', `${context.method}: tools: there are two of the name ${twice.name}`);
    return resolved;
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
    checkSettings(context, spec);
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

  /** Everything that can be known to be wrong before a model is asked. */
  function checkSettings(context: Context, { model, fallback_models = [], output_schema }: Checked): void {
    const registry = run.host.get(models);
    for (const name of [...(model === undefined ? [] : [model]), ...fallback_models]) registry.check(context, name);
    if (output_schema !== undefined) checkerOf(output_schema, `${context.method}: output_schema`);
  }

  /** Makes an agent inside the hooks of its creation, which may change what they are told, and keeps it. */
  async function make(context: Context, name: string, told: Told, build: (told: Told) => Soon<Agent>): Promise<Agent> {
    const watched = {
      kind: 'agent',
      name,
      before: 'before_creation',
      after: 'after_creation',
      input: { name, ...told },
      checkInput: (changed: Value) => checkCreation(changed, name),
      checkOutput: () => ({ name }),
    };
    let agent: Agent | undefined;
    await run.get(hooks).around<ValueMap, Value>(context, watched, async (input) => {
      agent = await build(input as Told);
      return { name };
    });
    if (!agent) throw new ScriptError('HOOK_REJECTED', `${context.method}: a hook skipped the making of ${name}`);
    all.set(name, agent);
    return agent;
  }

  return {
    resolveTools,
    checkSettings,
    create(context, spec) {
      const name = freshName(context, spec.name, 'agent');
      const told = { model: spec.model, description: spec.description ?? '' };
      return make(context, name, told, async (input) => new Agent(await configOf(context, { ...spec, ...input }, name), conversation));
    },
    createComposite(context, { agents: members, strategy, router, description, timeout_ms = DEFAULTS.timeout_ms, budget = {}, ...spec }) {
      if (members.length === 0) throw new ScriptError('BAD_ARGUMENT', `${context.method}: agents: expected at least one`);
      if (router && strategy !== 'route') throw new ScriptError('BAD_ARGUMENT', `${context.method}: router: only the strategy "route" has one`);
      const name = freshName(context, spec.name, 'composite');
      const told = {
        model: [...new Set(members.map(({ config }) => config.model))].join(', '),
        description: description ?? `${strategy} of ${members.map((agent) => agent.name).join(', ')}`,
      };
      const config = { ...DEFAULTS, ...told, name, tools: [], fallback_models: [], timeout_ms, budget };
      return make(context, name, told, () => new Agent(config, composite(members, strategy, router)));
    },
    async executeOnce(context, spec, request) {
      const agent = new Agent(await configOf(context, spec, spec.name ?? ANONYMOUS), conversation);
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

const checkChanged = compileLater(() => z.strictObject({ name: z.string(), model: z.string(), description: z.string().default('') }));

/** What a hook puts in place of a new agent's configuration: model and description may change, the name not. */
function checkCreation(changed: Value, name: string): ValueMap {
  const checked = checkChanged(changed, `agent ${name}: input`) as ValueMap;
  if (checked.name !== name) throw new ScriptError('BAD_ARGUMENT', `agent ${name}: input: name: a hook cannot rename an agent`);
  return checked;
}

/** An agent as a tool that other agents and workflows call with `{prompt}`. */
export function agentAsTool(agent: Agent, options: { name?: string | undefined; description?: string | undefined } = {}): Tool {
  const schema: ValueMap = { type: 'object', properties: { prompt: { type: 'string', description: 'what to ask' } }, required: ['prompt'] };
  const tool: Tool = {
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
  behind.set(tool, agent);
  return tool;
}

/** Which agents stand behind tools. */
const behind = new WeakMap<Tool, Agent>();

/** Of whom an agent is made: the members of a composite, and the agents that it has as tools. */
export function hierarchyOf(agent: Agent, path: readonly Agent[] = []): ValueMap {
  const { name, core, config } = agent;
  const above = [...path, agent];
  const part = (one: Agent, role: string): ValueMap => ({ role, ...(above.includes(one) ? { name: one.name, kind: one.core.kind } : hierarchyOf(one, above)) });
  const asTools = config.tools.map((tool) => behind.get(tool)).filter((one) => one !== undefined);
  return { name, kind: core.kind, members: [...core.members.map((one) => part(one, 'member')), ...asTools.map((one) => part(one, 'tool'))] };
}

import type { Agent } from '../agent/agent.ts';
import { type AgentSpec, agentAsTool, agents, hierarchyOf } from '../agent/agents.ts';
import { STRATEGIES } from '../agent/composite.ts';
import { agentContexts } from '../agent/contexts.ts';
import { findTemplate, listTemplates, registerTemplate } from '../agent/templates.ts';
import { builtinGlobal, method } from '../call/define.ts';
import { lines } from '../call/lines.ts';
import { anyMap, anyValue, handle, keptCallback } from '../call/schema.ts';
import type { ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { MODEL_CAPABILITIES } from '../model/model.ts';
import { models } from '../model/models.ts';
import { tools } from '../tool/registry.ts';
import { TOOL_HANDLE } from '../tool/tool.ts';
import { z } from '../zod.ts';
import { agentHandleDefinition } from './agent-handle.ts';
import { agentHandle, budget, example, info, metrics, request, result, sessionUse, settings, spec, specFields } from './agent-schemas.ts';

const inheritance = z.enum(['inherit', 'isolate', 'copy']);

/** Agents: language models with instructions, tools and a history. */
export const agentGlobal = builtinGlobal({
  name: 'Agent',
  doc: 'Agents: language models with instructions, tools and a history. `local/extractive` needs no network: it is no language model and answers by quoting the text that it is given.',
  methods: {
    create: method({
      doc: 'Makes an agent. Its tools run under the permissions of the script.',
      params: { spec },
      result: agentHandle,
      effect: 'write',
      keeps: true,
      examples: [
        {
          lua: `local agent = Agent.create({\n  model = "local/extractive",\n  system_prompt = "You are helpful"\n})\nprint(agent:execute({prompt = "When does it open?", context = "The museum opens at nine. Tickets cost five euros."}).output)`,
          javascript: `const agent = Agent.create({\n  model: "local/extractive",\n  system_prompt: "You are helpful"\n})\nprint(agent.execute({prompt: "When does it open?", context: "The museum opens at nine. Tickets cost five euros."}).output)`,
        },
      ],
      handler: ({ spec }, context) => context.run.get(agents).create(context, spec as AgentSpec),
    }),
    execute: method({
      doc: 'Answers once, without making an agent that stays.',
      params: { spec: z.strictObject({ ...specFields, ...request }) },
      result,
      effect: 'external',
      only_callbacks: 'when_idle',
      examples: [
        {
          lua: `print(Agent.execute({model = "local/extractive", prompt = "What is the capital of France?", context = "Paris is the capital of France."}).output)`,
          javascript: `print(Agent.execute({model: "local/extractive", prompt: "What is the capital of France?", context: "Paris is the capital of France."}).output)`,
        },
      ],
      handler({ spec: { prompt, input, context: material, images, session, ...rest } }, context) {
        if (prompt === '') throw new ScriptError('BAD_ARGUMENT', `${context.method}: prompt: expected some text`);
        const asked = { prompt, input, context: material, images, session: sessionUse(session) };
        return context.run.get(lines).counted(context, () => context.run.get(agents).executeOnce(context, rest as AgentSpec, asked));
      },
    }),
    get: method({
      doc: 'The agent of a name, nil when there is none.',
      params: { name: z.string() },
      result: agentHandle.nullable(),
      effect: 'read',
      examples: example(`print(Agent.get("helper") == agent)`, `print(Agent.get("helper") === agent)`),
      handler: ({ name }, { run }) => run.get(agents).get(name) ?? null,
    }),
    list: method({
      doc: 'Every agent of this run.',
      params: {},
      result: z.array(info),
      effect: 'read',
      examples: example(`print(Agent.list()[1].name)`, `print(Agent.list()[0].name)`),
      handler: (_, { run }) => run.get(agents).list().map(infoOf),
    }),
    remove: method({
      doc: 'Removes an agent; says whether there was one.',
      params: { name: z.string() },
      result: z.boolean(),
      effect: 'write',
      examples: example(`print(Agent.remove("helper"))`, `print(Agent.remove("helper"))`),
      handler: ({ name }, { run }) => run.get(agents).remove(name),
    }),
    get_details: method({
      doc: 'An agent with its counters, nil when there is none.',
      params: { name: z.string() },
      result: info.extend({ metrics }).nullable(),
      effect: 'read',
      examples: example(`print(Agent.get_details("helper").metrics.executions)`, `print(Agent.get_details("helper").metrics.executions)`),
      handler: ({ name }, { run }) => {
        const agent = run.get(agents).get(name);
        return agent ? { ...infoOf(agent), metrics: agent.metrics() } : null;
      },
    }),
    register: method({
      doc: 'Keeps a named configuration (data only) for the tenant, for `create_from_template`.',
      params: { config: z.strictObject({ ...specFields, name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), tools: z.array(z.string()).optional() }) },
      result: z.void(),
      effect: 'write',
      keeps: true,
      examples: [
        { lua: `Agent.register({name = "clerk", model = "local/extractive"})`, javascript: `Agent.register({name: "clerk", model: "local/extractive"})` },
      ],
      handler: ({ config }, context) => registerTemplate(context, config as ValueMap & { name: string }),
    }),
    list_templates: method({
      doc: 'Configurations to make agents from: those of the runtime and those registered for the tenant.',
      params: {},
      result: z.array(anyMap),
      effect: 'read',
      examples: [{ lua: `print(Agent.list_templates()[1].name)`, javascript: `print(Agent.list_templates()[0].name)` }],
      handler: (_, context) => listTemplates(context),
    }),
    create_from_template: method({
      doc: 'Makes an agent from a named configuration, with changes.',
      params: { template: z.string(), overrides: spec.partial().default({}) },
      result: agentHandle,
      effect: 'write',
      keeps: true,
      examples: [
        {
          lua: `print(Agent.create_from_template("researcher", {name = "ada"}).name)`,
          javascript: `print(Agent.create_from_template("researcher", {name: "ada"}).name)`,
        },
      ],
      handler: async ({ template, overrides }, context) => {
        const { name: _, ...found } = await findTemplate(context, template);
        return context.run.get(agents).create(context, { ...found, ...overrides } as AgentSpec);
      },
    }),
    discover: method({
      doc: 'Agents of this run whose name, description or model contain a word, or whose model can do something.',
      params: { filter: z.strictObject({ query: z.string().optional(), capability: z.enum(MODEL_CAPABILITIES).optional() }).default({}) },
      result: z.array(info),
      effect: 'read',
      examples: example(`print(#Agent.discover({query = "help"}))`, `print(Agent.discover({query: "help"}).length)`),
      handler: ({ filter: { query = '', capability } }, { run }) =>
        run
          .get(agents)
          .list()
          .filter(({ name, config }) => `${name} ${config.description} ${config.model}`.toLowerCase().includes(query.toLowerCase()))
          .filter(({ config }) => capability === undefined || run.host.get(models).capabilities(config.model).includes(capability))
          .map(infoOf),
    }),
    discover_by_capability: method({
      doc: 'Agents of this run whose model can do something.',
      params: { capability: z.enum(MODEL_CAPABILITIES) },
      result: z.array(info),
      effect: 'read',
      examples: example(`print(#Agent.discover_by_capability("streaming"))`, `print(Agent.discover_by_capability("streaming").length)`),
      handler: ({ capability }, { run }) =>
        run
          .get(agents)
          .list()
          .filter(({ config }) => run.host.get(models).capabilities(config.model).includes(capability))
          .map(infoOf),
    }),
    list_capabilities: method({
      doc: 'What models can do.',
      params: {},
      result: z.array(z.enum(MODEL_CAPABILITIES)),
      effect: 'pure',
      examples: [{ lua: `print(Agent.list_capabilities())`, javascript: `print(Agent.list_capabilities())` }],
      handler: () => [...MODEL_CAPABILITIES],
    }),
    get_info: method({
      doc: 'An agent with what its model can do, nil when there is none.',
      params: { name: z.string() },
      result: info.extend({ capabilities: z.array(z.enum(MODEL_CAPABILITIES)) }).nullable(),
      effect: 'read',
      examples: example(`print(Agent.get_info("helper").capabilities)`, `print(Agent.get_info("helper").capabilities)`),
      handler: ({ name }, { run }) => {
        const agent = run.get(agents).get(name);
        return agent ? { ...infoOf(agent), capabilities: [...run.host.get(models).capabilities(agent.config.model)] } : null;
      },
    }),
    wrap_as_tool: method({
      doc: 'The agent as a tool that other agents and workflows call with `{prompt}`.',
      params: { agent: agentHandle, options: z.strictObject({ name: z.string().optional(), description: z.string().optional() }).default({}) },
      result: handle(TOOL_HANDLE),
      effect: 'write',
      keeps: true,
      examples: example(`print(Agent.wrap_as_tool(agent, {name = "ask_helper"}).name)`, `print(Agent.wrap_as_tool(agent, {name: "ask_helper"}).name)`),
      handler: ({ agent, options }, { run }) => {
        const tool = agentAsTool(agent, options);
        run.get(tools).register(tool);
        return tool;
      },
    }),
    create_composite: method({
      doc: 'Several agents behind one handle: each gets the answer of the one before (`sequential`), all answer (`parallel`), the answer that most give (`vote`), or one that a router, or the best fitting description, chooses (`route`).',
      params: {
        spec: z.strictObject({
          name: z.string().optional(),
          agents: z.array(agentHandle).min(1),
          strategy: z.enum(STRATEGIES),
          router: z.union([agentHandle, keptCallback('(prompt: string, names: string[]) => string')]).optional(),
          description: z.string().optional(),
          timeout_ms: settings.timeout_ms,
          budget: budget.optional().describe('of one execution of all of them together'),
        }),
      },
      result: agentHandle,
      effect: 'write',
      keeps: true,
      examples: example(
        `local team = Agent.create_composite({name = "team", agents = {agent}, strategy = "parallel"})\nprint(team:execute({prompt = "What is red?", context = "Roses are red."}).output[1].agent)`,
        `const team = Agent.create_composite({name: "team", agents: [agent], strategy: "parallel"})\nprint(team.execute({prompt: "What is red?", context: "Roses are red."}).output[0].agent)`,
      ),
      handler: ({ spec }, context) => context.run.get(agents).createComposite(context, spec),
    }),
    create_context: method({
      doc: 'A shared map that is put before the prompt of every request that names it; gives its id.',
      params: { spec: z.strictObject({ name: z.string().optional(), data: anyMap.optional() }).default({}) },
      result: z.string(),
      effect: 'write',
      keeps: true,
      examples: [{ lua: `print(Agent.create_context({data = {project = "Apollo"}}))`, javascript: `print(Agent.create_context({data: {project: "Apollo"}}))` }],
      handler: ({ spec: { name, data = {} } }, { run }) => run.get(agentContexts).create(name, data),
    }),
    update_context: method({
      doc: 'Adds to a context or replaces keys of it.',
      params: { id: z.string(), data: anyMap },
      result: z.void(),
      effect: 'write',
      examples: [
        {
          lua: `local id = Agent.create_context()\nAgent.update_context(id, {phase = 2})\nprint(Agent.get_context_data(id, "phase"))`,
          javascript: `const id = Agent.create_context()\nAgent.update_context(id, {phase: 2})\nprint(Agent.get_context_data(id, "phase"))`,
        },
      ],
      handler: ({ id, data }, context) => context.run.get(agentContexts).update(context, id, data),
    }),
    get_context_data: method({
      doc: "A context's data, or one key of it, with what it inherits.",
      params: { id: z.string(), key: z.string().optional() },
      result: anyValue,
      effect: 'read',
      examples: [
        {
          lua: `print(Agent.get_context_data(Agent.create_context({data = {a = 1}}), "a"))`,
          javascript: `print(Agent.get_context_data(Agent.create_context({data: {a: 1}}), "a"))`,
        },
      ],
      handler: ({ id, key }, context) => {
        const data = context.run.get(agentContexts).data(context, id);
        return key === undefined ? data : ((Object.hasOwn(data, key) ? data[key] : undefined) ?? null);
      },
    }),
    create_child_context: method({
      doc: "A context below another one: it sees the parent's data as it changes (`inherit`), not at all (`isolate`), or as it is now (`copy`).",
      params: { parent: z.string(), spec: z.strictObject({ mode: inheritance.default('inherit'), data: anyMap.optional() }).prefault({}) },
      result: z.string(),
      effect: 'write',
      keeps: true,
      examples: [
        {
          lua: `local id = Agent.create_context({data = {a = 1}})\nprint(Agent.get_context_data(Agent.create_child_context(id, {data = {b = 2}})))`,
          javascript: `const id = Agent.create_context({data: {a: 1}})\nprint(Agent.get_context_data(Agent.create_child_context(id, {data: {b: 2}})))`,
        },
      ],
      handler: ({ parent, spec: { mode, data = {} } }, context) => context.run.get(agentContexts).createChild(context, parent, mode, data),
    }),
    remove_context: method({
      doc: 'Removes a context; says whether there was one.',
      params: { id: z.string() },
      result: z.boolean(),
      effect: 'write',
      examples: [{ lua: `print(Agent.remove_context("ctx_9"))`, javascript: `print(Agent.remove_context("ctx_9"))` }],
      handler: ({ id }, { run }) => run.get(agentContexts).remove(id),
    }),
    set_shared_memory: method({
      doc: 'Puts a value where every function of this run can read it, the tools of its agents included.',
      params: { scope: z.string(), key: z.string(), value: anyValue },
      result: z.void(),
      effect: 'write',
      examples: [
        {
          lua: `Agent.set_shared_memory("plan", "goal", "moon")\nprint(Agent.get_shared_memory("plan", "goal"))`,
          javascript: `Agent.set_shared_memory("plan", "goal", "moon")\nprint(Agent.get_shared_memory("plan", "goal"))`,
        },
      ],
      handler: ({ scope, key, value }, context) => context.run.get(agentContexts).remember(context, scope, key, value),
    }),
    get_shared_memory: method({
      doc: 'A value of the shared memory, nil when there is none.',
      params: { scope: z.string(), key: z.string() },
      result: anyValue,
      effect: 'read',
      examples: [{ lua: `print(Agent.get_shared_memory("plan", "none") == nil)`, javascript: `print(Agent.get_shared_memory("plan", "none") == null)` }],
      handler: ({ scope, key }, { run }) => run.get(agentContexts).recall(scope, key),
    }),
    get_hierarchy: method({
      doc: 'Of whom an agent is made, nil when there is none of this name: `members` are those of a composite (`role` is `member`) and the agents that it has as tools (`tool`).',
      params: { name: z.string() },
      result: anyMap.nullable(),
      effect: 'read',
      examples: example(`print(Agent.get_hierarchy("helper").kind)`, `print(Agent.get_hierarchy("helper").kind)`),
      handler: ({ name }, { run }) => {
        const agent = run.get(agents).get(name);
        return agent ? hierarchyOf(agent) : null;
      },
    }),
    list_instances: method({
      doc: 'Every agent of this run with its counters.',
      params: {},
      result: z.array(info.extend({ metrics })),
      effect: 'read',
      examples: example(`print(Agent.list_instances()[1].metrics.executions)`, `print(Agent.list_instances()[0].metrics.executions)`),
      handler: (_, { run }) =>
        run
          .get(agents)
          .list()
          .map((agent) => ({ ...infoOf(agent), metrics: agent.metrics() })),
    }),
  },
  handles: [agentHandleDefinition],
});

function infoOf({ name, config }: Agent) {
  return { name, model: config.model, description: config.description, tools: config.tools.map((tool) => tool.name) };
}

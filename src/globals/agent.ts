import { z } from 'zod';
import { AGENT_HANDLE, type Agent } from '../agent/agent.ts';
import { type AgentSpec, agentAsTool, agents, hierarchyOf } from '../agent/agents.ts';
import { STRATEGIES } from '../agent/composite.ts';
import { agentContexts } from '../agent/contexts.ts';
import { findTemplate, listTemplates, registerTemplate } from '../agent/templates.ts';
import { defineGlobal, defineHandle, handleMethod, method } from '../call/define.ts';
import { anyMap, anyValue, bytes, callback, handle, keptCallback } from '../call/schema.ts';
import { whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { events } from '../event/bus.ts';
import { MODEL_CAPABILITIES } from '../model/model.ts';
import { models } from '../model/models.ts';
import { readTranscript, type SessionUse } from '../session/transcript.ts';
import { load, save } from '../state/state.ts';
import { tools } from '../tool/registry.ts';
import { TOOL_HANDLE } from '../tool/tool.ts';
import { WORKFLOW_HANDLE } from '../workflow/handle.ts';

const agentHandle = handle(AGENT_HANDLE);
const inlineTool = z.strictObject({ name: z.string(), description: z.string(), parameters: anyMap.optional(), handler: keptCallback('(params: any) => any') });
const toolLike = z.union([z.string(), handle(TOOL_HANDLE), agentHandle, handle(WORKFLOW_HANDLE), inlineTool]);
const schema = anyMap.describe('JSON Schema of the output, which then is a value');
const budget = z.strictObject({
  max_tokens_total: z.int().min(1).optional(),
  max_cost_usd: z.number().positive().optional(),
  max_tool_calls: z.int().min(0).optional(),
});

const settings = {
  system_prompt: z.string().optional(),
  tools: z.array(toolLike).optional().describe('names, tools, agents, workflows, or {name, description, parameters, handler}'),
  temperature: z.number().min(0).max(2).optional(),
  max_tokens: z.int().min(1).optional(),
  output_schema: schema.optional(),
  max_steps: z.int().min(1).max(100).optional().describe('answers of the model at most, tool calls between them; 10 if not given'),
  timeout_ms: z.int().min(1).max(3_600_000).optional().describe('120,000 if not given'),
  retries: z.int().min(0).max(10).optional().describe('for failures that may pass; 2 if not given'),
  fallback_models: z.array(z.string()).optional(),
  description: z.string().optional(),
  budget: budget.optional(),
  keep_history: z.boolean().optional().describe('false lets each request stand alone, as for the steps of a map; true if not given'),
};
const spec = z.strictObject({
  name: z.string().optional(),
  model: z.string().describe('provider/model, such as openai/gpt-4, anthropic/claude-3, ollama/llama3 or local/extractive'),
  ...settings,
});

const image = z.union([z.strictObject({ url: z.url() }), z.strictObject({ data: bytes, media_type: z.string() })]);
const request = {
  prompt: z.string(),
  input: anyValue.optional().describe('data, put before the prompt as JSON'),
  context: anyValue.optional().describe('text, data, or the id of a context, put before the prompt'),
  images: z.array(image).optional(),
  tools: settings.tools,
  output_schema: settings.output_schema,
  temperature: settings.temperature,
  max_tokens: settings.max_tokens,
  session: z
    .union([z.string(), z.strictObject({ id: z.string(), last: z.int().min(0).optional() })])
    .optional()
    .describe(
      "the id of a session, or {id, last}: its turns, or the last so many, come before the prompt in place of the agent's own history, and question and answer are added to it",
    ),
};

const usage = z.object({ input_tokens: z.int(), output_tokens: z.int(), total_tokens: z.int(), cached_tokens: z.int() });
const result = z.object({
  output: anyValue,
  usage,
  model: z.string(),
  finish_reason: z.string().describe('stop, length, content_filter, max_steps or other'),
  tool_calls: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      input: anyValue,
      output: anyValue.optional(),
      error: z.object({ code: z.string(), message: z.string() }).optional(),
      duration_ms: z.number(),
    }),
  ),
  steps: z.int(),
  duration_ms: z.number(),
  cost_usd: z.number().optional(),
});
const info = z.object({ name: z.string(), model: z.string(), description: z.string(), tools: z.array(z.string()) });
const metrics = z.object({ executions: z.int(), failures: z.int(), tool_calls: z.int(), tokens: z.int(), avg_duration_ms: z.number() });
const inheritance = z.enum(['inherit', 'isolate', 'copy']);

const NEW = {
  lua: 'local agent = Agent.create({name = "helper", model = "local/extractive"})\n',
  javascript: 'const agent = Agent.create({name: "helper", model: "local/extractive"})\n',
};
const example = (lua: string, javascript: string) => [{ lua: NEW.lua + lua, javascript: NEW.javascript + javascript }];

/** Agents: language models with instructions, tools and a history. */
export const agentGlobal = defineGlobal({
  name: 'Agent',
  doc: 'Agents: language models with instructions, tools and a history. `local/extractive` needs no network: it is no language model and answers by quoting the text that it is given.',
  methods: {
    create: method({
      doc: 'Makes an agent. Its tools run under the permissions of the script.',
      params: { spec },
      result: agentHandle,
      effect: 'write',
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
      params: { spec: z.strictObject({ ...spec.shape, ...request }) },
      result,
      effect: 'external',
      examples: [
        {
          lua: `print(Agent.execute({model = "local/extractive", prompt = "What is the capital of France?", context = "Paris is the capital of France."}).output)`,
          javascript: `print(Agent.execute({model: "local/extractive", prompt: "What is the capital of France?", context: "Paris is the capital of France."}).output)`,
        },
      ],
      handler({ spec: { prompt, input, context: material, images, session, ...rest } }, context) {
        if (prompt === '') throw new ScriptError('BAD_ARGUMENT', `${context.method}: prompt: expected some text`);
        return context.run.get(agents).executeOnce(context, rest as AgentSpec, { prompt, input, context: material, images, session: sessionUse(session) });
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
      params: { config: z.strictObject({ ...spec.shape, name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), tools: z.array(z.string()).optional() }) },
      result: z.void(),
      effect: 'write',
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
      handler: ({ scope, key, value }, { run }) => {
        const { memory } = run.get(agentContexts);
        const of = memory.get(scope) ?? new Map<string, Value>();
        memory.set(scope, of.set(key, value));
      },
    }),
    get_shared_memory: method({
      doc: 'A value of the shared memory, nil when there is none.',
      params: { scope: z.string(), key: z.string() },
      result: anyValue,
      effect: 'read',
      examples: [{ lua: `print(Agent.get_shared_memory("plan", "none") == nil)`, javascript: `print(Agent.get_shared_memory("plan", "none") == null)` }],
      handler: ({ scope, key }, { run }) => run.get(agentContexts).memory.get(scope)?.get(key) ?? null,
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
  handles: [
    defineHandle<Agent>({
      type: AGENT_HANDLE,
      doc: 'An agent; `name`, `model` and `description` are its fields.',
      methods: {
        execute: handleMethod<Agent>()({
          doc: 'Answers a prompt, with a loop over tools until it is done or `max_steps` is reached. `output` is text, or the value that `output_schema` describes.',
          params: { request: z.union([z.string(), z.strictObject(request)]) },
          result,
          effect: 'external',
          examples: example(
            `print(agent:execute({prompt = "What is blue?", context = "The sky is blue."}).output)`,
            `print(agent.execute({prompt: "What is blue?", context: "The sky is blue."}).output)`,
          ),
          handler: async ({ self, request: given }, context) => self.execute(context, await requestOf(context, given)),
        }),
        stream: handleMethod<Agent>()({
          doc: 'As `execute`, and gives the answer to a function piece by piece as it arrives; a slow function holds the stream back.',
          params: { request: z.union([z.string(), z.strictObject(request)]), on_chunk: callback('(text: string) => any') },
          result,
          effect: 'external',
          examples: example(
            `agent:stream({prompt = "What is blue?", context = "The sky is blue."}, function(text) print(text) end)`,
            `agent.stream({prompt: "What is blue?", context: "The sky is blue."}, text => print(text))`,
          ),
          handler: async ({ self, request: given, on_chunk }, context) =>
            self.execute(context, await requestOf(context, given), async (text) => {
              await context.invoke(on_chunk, [text]);
            }),
        }),
        get_history: handleMethod<Agent>()({
          doc: 'The conversation so far, oldest first.',
          params: {},
          result: z.array(anyMap),
          effect: 'read',
          examples: example(`print(#agent:get_history())`, `print(agent.get_history().length)`),
          handler: ({ self }) => self.history as unknown as ValueMap[],
        }),
        clear_history: handleMethod<Agent>()({
          doc: 'Forgets the conversation.',
          params: {},
          result: z.void(),
          effect: 'write',
          examples: example(`agent:clear_history()`, `agent.clear_history()`),
          handler: ({ self }) => {
            self.history = [];
          },
        }),
        save_state: handleMethod<Agent>()({
          doc: "Keeps the conversation in State, under the agent's name.",
          params: {},
          result: z.void(),
          effect: 'write',
          examples: example(`agent:save_state()\nprint(agent:load_state())`, `agent.save_state()\nprint(agent.load_state())`),
          handler: ({ self }, context) => save(context, `agent:${self.name}`, 'conversation', { history: self.history as unknown as Value[] }),
        }),
        load_state: handleMethod<Agent>()({
          doc: 'Takes up the conversation that `save_state` kept; says whether there was one.',
          params: {},
          result: z.boolean(),
          effect: 'write',
          examples: example(`print(agent:load_state())`, `print(agent.load_state())`),
          handler: async ({ self }, context) => {
            const kept = (await load(context, `agent:${self.name}`, 'conversation')) as { history?: Agent['history'] } | null;
            if (!kept?.history) return false;
            self.history = kept.history;
            return true;
          },
        }),
        load_session: handleMethod<Agent>()({
          doc: "Puts the turns of a session, or the last so many, in place of the agent's own history; gives how many messages it then has. What follows is not added to the session: `execute({session = …})` does that.",
          params: { id: z.string(), options: z.strictObject({ last: z.int().min(0).optional() }).default({}) },
          result: z.int(),
          effect: 'read',
          examples: example(
            `local id = Session.create()\nSession.add_turn(id, {role = "user", content = "I am Ada."})\nprint(agent:load_session(id))`,
            `const id = Session.create()\nSession.add_turn(id, {role: "user", content: "I am Ada."})\nprint(agent.load_session(id))`,
          ),
          handler: ({ self, id, options }, context) =>
            whenReady(readTranscript(context, { id, last: options.last }), (messages) => {
              self.history = messages;
              return messages.length;
            }),
        }),
        get_config: handleMethod<Agent>()({
          doc: 'How the agent is set up.',
          params: {},
          result: anyMap,
          effect: 'read',
          examples: example(`print(agent:get_config().max_steps)`, `print(agent.get_config().max_steps)`),
          handler: ({ self }) => ({ ...(self.config as unknown as ValueMap), tools: self.config.tools.map(({ name }) => name) }),
        }),
        set_config: handleMethod<Agent>()({
          doc: 'Changes settings for the executions to come.',
          params: { changes: z.strictObject({ model: z.string().optional(), ...settings }) },
          result: z.void(),
          effect: 'write',
          examples: example(
            `agent:set_config({temperature = 0.2})\nprint(agent:get_config().temperature)`,
            `agent.set_config({temperature: 0.2})\nprint(agent.get_config().temperature)`,
          ),
          handler: async ({ self, changes: { tools: given, ...changes } }, context) => {
            checkOwn(self, { ...changes, tools: given }, context.method);
            context.run.get(agents).checkSettings(context, changes);
            const resolved = given && (await context.run.get(agents).resolveTools(context, given as never));
            self.config = { ...self.config, ...(changes as Partial<Agent['config']>), ...(resolved && { tools: resolved }) };
          },
        }),
        add_tool: handleMethod<Agent>()({
          doc: 'Gives the agent another tool.',
          params: { tool: toolLike },
          result: z.void(),
          effect: 'write',
          examples: example(`agent:add_tool("calculator")\nprint(agent:list_tools())`, `agent.add_tool("calculator")\nprint(agent.list_tools())`),
          handler: async ({ self, tool }, context) => {
            checkOwn(self, { tools: tool }, context.method);
            const [added] = await context.run.get(agents).resolveTools(context, [tool as never]);
            if (added) self.config = { ...self.config, tools: [...self.config.tools.filter(({ name }) => name !== added.name), added] };
          },
        }),
        remove_tool: handleMethod<Agent>()({
          doc: 'Takes a tool away; says whether the agent had it.',
          params: { name: z.string() },
          result: z.boolean(),
          effect: 'write',
          examples: example(`print(agent:remove_tool("calculator"))`, `print(agent.remove_tool("calculator"))`),
          handler: ({ self, name }) => {
            const left = self.config.tools.filter((tool) => tool.name !== name);
            const had = left.length < self.config.tools.length;
            self.config = { ...self.config, tools: left };
            return had;
          },
        }),
        list_tools: handleMethod<Agent>()({
          doc: "The names of the agent's tools.",
          params: {},
          result: z.array(z.string()),
          effect: 'read',
          examples: example(`print(#agent:list_tools())`, `print(agent.list_tools().length)`),
          handler: ({ self }) => self.config.tools.map(({ name }) => name),
        }),
        get_metrics: handleMethod<Agent>()({
          doc: 'What the agent has done in this run.',
          params: {},
          result: metrics,
          effect: 'read',
          examples: example(`print(agent:get_metrics().executions)`, `print(agent.get_metrics().executions)`),
          handler: ({ self }) => self.metrics(),
        }),
        on: handleMethod<Agent>()({
          doc: 'Calls a function at the events `started`, `completed` or `failed` of this agent; gives the id of the subscription.',
          params: { event: z.enum(['started', 'completed', 'failed']), handler: keptCallback('(event: LlmspellEvent) => any') },
          result: z.string(),
          effect: 'write',
          examples: example(
            `agent:on("completed", function(event) print(event.payload.name) end)\nagent:execute("What is blue? The sky is blue.")`,
            `agent.on("completed", event => print(event.payload.name))\nagent.execute("What is blue? The sky is blue.")`,
          ),
          handler: ({ self, event, handler }, context) => context.run.get(events).subscribe(context, `agent.${self.name}.${event}`, handler),
        }),
        destroy: handleMethod<Agent>()({
          doc: 'Ends the agent; its name is free again.',
          params: {},
          result: z.void(),
          effect: 'write',
          examples: example(`agent:destroy()\nprint(Agent.get("helper") == nil)`, `agent.destroy()\nprint(Agent.get("helper") == null)`),
          handler: ({ self }, { run }) => {
            self.destroyed = true;
            if (run.get(agents).get(self.name) === self) run.get(agents).remove(self.name);
          },
        }),
      },
    }),
  ],
});

async function requestOf(context: Parameters<typeof save>[0], given: string | (z.output<z.ZodObject<typeof request>> & object)) {
  const { tools: extra, session, ...rest } = typeof given === 'string' ? { prompt: given, tools: undefined, session: undefined } : given;
  if (rest.prompt === '') throw new ScriptError('BAD_ARGUMENT', `${context.method}: prompt: expected some text`);
  context.run.get(agents).checkSettings(context, rest);
  return { ...rest, session: sessionUse(session), ...(extra && { tools: await context.run.get(agents).resolveTools(context, extra as never) }) };
}

function sessionUse(given: string | SessionUse | undefined): SessionUse | undefined {
  return typeof given === 'string' ? { id: given } : given;
}

function infoOf({ name, config }: Agent) {
  return { name, model: config.model, description: config.description, tools: config.tools.map((tool) => tool.name) };
}

const OF_COMPOSITES: readonly string[] = ['description', 'timeout_ms', 'budget'];

/** Throws BAD_ARGUMENT for a setting that a composite agent does not have, since its members answer. */
function checkOwn({ name, core }: Agent, changes: Readonly<Record<string, unknown>>, method: string): void {
  if (core.members.length === 0) return;
  const foreign = Object.keys(changes).find((key) => changes[key] !== undefined && !OF_COMPOSITES.includes(key));
  if (foreign === undefined) return;
  const members = core.members.map((member) => member.name).join(', ');
  throw new ScriptError(
    'BAD_ARGUMENT',
    `${method}: ${foreign}: ${name} is a composite, which has ${OF_COMPOSITES.join(', ')} only; set it for its members (${members})`,
  );
}

import { AGENT_HANDLE, type Agent, type AgentResult } from '../agent/agent.ts';
import { agents, checkToolCount } from '../agent/agents.ts';
import type { Context } from '../call/context.ts';
import { defineHandle, handleMethod } from '../call/define.ts';
import { lines } from '../call/lines.ts';
import { anyMap, callback, keptCallback } from '../call/schema.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { events } from '../event/bus.ts';
import type { OnText } from '../model/model.ts';
import { readTranscript } from '../session/transcript.ts';
import { load, save } from '../state/state.ts';
import { z } from '../zod.ts';
import { example, metrics, request, result, sessionUse, settings, toolLike } from './agent-schemas.ts';

/** An agent, as scripts hold it. */
export const agentHandleDefinition = defineHandle<Agent>({
  type: AGENT_HANDLE,
  doc: 'An agent; `name`, `model` and `description` are its fields.',
  methods: {
    execute: handleMethod<Agent>()({
      doc: 'Answers a prompt, with a loop over tools until it is done or `max_steps` is reached. `output` is text, or the value that `output_schema` describes.',
      params: { request: z.union([z.string(), z.strictObject(request)]) },
      result,
      effect: 'external',
      only_callbacks: 'when_idle',
      examples: example(
        `print(agent:execute({prompt = "What is blue?", context = "The sky is blue."}).output)`,
        `print(agent.execute({prompt: "What is blue?", context: "The sky is blue."}).output)`,
      ),
      handler: ({ self, request: given }, context) => execute(context, self, given),
    }),
    stream: handleMethod<Agent>()({
      doc: 'As `execute`, and gives the answer to a function piece by piece as it arrives; a slow function holds the stream back.',
      params: { request: z.union([z.string(), z.strictObject(request)]), on_chunk: callback('(text: string) => any') },
      result,
      effect: 'external',
      only_callbacks: 'when_idle',
      examples: example(
        `agent:stream({prompt = "What is blue?", context = "The sky is blue."}, function(text) print(text) end)`,
        `agent.stream({prompt: "What is blue?", context: "The sky is blue."}, text => print(text))`,
      ),
      handler: ({ self, request: given, on_chunk }, context) =>
        execute(context, self, given, async (text) => {
          await context.invoke(on_chunk, [text]);
        }),
    }),
    get_history: handleMethod<Agent>()({
      doc: 'The conversation so far, oldest first.',
      params: {},
      result: z.array(anyMap),
      effect: 'read',
      examples: example(`print(#agent:get_history())`, `print(agent.get_history().length)`),
      handler: ({ self }) => self.history,
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
      handler: ({ self }, context) => save(context, `agent:${self.name}`, 'conversation', { history: self.history }),
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
      keeps: true,
      examples: example(
        `agent:set_config({temperature = 0.2})\nprint(agent:get_config().temperature)`,
        `agent.set_config({temperature: 0.2})\nprint(agent.get_config().temperature)`,
      ),
      handler: async ({ self, changes: { tools: given, ...changes } }, context) => {
        checkOwn(self, { ...changes, tools: given }, context.method);
        context.run.get(agents).checkSettings(context, changes);
        const resolved = given && (await context.run.get(agents).resolveTools(context, given));
        self.config = { ...self.config, ...(changes as Partial<Agent['config']>), ...(resolved && { tools: resolved }) };
      },
    }),
    add_tool: handleMethod<Agent>()({
      doc: 'Gives the agent another tool.',
      params: { tool: toolLike },
      result: z.void(),
      effect: 'write',
      keeps: true,
      examples: example(`agent:add_tool("calculator")\nprint(agent:list_tools())`, `agent.add_tool("calculator")\nprint(agent.list_tools())`),
      handler: async ({ self, tool }, context) => {
        checkOwn(self, { tools: tool }, context.method);
        const [added] = await context.run.get(agents).resolveTools(context, [tool], 'tool');
        const others = self.config.tools.filter(({ name }) => name !== added?.name);
        checkToolCount(context, others.length + 1);
        if (added) self.config = { ...self.config, tools: [...others, added] };
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
});

/** Asks an agent; one that waits for ever for a tool of the script is told apart from one that waits for its model. */
function execute(context: Context, agent: Agent, given: Parameters<typeof requestOf>[1], onText?: OnText): Soon<AgentResult> {
  return context.run.get(lines).counted(context, async () => agent.execute(context, await requestOf(context, given), onText));
}

async function requestOf(context: Context, given: string | (z.output<z.ZodObject<typeof request>> & object)) {
  const { tools: extra, session, ...rest } = typeof given === 'string' ? { prompt: given, tools: undefined, session: undefined } : given;
  if (rest.prompt === '') throw new ScriptError('BAD_ARGUMENT', `${context.method}: prompt: expected some text`);
  context.run.get(agents).checkSettings(context, rest);
  return { ...rest, session: sessionUse(session), ...(extra && { tools: await context.run.get(agents).resolveTools(context, extra) }) };
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

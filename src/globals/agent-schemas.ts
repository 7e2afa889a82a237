import { AGENT_HANDLE } from '../agent/agent.ts';
import { anyMap, anyValue, bytes, handle, keptCallback } from '../call/schema.ts';
import type { SessionUse } from '../session/transcript.ts';
import { TOOL_HANDLE } from '../tool/tool.ts';
import { WORKFLOW_HANDLE } from '../workflow/handle.ts';
import { z } from '../zod.ts';

/** An agent, as an argument or a result. */
export const agentHandle = handle(AGENT_HANDLE);
const inlineTool = z.strictObject({ name: z.string(), description: z.string(), parameters: anyMap.optional(), handler: keptCallback('(params: any) => any') });
/** What can be a tool of an agent. */
export const toolLike = z.union([z.string(), handle(TOOL_HANDLE), agentHandle, handle(WORKFLOW_HANDLE), inlineTool]);
const schema = anyMap.describe('JSON Schema of the output, which then is a value');
/** What an agent may use. */
export const budget = z.strictObject({
  max_tokens_total: z.int().min(1).optional(),
  max_cost_usd: z.number().positive().optional(),
  max_tool_calls: z.int().min(0).optional(),
});

/** How an agent is set up, beside its name and model. */
export const settings = {
  system_prompt: z.string().optional(),
  tools: z.array(toolLike).optional().describe('names, tools, agents, workflows, or {name, description, parameters, handler}; at most 128'),
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
/** An agent to make. */
export const specFields = {
  name: z.string().optional(),
  model: z.string().describe('provider/model, such as openai/gpt-4, anthropic/claude-3, ollama/llama3 or local/extractive'),
  ...settings,
};
export const spec = z.strictObject(specFields);

const image = z.union([z.strictObject({ url: z.url() }), z.strictObject({ data: bytes, media_type: z.string() })]);
/** What an agent is asked. */
export const request = {
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
/** What it answers. */
export const result = z.object({
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
/** An agent in a list. */
export const info = z.object({ name: z.string(), model: z.string(), description: z.string(), tools: z.array(z.string()) });
/** What an agent has done in this run. */
export const metrics = z.object({ executions: z.int(), failures: z.int(), tool_calls: z.int(), tokens: z.int(), avg_duration_ms: z.number() });

const NEW = {
  lua: 'local agent = Agent.create({name = "helper", model = "local/extractive"})\n',
  javascript: 'const agent = Agent.create({name: "helper", model: "local/extractive"})\n',
};
/** An example in both languages, with an agent made before it. */
export const example = (lua: string, javascript: string) => [{ lua: NEW.lua + lua, javascript: NEW.javascript + javascript }];

/** The session of a request as the agent takes it. */
export function sessionUse(given: string | SessionUse | undefined): SessionUse | undefined {
  return typeof given === 'string' ? { id: given } : given;
}

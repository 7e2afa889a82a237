import type { Context } from '../call/context.ts';
import type { Value } from '../call/value.ts';
import { type Message, type OnText, valueText } from '../model/model.ts';
import { readTranscript, recordMessages } from '../session/transcript.ts';
import type { Tool } from '../tool/tool.ts';
import type { Agent, AgentCore, AgentRequest } from './agent.ts';
import { contextText } from './contexts.ts';
import { converse, type Outcome } from './loop.ts';

/** The core of an ordinary agent: its history or a session's, then the request. Concurrent executions read the history at their start and append when done. */
export const conversation: AgentCore = {
  kind: 'agent',
  members: [],
  async answer(agent: Agent, context: Context, request: AgentRequest, onText: OnText | undefined): Promise<Outcome> {
    const { config } = agent;
    const remembers = config.keep_history !== false;
    const question = userMessage(context, request);
    const system: Message[] = config.system_prompt === undefined ? [] : [{ role: 'system', content: config.system_prompt }];
    const { session } = request;
    const history = session ? await readTranscript(context, session) : remembers ? agent.history : [];
    const outcome = await converse(
      context,
      {
        agent: agent.name,
        models: [config.model, ...config.fallback_models],
        retries: config.retries,
        messages: [...system, ...history, question],
        tools: withOwn(config.tools, request.tools ?? []),
        max_steps: config.max_steps,
        temperature: request.temperature ?? config.temperature,
        max_tokens: request.max_tokens ?? config.max_tokens,
        output_schema: request.output_schema ?? config.output_schema,
      },
      onText,
    );
    if (session) await recordMessages(context, session, [question, ...outcome.added]);
    else if (remembers) agent.remember(context, [question, ...outcome.added]);
    return outcome;
  },
};

/** The request's own tools stand in for those of the same name. */
function withOwn(tools: readonly Tool[], own: readonly Tool[]): Tool[] {
  return [...tools.filter(({ name }) => !own.some((other) => other.name === name)), ...own];
}

function userMessage(context: Context, { prompt, input, context: material, images }: AgentRequest): Message {
  const parts = [material, input]
    .filter((part): part is Value => part !== undefined && part !== null)
    .map((part) => (part === material ? contextText(context, part) : valueText(part)));
  return {
    role: 'user',
    content: prompt,
    ...(parts.length > 0 && { context: parts.join('\n\n') }),
    ...(images && images.length > 0 && { images: [...images] }),
  };
}

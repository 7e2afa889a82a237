import type { createOpenAI } from '@ai-sdk/openai';
import type { Image, Message, ModelRequest, ToolCall } from './model.ts';

/** The provider library's model interface, taken from one of its providers. */
export type SdkModel = ReturnType<ReturnType<typeof createOpenAI>['languageModel']>;
export type SdkOptions = Parameters<SdkModel['doGenerate']>[0];
export type SdkPrompt = SdkOptions['prompt'];
export type SdkMessage = SdkPrompt[number];
export type SdkAnswer = Awaited<ReturnType<SdkModel['doGenerate']>>;
export type SdkContent = SdkAnswer['content'][number];
export type SdkUsage = SdkAnswer['usage'];

type AssistantContent = Extract<SdkMessage, { role: 'assistant' }>['content'];
type UserContent = Extract<SdkMessage, { role: 'user' }>['content'];
type ToolContent = Extract<SdkMessage, { role: 'tool' }>['content'];

/** What a provider said word for word, signatures and ids included, by the message that was made of it: some want it back in the next request. */
const originals = new WeakMap<object, { readonly provider: string; readonly content: AssistantContent }>();

/** Remembers the provider's own content of an assistant message. */
export function keepOriginal(message: Message, provider: string, content: readonly SdkContent[]): void {
  const parts: AssistantContent = [];
  for (const part of content) {
    const extra =
      part.type !== 'tool-approval-request' && 'providerMetadata' in part && part.providerMetadata ? { providerOptions: part.providerMetadata } : {};
    if (part.type === 'text' || part.type === 'reasoning') parts.push({ type: part.type, text: part.text, ...extra });
    else if (part.type === 'tool-call')
      parts.push({ type: 'tool-call', toolCallId: part.toolCallId, toolName: part.toolName, input: parseInput(part.input), ...extra });
  }
  originals.set(message, { provider, content: parts });
}

/** Our conversation as the library's prompt. */
export function toPrompt(messages: readonly Message[], provider: string): SdkPrompt {
  const prompt: SdkPrompt = [];
  for (const message of messages) {
    if (message.role === 'tool') {
      const result: ToolContent[number] = {
        type: 'tool-result',
        toolCallId: message.tool_call_id,
        toolName: message.name,
        output: { type: message.is_error ? 'error-text' : 'text', value: message.content },
      };
      const last = prompt.at(-1);
      if (last?.role === 'tool') last.content.push(result);
      else prompt.push({ role: 'tool', content: [result] });
    } else prompt.push(toMessage(message, provider));
  }
  return prompt;
}

function toMessage(message: Exclude<Message, { role: 'tool' }>, provider: string): SdkMessage {
  if (message.role === 'system') return { role: 'system', content: message.content };
  if (message.role === 'user') {
    const content: UserContent = (message.images ?? []).map(toFile);
    if (message.context !== undefined) content.push({ type: 'text', text: message.context });
    content.push({ type: 'text', text: message.content });
    return { role: 'user', content };
  }
  const original = originals.get(message);
  if (original?.provider === provider) return { role: 'assistant', content: original.content };
  const content: AssistantContent = message.content === '' ? [] : [{ type: 'text', text: message.content }];
  for (const { id, name, input } of message.tool_calls ?? []) content.push({ type: 'tool-call', toolCallId: id, toolName: name, input: parseInput(input) });
  return { role: 'assistant', content };
}

function toFile(image: Image): UserContent[number] {
  if ('url' in image) return { type: 'file', mediaType: 'image/*', data: { type: 'url', url: new URL(image.url) } };
  return { type: 'file', mediaType: image.media_type, data: { type: 'data', data: image.data } };
}

/** Malformed input goes back to the provider as an object, which is all that it accepts. */
function parseInput(input: string): unknown {
  try {
    return input.trim() === '' ? {} : (JSON.parse(input) as unknown);
  } catch {
    return { malformed: input };
  }
}

/** The library's tool calls as ours. */
export function toolCallsOf(content: readonly SdkContent[]): ToolCall[] {
  return content.filter((part) => part.type === 'tool-call').map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, input }));
}

/** The library's tool offers of ours. */
export function toTools(tools: ModelRequest['tools']): NonNullable<SdkOptions['tools']> {
  return tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, inputSchema: parameters as object }));
}

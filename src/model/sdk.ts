import type { OpenAICompatibleProviderSettings } from '@ai-sdk/openai-compatible';
import { modelFailed, translateFailure } from './failure.ts';
import { type FinishReason, type LanguageModel, type Message, MODEL_CAPABILITIES, type ModelAnswer, type ModelRequest, type OnText, usageOf } from './model.ts';
import { type Provider, requireKey } from './providers.ts';
import {
  keepOriginal,
  type SdkAnswer,
  type SdkContent,
  type SdkModel,
  type SdkOptions,
  type SdkUsage,
  toolCallsOf,
  toPrompt,
  toTools,
} from './sdk-messages.ts';

/** A provider's model through the kept provider library, which is loaded at the first request. Throws BAD_CONFIG when the key is missing. */
export function createSdkModel(provider: Provider, id: string): LanguageModel {
  const name = `${provider.name}/${id}`;
  const key = requireKey(provider, name);
  let opened: Promise<SdkModel> | undefined;
  return {
    name,
    capabilities: MODEL_CAPABILITIES,
    async generate(request, onText) {
      try {
        opened ??= open(provider, id, key);
        const model = await opened;
        const options = toOptions(request, provider);
        if (onText) return await stream(name, provider, await model.doStream(options), onText);
        const given = answer(provider, await model.doGenerate(options));
        if (given.finish_reason === 'other' && given.message.content === '' && !given.message.tool_calls)
          throw modelFailed(name, "the provider's answer cannot be read: it holds neither text nor tool calls", { outcome: 'failed', retryable: true });
        return given;
      } catch (error) {
        if (request.signal.aborted) throw request.signal.reason;
        throw translateFailure(name, error, key);
      }
    },
  };
}

async function open(provider: Provider, id: string, key: string | undefined): Promise<SdkModel> {
  const settings = { ...(provider.baseUrl !== undefined && { baseURL: provider.baseUrl }), ...(key !== undefined && { apiKey: key }) };
  switch (provider.kind) {
    case 'openai': {
      const openai = (await import('@ai-sdk/openai')).createOpenAI(settings);
      return provider.api === 'chat' ? openai.chat(id) : openai.responses(id);
    }
    case 'anthropic':
      return (await import('@ai-sdk/anthropic')).createAnthropic(settings).languageModel(id);
    case 'google':
      return (await import('@ai-sdk/google')).createGoogle(settings).languageModel(id);
    case 'openai-compatible': {
      const compatible: OpenAICompatibleProviderSettings = { ...settings, name: provider.name, baseURL: provider.baseUrl ?? '', includeUsage: true };
      return (await import('@ai-sdk/openai-compatible')).createOpenAICompatible(compatible).chatModel(id);
    }
  }
}

function toOptions(request: ModelRequest, provider: Provider): SdkOptions {
  const { schema } = request;
  const prompt = toPrompt(request.messages, provider.name);
  // Only these three are told of the schema by their library; the others get "JSON" and have to be told in words.
  if (schema && provider.kind === 'openai-compatible')
    prompt.unshift({ role: 'system', content: `Answer with JSON only, matching this JSON Schema:\n${JSON.stringify(schema)}` });
  return {
    prompt,
    abortSignal: request.signal,
    ...(request.tools.length > 0 && { tools: toTools(request.tools), toolChoice: { type: 'auto' } }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.max_tokens !== undefined && { maxOutputTokens: request.max_tokens }),
    ...(schema && { responseFormat: { type: 'json', schema: schema as object, name: 'answer' } }),
    // Nothing is kept at the provider, and schemas need not follow OpenAI's strict subset.
    ...(provider.kind === 'openai' && { providerOptions: { openai: { store: false, strictJsonSchema: false } } }),
  };
}

function answer(provider: Provider, { content, finishReason, usage }: Pick<SdkAnswer, 'content' | 'finishReason' | 'usage'>): ModelAnswer {
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  const tool_calls = toolCallsOf(content);
  const message: Extract<Message, { role: 'assistant' }> = { role: 'assistant', content: text, ...(tool_calls.length > 0 && { tool_calls }) };
  keepOriginal(message, provider.name, content);
  return { message, finish_reason: finish(finishReason.unified), usage: tokens(usage) };
}

async function stream(name: string, provider: Provider, opened: Awaited<ReturnType<SdkModel['doStream']>>, onText: OnText): Promise<ModelAnswer> {
  const content: SdkContent[] = [];
  const texts = new Map<string, Extract<SdkContent, { type: 'text' | 'reasoning' }>>();
  let end: Pick<SdkAnswer, 'finishReason' | 'usage'> | undefined;
  for await (const part of opened.stream) {
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start': {
        const begun = { type: part.type === 'text-start' ? ('text' as const) : ('reasoning' as const), text: '' };
        texts.set(part.id, begun);
        content.push(begun);
        break;
      }
      case 'text-delta':
      case 'reasoning-delta': {
        const text = texts.get(part.id);
        if (text) text.text += part.delta;
        if (part.type === 'text-delta' && part.delta !== '') await onText(part.delta);
        break;
      }
      case 'text-end':
      case 'reasoning-end': {
        const text = texts.get(part.id);
        if (text && part.providerMetadata) text.providerMetadata = part.providerMetadata;
        break;
      }
      case 'tool-call':
        content.push(part);
        break;
      case 'finish':
        end = part;
        break;
      case 'error':
        throw part.error;
    }
  }
  if (!end || (end.finishReason.raw === undefined && ['other', 'interrupted'].includes(end.finishReason.unified)))
    throw modelFailed(name, 'the connection broke before the answer was complete', { outcome: 'unknown', retryable: true });
  return answer(provider, { content, finishReason: end.finishReason, usage: end.usage });
}

function tokens({ inputTokens, outputTokens }: SdkUsage) {
  return usageOf(inputTokens.total ?? 0, outputTokens.total ?? 0, inputTokens.cacheRead ?? 0);
}

function finish(reason: SdkAnswer['finishReason']['unified']): FinishReason {
  if (reason === 'stop' || reason === 'length') return reason;
  if (reason === 'tool-calls') return 'tool_calls';
  return reason === 'content-filter' ? 'content_filter' : 'other';
}

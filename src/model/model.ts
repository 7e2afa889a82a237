import type { Run } from '../call/context.ts';
import type { Value, ValueMap } from '../call/value.ts';

/** What a model can do beyond text in, text out. */
export const MODEL_CAPABILITIES = ['streaming', 'tools', 'structured_output', 'vision'] as const;
export type ModelCapability = (typeof MODEL_CAPABILITIES)[number];

/** A tool call as a model asks for it; `input` is the JSON text that it wrote, which may be malformed. */
export type ToolCall = { id: string; name: string; input: string };

/** A picture for a model: its bytes, or an https address that the provider fetches. */
export type Image = { data: Uint8Array; media_type: string } | { url: string };

/** One message of a conversation, plain data; `context` is material that stands before the question. */
export type Message =
  | { role: 'system'; content: string }
  | { role: 'user'; content: string; context?: string; images?: Image[] }
  | { role: 'assistant'; content: string; tool_calls?: ToolCall[] }
  | { role: 'tool'; tool_call_id: string; name: string; content: string; is_error?: boolean };

/** A tool as a model is told of it; `parameters` is JSON Schema. */
export type ToolOffer = { name: string; description: string; parameters: ValueMap };

export type TokenUsage = { input_tokens: number; output_tokens: number; total_tokens: number; cached_tokens: number };

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'other';

/** One question to a model. */
export interface ModelRequest {
  readonly messages: readonly Message[];
  readonly tools: readonly ToolOffer[];
  readonly temperature?: number | undefined;
  /** Most tokens that the answer may have. */
  readonly max_tokens?: number | undefined;
  /** JSON Schema of the answer, which then is JSON text. */
  readonly schema?: ValueMap | undefined;
  readonly signal: AbortSignal;
}

export interface ModelAnswer {
  /** The assistant's message to append to the conversation; the provider may recognise this very object later. */
  readonly message: Extract<Message, { role: 'assistant' }>;
  readonly finish_reason: FinishReason;
  readonly usage: TokenUsage;
}

/** Takes a piece of the answer as it arrives; a promise holds the stream back. */
export type OnText = (text: string) => void | Promise<void>;

/** The run that asks: what a model computes itself is charged to it. */
export type WorkOwner = Pick<Run, 'tenant' | 'cpu'>;

/** A model under its name `provider/model`. */
export interface LanguageModel {
  readonly name: string;
  readonly capabilities: readonly ModelCapability[];
  /** Answers one request, streaming when `onText` is given; throws MODEL_FAILED with outcome, retryable, status and retry_after_ms. */
  generate(request: ModelRequest, onText: OnText | undefined, owner: WorkOwner): Promise<ModelAnswer>;
}

/** A message's text as a model reads it, its context first. */
export function messageText(message: Message): string {
  return message.role === 'user' && message.context !== undefined ? `${message.context}\n\n${message.content}` : message.content;
}

/** Usage from its two parts. */
export function usageOf(input_tokens: number, output_tokens: number, cached_tokens = 0): TokenUsage {
  return { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens, cached_tokens };
}

/** JSON text of a value for a model: bytes by length, functions and handles left out, integers as digits. */
export function valueText(value: Value): string {
  if (typeof value === 'string') return value;
  return (
    JSON.stringify(
      value,
      (_key, item: unknown) => {
        if (typeof item === 'bigint') return Number.isSafeInteger(Number(item)) ? Number(item) : item.toString();
        if (item instanceof Uint8Array) return `[${item.byteLength} bytes]`;
        return item;
      },
      1,
    ) ?? 'null'
  );
}

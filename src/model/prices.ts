import type { Config } from '../config/config.ts';
import type { TokenUsage } from './model.ts';

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** For input that the provider had cached; as `input` where absent. */
  readonly cached?: number | undefined;
}

/** The day on which the table below was last compared with the providers' price lists. */
export const PRICES_AS_OF = '2025-11-30';

const PRICES: Readonly<Record<string, Price>> = {
  'openai/gpt-5.1': { input: 1.25, output: 10, cached: 0.125 },
  'openai/gpt-5': { input: 1.25, output: 10, cached: 0.125 },
  'openai/gpt-5-mini': { input: 0.25, output: 2, cached: 0.025 },
  'openai/gpt-5-nano': { input: 0.05, output: 0.4, cached: 0.005 },
  'openai/gpt-5-pro': { input: 15, output: 120 },
  'openai/gpt-4.1': { input: 2, output: 8, cached: 0.5 },
  'openai/gpt-4.1-mini': { input: 0.4, output: 1.6, cached: 0.1 },
  'openai/gpt-4.1-nano': { input: 0.1, output: 0.4, cached: 0.025 },
  'openai/gpt-4o': { input: 2.5, output: 10, cached: 1.25 },
  'openai/gpt-4o-mini': { input: 0.15, output: 0.6, cached: 0.075 },
  'openai/gpt-4-turbo': { input: 10, output: 30 },
  'openai/gpt-4': { input: 30, output: 60 },
  'openai/gpt-3.5-turbo': { input: 0.5, output: 1.5 },
  'openai/o1': { input: 15, output: 60, cached: 7.5 },
  'openai/o3': { input: 2, output: 8, cached: 0.5 },
  'openai/o3-mini': { input: 1.1, output: 4.4, cached: 0.55 },
  'openai/o4-mini': { input: 1.1, output: 4.4, cached: 0.275 },
  'anthropic/claude-opus-4-5': { input: 5, output: 25, cached: 0.5 },
  'anthropic/claude-opus-4-1': { input: 15, output: 75, cached: 1.5 },
  'anthropic/claude-opus-4': { input: 15, output: 75, cached: 1.5 },
  'anthropic/claude-sonnet-4-5': { input: 3, output: 15, cached: 0.3 },
  'anthropic/claude-sonnet-4': { input: 3, output: 15, cached: 0.3 },
  'anthropic/claude-haiku-4-5': { input: 1, output: 5, cached: 0.1 },
  'anthropic/claude-3-7-sonnet': { input: 3, output: 15, cached: 0.3 },
  'anthropic/claude-3-5-sonnet': { input: 3, output: 15, cached: 0.3 },
  'anthropic/claude-3-5-haiku': { input: 0.8, output: 4, cached: 0.08 },
  'anthropic/claude-3-opus': { input: 15, output: 75, cached: 1.5 },
  'anthropic/claude-3-haiku': { input: 0.25, output: 1.25, cached: 0.03 },
  'google/gemini-2.5-pro': { input: 1.25, output: 10, cached: 0.125 },
  'google/gemini-2.5-flash': { input: 0.3, output: 2.5, cached: 0.03 },
  'google/gemini-2.5-flash-lite': { input: 0.1, output: 0.4, cached: 0.01 },
  'google/gemini-2.0-flash': { input: 0.1, output: 0.4, cached: 0.025 },
  'google/gemini-2.0-flash-lite': { input: 0.075, output: 0.3 },
  'groq/llama-3.3-70b-versatile': { input: 0.59, output: 0.79 },
  'groq/llama-3.1-8b-instant': { input: 0.05, output: 0.08 },
  'mistral/mistral-large': { input: 2, output: 6 },
  'mistral/mistral-small': { input: 0.1, output: 0.3 },
  'deepseek/deepseek-chat': { input: 0.28, output: 0.42, cached: 0.028 },
  'deepseek/deepseek-reasoner': { input: 0.28, output: 0.42, cached: 0.028 },
  'xai/grok-4': { input: 3, output: 15, cached: 0.75 },
  'xai/grok-3': { input: 3, output: 15, cached: 0.75 },
  'xai/grok-3-mini': { input: 0.3, output: 0.5, cached: 0.075 },
  'openai/text-embedding-3-small': { input: 0.02, output: 0 },
  'openai/text-embedding-3-large': { input: 0.13, output: 0 },
  'openai/text-embedding-ada': { input: 0.1, output: 0 },
  'google/gemini-embedding': { input: 0.15, output: 0 },
  'mistral/mistral-embed': { input: 0.1, output: 0 },
};

/** A release's suffix (`-2024-08-06`, `-20250929`, `-latest`, `-preview-05-06`, `-001`) costs what the model costs. */
const RELEASE = /(?:-(?:latest|preview|exp|\d{2,8})){1,8}$/;

/** The model's price: the configuration's (`[models.prices]`), else the table's; undefined when unknown. Models that run here cost nothing. */
export function priceOf(model: string, config: Config): Price | undefined {
  if (model.startsWith('local/')) return { input: 0, output: 0 };
  const configured = config.models.prices;
  return configured[model] ?? PRICES[model] ?? configured[model.replace(RELEASE, '')] ?? PRICES[model.replace(RELEASE, '')];
}

/** What this usage costs in US dollars. */
export function costOf(usage: TokenUsage, price: Price): number {
  const cached = Math.min(usage.cached_tokens, usage.input_tokens);
  return ((usage.input_tokens - cached) * price.input + cached * (price.cached ?? price.input) + usage.output_tokens * price.output) / 1e6;
}

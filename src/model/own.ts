import { describe } from '../call/check/failure.ts';
import { translated } from '../errors.ts';
import type { EmbeddingModel } from './embedding.ts';
import { modelFailed } from './failure.ts';
import { type LanguageModel, MODEL_CAPABILITIES, type ModelAnswer } from './model.ts';
import { toVectors } from './vectors.ts';

/** A model of the host's own: what it throws, and an answer that is none, is MODEL_FAILED with the model's name. */
export function createOwnModel(name: string, model: LanguageModel): LanguageModel {
  return {
    name,
    capabilities: model.capabilities ?? MODEL_CAPABILITIES,
    async generate(request, onText, owner) {
      const answer = await answered(name, request.signal, () => model.generate(request, onText, owner));
      const wrong = misfit(answer);
      if (wrong) throw modelFailed(name, `the answer is none: ${wrong}`, { outcome: 'failed', retryable: false });
      return answer;
    },
  };
}

/** An embedding model of the host's own, checked in the same way. */
export function createOwnEmbedding(name: string, model: EmbeddingModel): EmbeddingModel {
  return {
    name,
    get dimensions() {
      return model.dimensions;
    },
    batch: model.batch,
    ...(model.uncached && { uncached: true }),
    async embed(texts, signal, onTokens, purpose) {
      const answer = await answered(name, signal, () => model.embed(texts, signal, onTokens, purpose));
      return toVectors(name, texts.length, answer, model.dimensions);
    },
  };
}

/** What the host's own code answers; what it throws is MODEL_FAILED, unless it was cancelled. */
export async function answered<T>(name: string, signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw error;
    throw translated(error, (text, cause) => modelFailed(name, text, { outcome: 'unknown', retryable: false }, cause));
  }
}

/** What an answer lacks, in words. */
function misfit(answer: ModelAnswer | undefined): string | undefined {
  const { message, usage, finish_reason } = answer ?? {};
  if (typeof message?.content !== 'string') return `message.content: expected a string, got ${describe(message?.content)}`;
  if (message.tool_calls !== undefined && !Array.isArray(message.tool_calls))
    return `message.tool_calls: expected an array, got ${describe(message.tool_calls)}`;
  const call = message.tool_calls?.find(({ id, name, input }) => ![id, name, input].every((part) => typeof part === 'string'));
  if (call) return 'message.tool_calls: expected calls with id, name and input as strings';
  if (typeof finish_reason !== 'string') return `finish_reason: expected a string, got ${describe(finish_reason)}`;
  for (const part of ['input_tokens', 'output_tokens', 'total_tokens', 'cached_tokens'] as const)
    if (typeof usage?.[part] !== 'number') return `usage.${part}: expected a number, got ${describe(usage?.[part])}`;
  return undefined;
}

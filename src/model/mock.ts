import { describe } from '../call/check/failure.ts';
import { Cpu } from '../call/cpu.ts';
import { modelFailed } from './failure.ts';
import { type LanguageModel, MODEL_CAPABILITIES, type ModelAnswer, type ModelRequest, messageText, type TokenUsage, usageOf } from './model.ts';
import { answered } from './own.ts';
import { countRequestSoon, countTokensSoon } from './tokens.ts';

/** One scripted answer: a text, or its parts; an error is thrown in place of the answer. */
export type MockAnswer =
  | string
  | {
      readonly text?: string;
      readonly tool_calls?: readonly { readonly name: string; readonly input: unknown }[];
      readonly finish_reason?: ModelAnswer['finish_reason'];
      readonly usage?: Partial<TokenUsage>;
      readonly delay_ms?: number;
      readonly error?: Error;
    };

/** Where a scripted model has its answers from: a list that is used up, or a function of the request and of how many came before. */
export type MockSource = readonly MockAnswer[] | ((request: ModelRequest, index: number) => MockAnswer | Promise<MockAnswer>);

/** A model whose answers are given; a used-up list is an error that says how long it was. */
export function createMockModel(name: string, source: MockSource): LanguageModel {
  let asked = 0;

  function next(request: ModelRequest): MockAnswer | Promise<MockAnswer> {
    const index = asked++;
    if (typeof source === 'function') return source(request, index);
    const answer = source[index];
    if (answer === undefined) {
      const given = source.length === 0 ? 'no answers were given' : source.length === 1 ? 'one answer was given' : `${source.length} answers were given`;
      const times = asked === 1 ? 'once' : asked === 2 ? 'twice' : `${asked} times`;
      throw modelFailed(name, `${given} and it was asked ${times}`, { outcome: 'not_sent', retryable: false });
    }
    return answer;
  }

  return {
    name,
    capabilities: MODEL_CAPABILITIES,
    async generate(request, onText) {
      const given = await answered(name, request.signal, () => next(request));
      const answer = typeof given === 'string' ? { text: given } : given;
      if (typeof answer !== 'object' || answer === null)
        throw modelFailed(name, `expected a text or an object as a scripted answer, got ${describe(answer)}`, { outcome: 'failed', retryable: false });
      if (answer.delay_ms !== undefined) await wait(answer.delay_ms, request.signal);
      request.signal.throwIfAborted();
      const { error } = answer;
      if (error) await answered(name, request.signal, () => Promise.reject(error));
      const text = answer.text ?? '';
      if (onText) for (const word of text.match(/\S+\s*|\s+/g) ?? []) await onText(word);
      const tool_calls = (answer.tool_calls ?? []).map(({ name: tool, input }, at) => ({
        id: `call_${asked}_${at + 1}`,
        name: tool,
        input: typeof input === 'string' ? input : JSON.stringify(input),
      }));
      const cpu = new Cpu();
      const input_tokens = answer.usage?.input_tokens ?? (await countRequestSoon(cpu, request));
      const output_tokens = answer.usage?.output_tokens ?? (await countTokensSoon(cpu, [text, ...tool_calls.map(({ input }) => input)]));
      return {
        message: { role: 'assistant', content: text, ...(tool_calls.length > 0 && { tool_calls }) },
        finish_reason: answer.finish_reason ?? (tool_calls.length > 0 ? 'tool_calls' : 'stop'),
        usage: usageOf(input_tokens, output_tokens, answer.usage?.cached_tokens),
      };
    },
  };
}

/** The text that a scripted model was asked last, for functions that answer by it. */
export function lastPrompt(request: ModelRequest): string {
  const message = request.messages.findLast(({ role }) => role === 'user');
  return message ? messageText(message) : '';
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}

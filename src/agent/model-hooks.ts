import { describeContent } from '../call/check/failure.ts';
import { compileLater } from '../call/compile.ts';
import { sameValue } from '../call/same.ts';
import { anyMap, bytes } from '../call/schema.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { type Message, type ModelAnswer, type ModelRequest, usageOf } from '../model/model.ts';
import { z } from '../zod.ts';

const toolCall = () => z.strictObject({ id: z.string(), name: z.string(), input: z.string() });
const image = () => z.union([z.strictObject({ data: bytes, media_type: z.string() }), z.strictObject({ url: z.string() })]);

const message = () =>
  z.union([
    z.strictObject({ role: z.literal('system'), content: z.string() }),
    z.strictObject({ role: z.literal('user'), content: z.string(), context: z.string().optional(), images: z.array(image()).optional() }),
    z.strictObject({ role: z.literal('assistant'), content: z.string(), tool_calls: z.array(toolCall()).optional() }),
    z.strictObject({ role: z.literal('tool'), tool_call_id: z.string(), name: z.string(), content: z.string(), is_error: z.boolean().optional() }),
  ]);

const modelInput = () =>
  z.strictObject({
    model: z.string(),
    messages: z.array(message()),
    tools: z.array(z.strictObject({ name: z.string(), description: z.string(), parameters: anyMap })),
    temperature: z.number().optional(),
    max_tokens: z.int().min(1).optional(),
    output_schema: anyMap.optional(),
  });

const modelOutput = () =>
  z.union([
    z.string(),
    z.strictObject({
      content: z.string(),
      finish_reason: z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'other']).optional(),
      usage: anyMap.optional(),
      tool_calls: z.array(toolCall()).optional(),
      cached: z.boolean().optional(),
    }),
  ]);

const checkInput = compileLater(modelInput);
const checkOutput = compileLater(modelOutput);

/**
 * A request that a hook puts in place. The model stays the one that was checked and paid for, and tools may only be left out, or BAD_ARGUMENT
 * is thrown: those that are there keep the definition of their owner. Messages that are as before stay the same objects, by which providers
 * know their own answers again.
 */
export function checkModelInput(changed: Value, model: string, request: Omit<ModelRequest, 'signal'>): ValueMap {
  const checked = checkInput(changed, `${model}: input`) as z.output<ReturnType<typeof modelInput>>;
  if (checked.model !== model) throw unfit(model, `model: a hook cannot change it, got ${describeContent(checked.model)}`);
  const added = checked.tools.find(({ name }) => !request.tools.some((tool) => tool.name === name));
  if (added) throw unfit(model, `tools: a hook can leave out tools but add none, got ${describeContent(added.name)}`);
  const messages = checked.messages.map((one) => request.messages.find((before) => sameValue(before as Value, one as Value)) ?? one);
  const tools = request.tools.filter(({ name }) => checked.tools.some((tool) => tool.name === name));
  return { ...checked, model, messages, tools } as ValueMap;
}

function unfit(model: string, what: string): ScriptError {
  return new ScriptError('BAD_ARGUMENT', `${model}: input.${what}`);
}

/** An answer that a hook puts in place: a text, or `{content, finish_reason?, tool_calls?, usage?}`. */
export function checkModelOutput(changed: Value, model: string): ValueMap {
  const checked = checkOutput(changed, `${model}: output`) as z.output<ReturnType<typeof modelOutput>>;
  return (typeof checked === 'string' ? { content: checked } : checked) as ValueMap;
}

/** The answer as hooks left it; the model's own object when nothing was changed. What was used is what the model used. */
export function answerOf(output: Value, answered: ModelAnswer | undefined): ModelAnswer {
  const {
    content = '',
    tool_calls,
    finish_reason,
  } = (output ?? {}) as { content?: string; tool_calls?: Value[]; finish_reason?: ModelAnswer['finish_reason'] };
  const calls = (tool_calls ?? answered?.message.tool_calls ?? []) as NonNullable<Extract<Message, { role: 'assistant' }>['tool_calls']>;
  const same = answered?.message.content === content && sameValue((answered.message.tool_calls ?? []) as Value[], calls as Value[]);
  if (answered && same) return answered;
  return {
    message: { role: 'assistant', content, ...(calls.length > 0 && { tool_calls: calls }) },
    finish_reason: finish_reason ?? answered?.finish_reason ?? (calls.length > 0 ? 'tool_calls' : 'stop'),
    usage: answered?.usage ?? usageOf(0, 0),
  };
}

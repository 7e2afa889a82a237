import type { Context } from '../call/context.ts';
import { elapsedMs } from '../call/elapsed.ts';
import { fromJsonText } from '../call/json.ts';
import { sideBySide } from '../call/side-by-side.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { modelFailed } from '../model/failure.ts';
import { type Message, type ModelAnswer, type OnText, type TokenUsage, type ToolCall, usageOf, valueText } from '../model/model.ts';
import { costOf, priceOf } from '../model/prices.ts';
import { tools as toolRegistry } from '../tool/registry.ts';
import type { Tool } from '../tool/tool.ts';
import { ask } from './ask.ts';
import { Spending } from './budget.ts';
import { offerNames } from './offer.ts';
import { outputReader } from './output.ts';

/** One conversation with a model, until it has no more tools to call. */
export interface Conversation {
  readonly agent: string;
  readonly models: readonly string[];
  readonly retries: number;
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  readonly max_steps: number;
  readonly temperature?: number | undefined;
  readonly max_tokens?: number | undefined;
  readonly output_schema?: ValueMap | undefined;
}

/** A tool that was run for the model. */
export type ToolRecord = {
  id: string;
  name: string;
  input: Value;
  output?: Value | undefined;
  error?: { code: string; message: string } | undefined;
  duration_ms: number;
};

export interface Outcome {
  /** Text, or the value that the schema describes. */
  readonly output: Value;
  readonly usage: TokenUsage;
  readonly model: string;
  readonly finish_reason: string;
  readonly tool_calls: ToolRecord[];
  readonly steps: number;
  readonly cost_usd: number | undefined;
  /** What the conversation grew by, the last answer included. */
  readonly added: readonly Message[];
}

/** What a tool's result may take of a model's attention, characters. */
const MOST_RESULT = 100_000;
/** What a model may write as arguments, characters. */
const MOST_ARGUMENTS = 1_000_000;
/** Tools that one answer may call, and how many of them run at once. */
const MOST_CALLS = 128;
const CALLS_AT_ONCE = 32;
const NOT_RUN = 'not run: the agent has reached max_steps';

/** Asks, runs the tools that are asked for side by side, gives their results back, until there is an answer or `max_steps` is reached. */
export async function converse(context: Context, conversation: Conversation, onText?: OnText): Promise<Outcome> {
  const { agent, tools, output_schema } = conversation;
  const added: Message[] = [];
  const records: ToolRecord[] = [];
  const offered = offerNames(tools);
  const offers = [...offered].map(([name, { description, schema }]) => ({ name, description, parameters: schema }));
  let usage = usageOf(0, 0);
  let cost: number | undefined = 0;
  let repaired = false;
  let reader: ReturnType<typeof outputReader> | undefined;
  for (let step = 1; ; step++) {
    const request = {
      messages: [...conversation.messages, ...added],
      tools: offers,
      temperature: conversation.temperature,
      max_tokens: conversation.max_tokens,
      schema: output_schema,
    };
    const { answer, model } = await ask(context, { agent, models: conversation.models, retries: conversation.retries }, request, onText);
    usage = plus(usage, answer.usage);
    const price = priceOf(model, context.run.host.config);
    cost = price && cost !== undefined ? cost + costOf(answer.usage, price) : undefined;
    added.push(answer.message);
    const done = (output: Value, finish_reason: string): Outcome => ({
      output,
      usage,
      model,
      finish_reason,
      tool_calls: records,
      steps: step,
      cost_usd: cost,
      added,
    });
    const calls = answer.message.tool_calls ?? [];
    if (calls.length > 0 && step < conversation.max_steps) {
      added.push(...(await runCalls(context, calls, offered, records)));
      continue;
    }
    if (calls.length > 0) {
      added.push(...notRun(calls, NOT_RUN));
      return done(answer.message.content, 'max_steps');
    }
    if (!output_schema) return done(answer.message.content, answer.finish_reason);
    reader ??= outputReader(context, output_schema);
    const read = await reader(answer.message.content);
    if ('value' in read) return done(read.value, answer.finish_reason);
    if (repaired) throw modelFailed(model, `the answer does not fit output_schema, asked twice: ${read.problem}`, { outcome: 'failed', retryable: true });
    repaired = true;
    added.push({ role: 'user', content: `Your answer cannot be used: ${read.problem}. Answer again with JSON only, matching the schema.` });
  }
}

/** Answers to calls that are not made: a provider refuses a conversation in which a call has none. */
function notRun(calls: readonly ToolCall[], content: string): Message[] {
  return calls.map(({ id, name }) => ({ role: 'tool', tool_call_id: id, name, content, is_error: true }));
}

async function runCalls(context: Context, calls: readonly ToolCall[], tools: ReadonlyMap<string, Tool>, records: ToolRecord[]): Promise<Message[]> {
  Spending.of(context)?.countTools(calls.length);
  const results = await sideBySide(context, calls.slice(0, MOST_CALLS), (inside, call) => runCall(inside, call, tools), {
    atOnce: CALLS_AT_ONCE,
    why: 'another tool call of the same answer ended the agent',
  });
  records.push(...results.map(({ record }) => record));
  return [...results.map(({ message }) => message), ...notRun(calls.slice(MOST_CALLS), `not run: one answer may call ${MOST_CALLS} tools`)];
}

/** Whatever goes wrong is told to the model, which may do better; only a cancelled run, its limits, or a budget that this agent is charged to ends the conversation. */
async function runCall(
  context: Context,
  { id, name, input: text }: ToolCall,
  tools: ReadonlyMap<string, Tool>,
): Promise<{ record: ToolRecord; message: Message }> {
  const started = performance.now();
  const tool = tools.get(name);
  let input: Value = text.slice(0, MOST_RESULT);
  const finish = (rest: Pick<ToolRecord, 'output' | 'error'>, content: string) => ({
    record: { id, name: tool?.name ?? name, input, ...rest, duration_ms: elapsedMs(started) },
    message: { role: 'tool', tool_call_id: id, name, content: cut(content), ...(rest.error && { is_error: true }) } satisfies Message,
  });
  try {
    input = parseInput(text);
    if (!tool) throw new ScriptError('NOT_FOUND', `there is no tool ${name}; there are ${[...tools.keys()].join(', ') || 'none'}`);
    const output = await context.run.get(toolRegistry).execute(context, tool, input);
    return finish({ output }, valueText(output));
  } catch (error) {
    const { code, message } = asScriptError(error);
    const foreignBudget = code === 'LIMIT_EXCEEDED' && Spending.isForeign(context, error);
    if (context.signal.aborted || (code === 'LIMIT_EXCEEDED' && !foreignBudget) || code === 'DEPTH_EXCEEDED') throw error;
    return finish({ error: { code, message } }, `${code}: ${message}`);
  }
}

function parseInput(text: string): Value {
  if (text.length > MOST_ARGUMENTS) throw new ScriptError('BAD_ARGUMENT', `the arguments have more than ${MOST_ARGUMENTS} characters`);
  if (text.trim() === '') return {};
  try {
    return fromJsonText(text);
  } catch {
    throw new ScriptError('BAD_ARGUMENT', 'the arguments are no JSON; write them again as one JSON object');
  }
}

function cut(text: string): string {
  return text.length <= MOST_RESULT ? text : `${text.slice(0, MOST_RESULT)}\n[… ${text.length - MOST_RESULT} of ${text.length} characters were cut]`;
}

function plus(a: TokenUsage, b: ModelAnswer['usage']): TokenUsage {
  return usageOf(a.input_tokens + b.input_tokens, a.output_tokens + b.output_tokens, a.cached_tokens + b.cached_tokens);
}

import { type Context, type Run, runService } from '../call/context.ts';
import { external, unlessCancelled } from '../call/external.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { redaction } from '../hook/builtin/redact.ts';
import { hooks } from '../hook/hooks.ts';
import { type LanguageModel, type ModelAnswer, type ModelRequest, type OnText, usageOf } from '../model/model.ts';
import { models } from '../model/models.ts';
import { askedWait, LONGEST_WAIT_MS, waitBefore } from '../model/retry.ts';
import { countRequestSoon } from '../model/tokens.ts';
import { Spending } from './budget.ts';
import { answerOf, checkModelInput, checkModelOutput } from './model-hooks.ts';

/** Whom to ask, in this order, and how often each. */
export interface Asking {
  readonly agent: string;
  readonly models: readonly string[];
  /** Attempts beyond the first, for failures that may pass. */
  readonly retries: number;
}

const COOL_DOWN_MS = 30_000;
/** What an answer may take where nobody says, for the estimate of a budget. */
const USUAL_ANSWER_TOKENS = 512;

const calls = runService('model calls', (_: Run) => ({ made: 0 }));

/** Asks the first model that answers; one that keeps failing is left out for a while when there is another. Throws the last failure. */
export async function ask(
  context: Context,
  { agent, models: names, retries }: Asking,
  request: Omit<ModelRequest, 'signal'>,
  onText?: OnText,
): Promise<{ answer: ModelAnswer; model: string }> {
  const registry = context.run.host.get(models);
  const checked = [...new Set(names.map((name) => registry.check(context, name)))];
  const warm = checked.filter((name) => !registry.isCooling(name));
  let failure: unknown;
  for (const name of warm.length > 0 ? warm : checked) {
    try {
      return { answer: await askOne(context, agent, name, retries, request, onText), model: name };
    } catch (error) {
      if (context.signal.aborted || !mayFallBack(error)) throw error;
      failure = error;
      if (checked.length > 1 && isOfTheModel(error)) registry.coolDown(name, Math.max(COOL_DOWN_MS, askedWait(error) ?? 0));
    }
  }
  throw failure;
}

async function askOne(
  context: Context,
  agent: string,
  name: string,
  retries: number,
  request: Omit<ModelRequest, 'signal'>,
  onText: OnText | undefined,
): Promise<ModelAnswer> {
  const model = context.run.host.get(models).open(name);
  for (let attempt = 0; ; attempt++) {
    let begun = false;
    const listen: OnText | undefined =
      onText &&
      ((text) => {
        begun = true;
        return onText(text);
      });
    try {
      return await hooked(context, agent, model, request, listen);
    } catch (error) {
      // What has been streamed cannot be taken back.
      if (attempt >= retries || begun || context.signal.aborted || !retryable(error)) throw error;
      await context.run.sleep(waitBefore(attempt, error, context.run.random()), context.signal);
    }
  }
}

/** One request inside its hooks, counted and charged. */
async function hooked(
  context: Context,
  agent: string,
  model: LanguageModel,
  request: Omit<ModelRequest, 'signal'>,
  onText: OnText | undefined,
): Promise<ModelAnswer> {
  const { run } = context;
  const limit = run.limits.model_calls;
  const counter = run.get(calls);
  if (counter.made >= limit)
    throw new ScriptError('LIMIT_EXCEEDED', `${agent}: more than limits.model_calls = ${limit} calls of models in one run`, {
      details: { outcome: 'not_sent', retryable: false },
    });
  counter.made++;
  const input: ValueMap = {
    model: model.name,
    messages: request.messages as unknown as Value[],
    tools: request.tools as unknown as Value[],
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.max_tokens !== undefined && { max_tokens: request.max_tokens }),
    ...(request.schema !== undefined && { output_schema: request.schema }),
  };
  const watched = {
    kind: 'agent',
    name: agent,
    before: 'before_model_call',
    after: 'after_model_call',
    input,
    fields: { model: model.name },
    checkInput: (changed: Value) => checkModelInput(changed, model.name, request),
    checkOutput: (changed: Value) => checkModelOutput(changed, model.name),
  };
  let answered: ModelAnswer | undefined;
  let streamed = false;
  // Text that is still to be changed must not be out already.
  const stream: OnText | undefined =
    onText && !run.host.get(redaction).output
      ? (text) => {
          streamed = true;
          return onText(text);
        }
      : undefined;
  const output = await run.get(hooks).around<ValueMap, ValueMap>(context, watched, async (given, inside) => {
    const wanted = {
      ...request,
      messages: given.messages as unknown as ModelRequest['messages'],
      tools: given.tools as unknown as ModelRequest['tools'],
      schema: given.output_schema as ValueMap | undefined,
      temperature: given.temperature as number | undefined,
      max_tokens: given.max_tokens as number | undefined,
    };
    const estimate = usageOf(await countRequestSoon(run.cpu, wanted), wanted.max_tokens ?? USUAL_ANSWER_TOKENS);
    const reservation = Spending.of(context)?.reserve(context, model.name, estimate);
    try {
      answered = await external(inside, () => unlessCancelled(inside.signal, model.generate({ ...wanted, signal: inside.signal }, stream, run)));
    } catch (error) {
      reservation?.release();
      throw error;
    }
    reservation?.settle(answered.usage);
    return {
      content: answered.message.content,
      finish_reason: answered.finish_reason,
      usage: { ...answered.usage },
      tool_calls: answered.message.tool_calls ?? [],
    };
  });
  const answer = answerOf(output, answered);
  if (onText && !streamed && answer.message.content !== '') await onText(answer.message.content);
  return answer;
}

function detailsOf(error: unknown): { retryable?: unknown; retry_after_ms?: unknown; status?: unknown } {
  return error instanceof ScriptError ? (error.details ?? {}) : {};
}

/** A provider that asks for a longer wait than ours is not asked again too early. */
function retryable(error: unknown): boolean {
  const { retryable: mayPass, retry_after_ms } = detailsOf(error);
  // A limit of the host that says when to come again has been set to refuse, not to wait.
  const refused = error instanceof ScriptError && error.code === 'LIMIT_EXCEEDED' && retry_after_ms !== undefined;
  return mayPass === true && !refused && (askedWait(error) ?? 0) <= LONGEST_WAIT_MS;
}

function mayFallBack(error: unknown): boolean {
  return error instanceof ScriptError && (error.code === 'MODEL_FAILED' || error.code === 'BAD_CONFIG' || error.code === 'TIMEOUT');
}

/** A request that a provider refuses for what stands in it says nothing about the next one. */
function isOfTheModel(error: unknown): boolean {
  const { status } = detailsOf(error);
  return typeof status !== 'number' || status >= 500 || [401, 403, 404, 429].includes(status);
}

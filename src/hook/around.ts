import type { Context } from '../call/context.ts';
import { elapsedMs } from '../call/elapsed.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import type { RetryWish } from './answer.ts';
import { type HookOutcome, runChain } from './chain.ts';
import type { Hook } from './hook.ts';

/** An operation that hooks may watch, change, refuse, skip or repeat. */
export interface Watched<I extends Value, O extends Value> {
  /** `agent`, `tool`, `state`, …: the first part of the point. */
  readonly kind: string;
  readonly name?: string | undefined;
  /** Moments; one that is absent is not fired. */
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly error?: string | undefined;
  readonly input: I;
  /** What else hooks are told. */
  readonly fields?: ValueMap | undefined;
  /** Check what a hook puts in place of input or output; they throw when it does not fit. */
  readonly checkInput?: ((input: Value) => I) | undefined;
  readonly checkOutput?: ((output: Value) => O) | undefined;
}

/** The hooks of the three moments of one operation. */
export interface Layer {
  readonly before: readonly Hook[];
  readonly after: readonly Hook[];
  readonly error: readonly Hook[];
}

/** What is the same for all layers around one operation. */
export interface Operation {
  /** What every hook is told. */
  readonly fields: ValueMap;
  pointOf(moment: string | undefined): string;
}

export function isEmpty({ before, after, error }: Layer): boolean {
  return before.length + after.length + error.length === 0;
}

/** Throws HOOK_REJECTED when a hook refused. */
export function obey(context: Context, outcome: HookOutcome, point: string, cause?: unknown): HookOutcome {
  if (outcome.veto === undefined) return outcome;
  const who = context.method ? `${context.method}: ` : '';
  throw new ScriptError('HOOK_REJECTED', `${who}refused by a hook at ${point}: ${outcome.veto}`, { method: context.method, cause });
}

/** Runs an operation inside one layer of hooks. */
export function runInside<I extends Value, O extends Value>(
  context: Context,
  spec: Watched<I, O>,
  { fields, pointOf }: Operation,
  layer: Layer,
  operation: (input: I, context: Context) => Soon<O>,
): Soon<O> {
  const started = performance.now();
  let input = spec.input;
  let retryWish: RetryWish | undefined;

  function heed(outcome: HookOutcome, moment: string | undefined, cause?: unknown): HookOutcome {
    if (outcome.retry) retryWish = outcome.retry;
    return obey(context, outcome, pointOf(moment), cause);
  }

  function attempt(count: number): Soon<O> {
    let output: Soon<O>;
    try {
      output = operation(input, context);
    } catch (thrown) {
      return fail(thrown, count);
    }
    return output instanceof Promise
      ? output.then(
          (value) => finish(value, count),
          (thrown) => fail(thrown, count),
        )
      : finish(output, count);
  }

  function again(count: number): Promise<O> {
    return context.run.sleep(retryWish?.delayMs ?? 0, context.signal).then(() => attempt(count + 1));
  }

  function finish(output: O, count: number): Soon<O> {
    if (layer.after.length === 0) return output;
    const duration = { ...fields, duration_ms: elapsedMs(started) };
    const occasion = { point: pointOf(spec.after), fields: duration, input, output, checkOutput: spec.checkOutput };
    return whenReady(runChain(context, layer.after, occasion), (outcome) => {
      heed(outcome, spec.after);
      if (outcome.retry && count < outcome.retry.maxAttempts) return again(count);
      return outcome.output as O;
    });
  }

  function fail(thrown: unknown, count: number): Soon<O> {
    if (context.signal.aborted) throw thrown;
    const { code, message, details } = asScriptError(thrown);
    const error: ValueMap = { code, message, ...(details && { details: details as ValueMap }) };
    const described: ValueMap = { ...fields, duration_ms: elapsedMs(started), error };
    return whenReady(runChain(context, layer.error, { point: pointOf(spec.error), fields: described, input, checkOutput: spec.checkOutput }), (outcome) => {
      heed(outcome, spec.error, thrown);
      if (retryWish && count < retryWish.maxAttempts) return again(count);
      if (outcome.replaced || outcome.skip) return outcome.output as O;
      throw thrown;
    });
  }

  const { checkInput, checkOutput } = spec;
  return whenReady(runChain(context, layer.before, { point: pointOf(spec.before), fields, input, checkInput, checkOutput }), (outcome) => {
    heed(outcome, spec.before);
    input = outcome.input as I;
    return outcome.skip ? finish(outcome.output as O, 1) : attempt(1);
  });
}

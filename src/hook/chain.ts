import type { Context } from '../call/context.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { asScriptError, placeField, ScriptError } from '../errors.ts';
import { events } from '../event/bus.ts';
import { runLog } from '../log/log.ts';
import { Refusal, type RetryWish, readAnswer } from './answer.ts';
import { circuitClock, failed, type Hook, isOpen, OPEN_MS, succeeded, withinTime } from './hook.ts';

/** What the hooks of one point have made of an operation so far. */
export interface HookOutcome {
  input: Value;
  output: Value;
  /** True when a hook gave an output of its own. */
  replaced: boolean;
  skip: boolean;
  /** Why a hook refused. */
  veto: string | undefined;
  retry: RetryWish | undefined;
}

/** What hooks are told at one point. */
export interface Occasion {
  readonly point: string;
  readonly fields: ValueMap;
  readonly input: Value;
  readonly output?: Value;
  /** Check what a hook puts in place of input or output; they throw when it does not fit. */
  readonly checkInput?: ((input: Value) => Value) | undefined;
  readonly checkOutput?: ((output: Value) => Value) | undefined;
}

/** Runs hooks one after the other until one refuses or skips; answers at once when none of them waits. */
export function runChain(context: Context, hooks: readonly Hook[], occasion: Occasion): HookOutcome | Promise<HookOutcome> {
  const outcome: HookOutcome = { input: occasion.input, output: occasion.output ?? null, replaced: false, skip: false, veto: undefined, retry: undefined };
  const from = (first: number): HookOutcome | Promise<HookOutcome> => {
    for (let at = first; at < hooks.length; at++) {
      const hook = hooks[at];
      if (!hook || hook.paused) continue;
      const work = runHook(context, hook, occasion, outcome);
      if (work) return work.then(() => (ended(outcome) ? outcome : from(at + 1)));
      if (ended(outcome)) break;
    }
    return outcome;
  };
  return from(0);
}

function ended(outcome: HookOutcome): boolean {
  return outcome.skip || outcome.veto !== undefined;
}

function runHook(context: Context, hook: Hook, occasion: Occasion, outcome: HookOutcome): void | Promise<void> {
  if (isOpen(hook, circuitClock(hook, context))) {
    if (hook.onError === 'continue') return;
    throw new ScriptError(
      'HOOK_REJECTED',
      `the hook ${hook.id} at ${occasion.point} failed five times in a row and is left out for 30 s, but the operation must not run without it`,
    );
  }
  hook.calls++;
  const around = callOf(hook, context);
  const call = around ?? { hook, context, failed: false };
  const within = context.with({ hookDepth: context.hookDepth + 1, hookCall: around ? context.hookCall : call });
  const ctx: ValueMap = { ...occasion.fields, point: occasion.point };
  if (outcome.input !== null) ctx.input = outcome.input;
  if (occasion.output !== undefined && outcome.output !== null) ctx.output = outcome.output;
  try {
    const answer = hook.call(ctx, within);
    if (!(answer instanceof Promise)) return take(call, answer, occasion, outcome);
    const bounded = hook.source === 'script' ? answer : withinTime(answer, hook.timeoutMs, context.signal);
    return bounded.then((value) => take(call, value, occasion, outcome)).catch((error) => complain(context, call, occasion, error));
  } catch (error) {
    complain(context, call, occasion, error);
  }
}

/** A hook that runs, and for which call. One that causes itself is one call, which fails once. */
interface HookCall {
  readonly hook: Hook;
  readonly context: Context;
  failed: boolean;
}

/** The call of a hook inside of which something happens. */
function callOf(hook: Hook, context: Context): HookCall | undefined {
  let call = context.hookCall as HookCall | undefined;
  while (call && call.hook !== hook) call = call.context.hookCall as HookCall | undefined;
  return call;
}

function take(call: HookCall, value: Value | undefined | void, occasion: Occasion, outcome: HookOutcome): void {
  const answer = readAnswer(value);
  const input = answer.input === undefined ? undefined : (occasion.checkInput?.(answer.input) ?? answer.input);
  const output = answer.output === undefined ? undefined : (occasion.checkOutput?.(answer.output) ?? answer.output);
  if (!call.failed) succeeded(call.hook);
  if (input !== undefined) outcome.input = input;
  if (output !== undefined) {
    outcome.output = output;
    outcome.replaced = true;
  }
  if (answer.skip) outcome.skip = true;
  if (answer.retry) outcome.retry = answer.retry;
  if (answer.veto !== undefined) outcome.veto = answer.veto;
}

/** Reports a hook that failed; throws its error on when the operation is cancelled or must not run without the hook. */
function complain(context: Context, call: HookCall, { point }: Occasion, error: unknown): void {
  if (error instanceof Refusal) throw error.error;
  if (context.signal.aborted) throw error;
  const { hook } = call;
  const told = asScriptError(error);
  const { code, message, details, thrown } = told;
  if (!call.failed) {
    call.failed = true;
    const opened = failed(hook, circuitClock(hook, context));
    report(call.context, 'hook.failed', { hook_id: hook.id, point, code, message, ...placeField(told) });
    if (opened) report(call.context, 'hook.circuit_opened', { hook_id: hook.id, point, seconds: OPEN_MS / 1_000 });
  }
  if (hook.onError !== 'fail') return;
  // What the script threw comes out as it is.
  if (thrown && code !== 'TIMEOUT') throw error;
  throw new ScriptError(code, `the hook ${hook.id} at ${point}: ${message}`, { details, cause: error });
}

/** Tells the log, for people, and the event, for scripts and hosts. */
function report(context: Context, eventType: string, payload: ValueMap): void {
  context.run.get(runLog).write('warn', eventType, payload);
  const said = context.run.get(events).announce(context, eventType, payload);
  if (said) context.run.background(said);
}

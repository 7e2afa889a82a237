import { type Context, type Run, runService } from '../call/context.ts';
import { whenReady } from '../call/soon.ts';
import type { Callback, Value, ValueMap } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { MAX_HOOK_DEPTH } from '../event/bus.ts';
import { PatternIndex, splitPattern } from '../event/pattern.ts';
import type { RetryWish } from './answer.ts';
import { type HookOutcome, runChain } from './chain.ts';
import { circuitClock, createHook, type Hook, type HookOptions, type HookSource, inOrder, isOpen, type Priority } from './hook.ts';
import { hostHooks } from './host.ts';
import { checkPoint, HOST_ONLY_POINTS, overlap, POINT_SEPARATOR } from './points.ts';

export type { HookOutcome } from './chain.ts';
export type { HookFunction, HookOptions, Priority } from './hook.ts';
export { hostHooks } from './host.ts';

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

export type HookInfo = {
  id: string;
  hook_point: string;
  priority: Priority;
  language: string;
  source: HookSource;
  paused: boolean;
  on_error: 'continue' | 'fail';
  timeout_ms: number;
  calls: number;
  failures: number;
  circuit: 'open' | 'closed';
};

export interface HookFilter {
  readonly hook_point?: string | undefined;
  readonly language?: string | undefined;
  readonly priority?: Priority | undefined;
}

/** The hooks of one run, those of the host before and the built-in ones behind. */
export interface Hooks {
  /** Runs an operation inside its hooks; without a matching hook it is the operation alone. Throws HOOK_REJECTED when one refuses. */
  around<I extends Value, O extends Value>(context: Context, spec: Watched<I, O>, operation: (input: I, context: Context) => O | Promise<O>): O | Promise<O>;
  /** Fires a point that has no operation; `fields.input` and `fields.output` may be replaced by hooks. */
  fire(context: Context, point: string, fields: ValueMap): HookOutcome | Promise<HookOutcome>;
  /** Registers a function of the script and answers its id. Throws BAD_ARGUMENT when no point matches, LIMIT_EXCEEDED beyond `limits.hooks`. */
  register(point: string, fn: Callback, options?: HookOptions): string;
  /** True when there was such a hook; throws NOT_ALLOWED for hooks of the host, as `pause` and `resume` do. */
  unregister(id: string): boolean;
  pause(id: string): boolean;
  resume(id: string): boolean;
  list(context: Context, filter?: HookFilter): HookInfo[];
}

/** Kinds whose points carry the name, and those that may also be addressed by it. */
const NAMED_POINTS = new Set(['tool']);
const ADDRESSED = new Set(['tool', 'agent', 'workflow']);
const NAME_FIELDS: Readonly<Record<string, string>> = { tool: 'tool_name', agent: 'agent_id', workflow: 'workflow_id' };

function createHooks(run: Run): Hooks {
  const host = run.host.get(hostHooks);
  const own = new Map<string, Hook>();
  const found = new Map<string, readonly Hook[]>();
  let index = new PatternIndex<Hook>(POINT_SEPARATOR);
  let hostVersion = -1;
  let registered = 0;
  let operations = 0;

  function rebuild(): void {
    hostVersion = host.version;
    found.clear();
    index = new PatternIndex<Hook>(POINT_SEPARATOR);
    for (const hook of [...host.all, ...own.values()]) index.add(hook.point, hook);
  }

  function allowed(point: string, hooks: readonly Hook[]): Hook[] {
    return HOST_ONLY_POINTS.has(point) ? hooks.filter(({ source }) => source !== 'script') : [...hooks];
  }

  function at(kind: string, name: string | undefined, moment: string | undefined): readonly Hook[] {
    if (moment === undefined) return [];
    const key = `${kind}:${name ?? ''}:${moment}`;
    const known = found.get(key);
    if (known) return known;
    const hooks = new Set(index.match(`${kind}:${moment}`));
    if (name !== undefined && ADDRESSED.has(kind)) for (const hook of index.match(key)) hooks.add(hook);
    const ordered = allowed(`${kind}:${moment}`, [...hooks]).sort(inOrder);
    if (found.size >= 1_000) found.clear();
    found.set(key, ordered);
    return ordered;
  }

  function none(): boolean {
    if (hostVersion !== host.version) rebuild();
    return index.size === 0;
  }

  function checkDepth(context: Context, point: string): void {
    if (context.hookDepth >= MAX_HOOK_DEPTH)
      throw new ScriptError('DEPTH_EXCEEDED', `${context.method}: hooks and event handlers cause one another more than ${MAX_HOOK_DEPTH} deep (at ${point})`);
  }

  function around<I extends Value, O extends Value>(
    context: Context,
    spec: Watched<I, O>,
    operation: (input: I, context: Context) => O | Promise<O>,
  ): O | Promise<O> {
    if (none()) return operation(spec.input, context);
    const { kind, name } = spec;
    const before = at(kind, name, spec.before);
    const after = at(kind, name, spec.after);
    const error = at(kind, name, spec.error);
    if (before.length + after.length + error.length === 0) return operation(spec.input, context);
    const pointOf = (moment: string | undefined) => (NAMED_POINTS.has(kind) && name !== undefined ? `${kind}:${name}:${moment}` : `${kind}:${moment}`);
    checkDepth(context, pointOf(spec.before ?? spec.after));

    const started = performance.now();
    const fields: ValueMap = { id: `${kind}_${++operations}`, correlation_id: context.correlationId, tenant: run.tenant };
    const nameField = NAME_FIELDS[kind];
    if (name !== undefined) fields.name = name;
    if (name !== undefined && nameField) fields[nameField] = name;
    Object.assign(fields, spec.fields);
    let input = spec.input;
    let retryWish: RetryWish | undefined;

    /** Throws on a veto, keeps a wish to repeat. */
    function obey(outcome: HookOutcome, moment: string | undefined, cause?: unknown): HookOutcome {
      if (outcome.retry) retryWish = outcome.retry;
      if (outcome.veto === undefined) return outcome;
      throw new ScriptError('HOOK_REJECTED', `${context.method || pointOf(moment)}: refused by a hook at ${pointOf(moment)}: ${outcome.veto}`, {
        method: context.method,
        cause,
      });
    }

    function attempt(count: number): O | Promise<O> {
      let output: O | Promise<O>;
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
      return run.sleep(retryWish?.delayMs ?? 0, context.signal).then(() => attempt(count + 1));
    }

    function finish(output: O, count: number): O | Promise<O> {
      if (after.length === 0) return output;
      const duration = { ...fields, duration_ms: performance.now() - started };
      const occasion = { point: pointOf(spec.after), fields: duration, input, output, checkOutput: spec.checkOutput };
      return whenReady(runChain(context, after, occasion), (outcome) => {
        obey(outcome, spec.after);
        if (outcome.retry && count < outcome.retry.maxAttempts) return again(count);
        return outcome.output as O;
      });
    }

    function fail(thrown: unknown, count: number): O | Promise<O> {
      if (context.signal.aborted) throw thrown;
      const { code, message, details } = asScriptError(thrown);
      const described: ValueMap = {
        ...fields,
        duration_ms: performance.now() - started,
        error: { code, message, ...(details && { details: details as ValueMap }) },
      };
      return whenReady(runChain(context, error, { point: pointOf(spec.error), fields: described, input, checkOutput: spec.checkOutput }), (outcome) => {
        obey(outcome, spec.error, thrown);
        if (retryWish && count < retryWish.maxAttempts) return again(count);
        if (outcome.replaced || outcome.skip) return outcome.output as O;
        throw thrown;
      });
    }

    const occasion = { point: pointOf(spec.before), fields, input, checkInput: spec.checkInput, checkOutput: spec.checkOutput };
    return whenReady(runChain(context, before, occasion), (outcome) => {
      obey(outcome, spec.before);
      input = outcome.input as I;
      return outcome.skip ? finish(outcome.output as O, 1) : attempt(1);
    });
  }

  /** The script's own hook; those of the host are refused. */
  function mine(id: string, verb: string): Hook | undefined {
    const hook = own.get(id);
    if (!hook && host.all.some((other) => other.id === id))
      throw new ScriptError('NOT_ALLOWED', `Hook.${verb}: ${id} is a hook of the host; scripts can only list it`);
    return hook;
  }

  function setPaused(id: string, paused: boolean, verb: string): boolean {
    const hook = mine(id, verb);
    if (hook) hook.paused = paused;
    return hook !== undefined;
  }

  return {
    around,
    fire(context, point, fields) {
      const { input = null, output, ...rest } = fields;
      const hooks = none() ? [] : allowed(point, index.match(point)).sort(inOrder);
      const nothing: HookOutcome = { input, output: output ?? null, replaced: false, skip: false, veto: undefined, retry: undefined };
      if (hooks.length === 0) return nothing;
      checkDepth(context, point);
      const described = { id: `${point.split(':', 1)[0]}_${++operations}`, correlation_id: context.correlationId, tenant: run.tenant, ...rest };
      return runChain(context, hooks, { point, fields: described, input, ...(output !== undefined && { output }) });
    },
    register(point, fn, options) {
      checkPoint(point);
      if (own.size >= run.limits.hooks) throw new ScriptError('LIMIT_EXCEEDED', `more than limits.hooks = ${run.limits.hooks} hooks in one run`);
      none();
      registered++;
      const id = `hook_${registered}`;
      const hook: Hook = createHook(
        {
          id,
          point,
          source: 'script',
          language: run.language,
          order: registered,
          call: (ctx, context) => context.invoke(fn, [ctx], { timeoutMs: hook.timeoutMs, signal: context.signal }),
        },
        options,
      );
      own.set(id, hook);
      index.add(point, hook);
      found.clear();
      return id;
    },
    unregister(id) {
      const hook = mine(id, 'unregister');
      if (!hook) return false;
      index.remove(hook.point, hook);
      found.clear();
      return own.delete(id);
    },
    pause: (id) => setPaused(id, true, 'pause'),
    resume: (id) => setPaused(id, false, 'resume'),
    list(context, filter = {}) {
      const wanted = filter.hook_point === undefined ? undefined : splitPattern(filter.hook_point, POINT_SEPARATOR);
      return [...host.all, ...own.values()]
        .filter((hook) => !wanted || overlap(wanted, splitPattern(hook.point, POINT_SEPARATOR)))
        .filter((hook) => (filter.language ?? hook.language) === hook.language && (filter.priority ?? hook.priority) === hook.priority)
        .sort(inOrder)
        .map((hook) => ({
          id: hook.id,
          hook_point: hook.point,
          priority: hook.priority,
          language: hook.language,
          source: hook.source,
          paused: hook.paused,
          on_error: hook.onError,
          timeout_ms: hook.timeoutMs,
          calls: hook.calls,
          failures: hook.failed,
          circuit: isOpen(hook, circuitClock(hook, context)) ? 'open' : 'closed',
        }));
    },
  };
}

export const hooks = runService<Hooks>('hooks', createHooks);

import { type Context, type Run, runService } from '../call/context.ts';
import { refuseAfterEnd } from '../call/ended.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Callback, Value, ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { MAX_HOOK_DEPTH } from '../event/bus.ts';
import { PatternIndex, splitPattern } from '../event/pattern.ts';
import { isEmpty, obey, runInside, type Watched } from './around.ts';
import { type HookOutcome, runChain } from './chain.ts';
import { circuitClock, createHook, type Hook, type HookOptions, type HookSource, inOrder, isOpen, type Priority } from './hook.ts';
import { hostHooks } from './host.ts';
import { checkPoint, isHostOnly, overlap, POINT_SEPARATOR } from './points.ts';

export type { Watched } from './around.ts';
export type { HookOutcome } from './chain.ts';
export type { HookFunction, HookOptions, Priority } from './hook.ts';
export { hostHooks } from './host.ts';

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
  /** Asks the hooks of a single moment before something happens, and gives the input as they leave it. Throws HOOK_REJECTED when one refuses. */
  consult(context: Context, spec: Consulted): Soon<Value>;
  /** Fires a point that has no operation; `fields.input` and `fields.output` may be replaced by hooks. `hostOnly` leaves the script's own out. */
  fire(context: Context, point: string, fields: ValueMap, options?: { hostOnly?: boolean }): HookOutcome | Promise<HookOutcome>;
  /** Registers a function of the script and answers its id. Throws BAD_ARGUMENT when no point matches, LIMIT_EXCEEDED beyond `limits.hooks`. */
  register(context: Context, point: string, fn: Callback, options?: HookOptions): string;
  /** True when there was such a hook; throws NOT_ALLOWED for hooks of the host, as `pause` and `resume` do. */
  unregister(id: string): boolean;
  pause(id: string): boolean;
  resume(id: string): boolean;
  list(context: Context, filter?: HookFilter): HookInfo[];
}

/** A moment that is asked about by itself. */
export interface Consulted {
  readonly kind: string;
  readonly name?: string | undefined;
  readonly moment: string;
  readonly input: Value;
  readonly fields?: ValueMap | undefined;
}

interface Split {
  readonly given: readonly Hook[];
  readonly builtin: readonly Hook[];
}

const NONE: Split = { given: [], builtin: [] };

/** Kinds whose points carry the name, and those that may also be addressed by it. */
const NAMED_POINTS = new Set(['tool']);
const ADDRESSED = new Set(['tool', 'agent', 'workflow']);
const NAME_FIELDS: Readonly<Record<string, string>> = { tool: 'tool_name', agent: 'agent_id', workflow: 'workflow_id' };

function pointName(kind: string, name: string | undefined, moment: string): string {
  return NAMED_POINTS.has(kind) && name !== undefined ? `${kind}:${name}:${moment}` : `${kind}:${moment}`;
}

/** The hooks that may run at a point: some are the host's alone. */
function permitted(hooks: Hook[], point: string): Hook[] {
  return isHostOnly(point) ? hooks.filter(({ source }) => source !== 'script') : hooks;
}

function createHooks(run: Run): Hooks {
  const host = run.host.get(hostHooks);
  const own = new Map<string, Hook>();
  const found = new Map<string, Split>();
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

  /** The hooks of one moment; those that come with the runtime by themselves, for they lie closest around the operation. */
  function at(kind: string, name: string | undefined, moment: string | undefined): Split {
    if (moment === undefined) return NONE;
    const key = `${kind}:${name ?? ''}:${moment}`;
    const known = found.get(key);
    if (known) return known;
    const hooks = new Set(index.match(`${kind}:${moment}`));
    if (name !== undefined && ADDRESSED.has(kind)) for (const hook of index.match(key)) hooks.add(hook);
    const ordered = permitted([...hooks], `${kind}:${moment}`).sort(inOrder);
    const split = { given: ordered.filter(({ source }) => source !== 'builtin'), builtin: ordered.filter(({ source }) => source === 'builtin') };
    if (found.size >= 1_000) found.clear();
    found.set(key, split);
    return split;
  }

  function none(): boolean {
    if (hostVersion !== host.version) rebuild();
    return index.size === 0;
  }

  function checkDepth(context: Context, point: string): void {
    if (context.hookDepth >= MAX_HOOK_DEPTH)
      throw new ScriptError('DEPTH_EXCEEDED', `${context.method}: hooks and event handlers cause one another more than ${MAX_HOOK_DEPTH} deep (at ${point})`);
  }

  /** What hooks are told of one operation whatever the moment. */
  function described(context: Context, kind: string, name: string | undefined, fields: ValueMap | undefined): ValueMap {
    const told: ValueMap = { id: `${kind}_${++operations}`, correlation_id: context.correlationId, tenant: run.tenant };
    const nameField = NAME_FIELDS[kind];
    if (name !== undefined) told.name = name;
    if (name !== undefined && nameField) told[nameField] = name;
    return Object.assign(told, fields);
  }

  function around<I extends Value, O extends Value>(
    context: Context,
    spec: Watched<I, O>,
    operation: (input: I, context: Context) => O | Promise<O>,
  ): O | Promise<O> {
    if (none()) return operation(spec.input, context);
    const { kind, name } = spec;
    const [before, after, error] = [at(kind, name, spec.before), at(kind, name, spec.after), at(kind, name, spec.error)];
    const given = { before: before.given, after: after.given, error: error.given };
    const builtin = { before: before.builtin, after: after.builtin, error: error.builtin };
    const [plain, bare] = [isEmpty(given), isEmpty(builtin)];
    if (plain && bare) return operation(spec.input, context);
    const pointOf = (moment: string | undefined) => pointName(kind, name, moment ?? '');
    checkDepth(context, pointOf(spec.before ?? spec.after));
    const shared = { fields: described(context, kind, name, spec.fields), pointOf };
    if (bare) return runInside(context, spec, shared, given, operation);
    const inner = (input: I, inside: Context) => runInside(inside, { ...spec, input }, shared, builtin, operation);
    return plain ? inner(spec.input, context) : runInside(context, spec, shared, given, inner);
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
    consult(context, { kind, name, moment, input, fields }) {
      const { given, builtin } = none() ? NONE : at(kind, name, moment);
      if (given.length + builtin.length === 0) return input;
      const point = pointName(kind, name, moment);
      checkDepth(context, point);
      const occasion = { point, fields: described(context, kind, name, fields), input };
      return whenReady(runChain(context, [...given, ...builtin], occasion), (outcome) => obey(context, outcome, point).input);
    },
    fire(context, point, fields, { hostOnly = false } = {}) {
      const { input = null, output, ...rest } = fields;
      const [kind = '', ...names] = point.split(':');
      const matching = none() ? [] : permitted([...index.match(point)], point).filter(({ source }) => !hostOnly || source !== 'script');
      const nothing: HookOutcome = { input, output: output ?? null, replaced: false, skip: false, veto: undefined, retry: undefined };
      if (matching.length === 0) return nothing;
      checkDepth(context, point);
      // What comes with the runtime is told first: a hook that ends the chain must not hide what has happened.
      const hooks = matching.sort((a, b) => Number(b.source === 'builtin') - Number(a.source === 'builtin') || inOrder(a, b));
      const told = { ...described(context, kind, kind === 'custom' ? names.join(':') : undefined, undefined), ...rest };
      return runChain(context, hooks, { point, fields: told, input, ...(output !== undefined && { output }) });
    },
    register(context, point, fn, options) {
      checkPoint(point, 'Hook.register: ');
      refuseAfterEnd(context);
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
      // A chain that is under way still holds it.
      hook.paused = true;
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

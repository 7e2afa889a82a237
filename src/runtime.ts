import { resolve } from 'node:path';
import { encode } from './call/codec.ts';
import type { Grants, Language, Limits } from './call/context.ts';
import type { GlobalDefinition } from './call/define.ts';
import { checkGlobal } from './call/definition.ts';
import { createMethodTable, type MethodTable } from './call/dispatch.ts';
import { elapsedMs } from './call/elapsed.ts';
import { checkValue, oneOf, text } from './call/rules.ts';
import { CallContext, HostContainer, RunContainer, unlessEnded } from './call/run.ts';
import { toPlain } from './call/value.ts';
import { type Config, MOST_MS, parseConfig } from './config/config.ts';
import { asScriptError, ScriptError, translated } from './errors.ts';
import { events } from './event/bus.ts';
import { type HostListener, hostEvents } from './event/host.ts';
import { globals as builtinGlobals } from './globals/index.ts';
import { accounts, type Costs, type Period } from './hook/builtin/accounts.ts';
import { type MetricsSnapshot, metrics } from './hook/builtin/metrics.ts';
import { type HookFunction, type HookOptions, hooks, hostHooks } from './hook/hooks.ts';
import { tellEnd, tellRefusal } from './hook/refusal.ts';
import { createInteractiveRun, type InteractiveRun } from './interactive.ts';
import { embeddings } from './model/embeddings.ts';
import { models } from './model/models.ts';
import { checkOptions, checkRuntimeOptions, type ExecuteOptions, languageOf, over, type RunHandle, type RuntimeOptions } from './options.ts';
import { checkPlatform } from './platform.ts';
import type { ScriptEngine, ScriptInstance, Usage } from './script/engine.ts';
import { createJavaScriptEngine } from './script/javascript/engine.ts';
import { createLuaEngine } from './script/lua/engine.ts';
import { sayWhatWasMeant } from './script/meant.ts';
import { scheduler } from './script/scheduler.ts';
import { stateManager } from './state/manager.ts';
import { checkTenant } from './store/folders.ts';
import { hostTools } from './tool/registry.ts';

/** What a run used. */
export interface RunStats extends Usage {
  readonly duration_ms: number;
  /** Work still going on when the script had ended, and cancelled after `limits.drain_ms`. */
  readonly cancelled: number;
}

export interface RunResult {
  readonly value: unknown;
  /** The lines that were printed. */
  readonly output: readonly string[];
  readonly stats: RunStats;
}

/** A run that was cancelled from outside and computes on after this, ms, is killed. */
const CANCEL_GRACE_MS = 200;

const NO_GRANTS: Grants = {
  capabilities: new Set(),
  read: [],
  write: [],
  net: [],
  tenants: [],
  models: ['local/*', 'mock/*'],
  programs: [],
  environment: [],
  mcp: [],
};

const ENGINES: Readonly<Record<Language, ScriptEngine>> = { lua: createLuaEngine(), javascript: createJavaScriptEngine() };
const NO_GLOBALS: readonly GlobalDefinition[] = [];
/** Method tables by the globals that come beside the built-in ones: runtimes with the same share one, and with it the engines' images. */
const tables = new WeakMap<readonly GlobalDefinition[], Map<string, MethodTable>>();

function tableOf({ globals = NO_GLOBALS, builtins = true, checkResults = false }: RuntimeOptions): MethodTable {
  const made = tables.get(globals) ?? new Map<string, MethodTable>();
  tables.set(globals, made);
  const key = `${builtins} ${checkResults}`;
  const known = made.get(key);
  if (known) return known;
  const taken = new Set(builtins ? builtinGlobals.map(({ name }) => name) : []);
  const trusted = new Set(checkResults ? [] : taken);
  for (const definition of globals) {
    checkGlobal('ScriptRuntime.create', definition);
    if (taken.has(definition.name)) throw new ScriptError('BAD_ARGUMENT', `ScriptRuntime.create: globals: there is a global ${definition.name} already`);
    taken.add(definition.name);
  }
  const table = createMethodTable([...(builtins ? builtinGlobals : []), ...globals], { trusted, standard: builtins && globals.length === 0 });
  made.set(key, table);
  return table;
}

/** Runs scripts: one per process is enough, any number of runs at once. */
export class ScriptRuntime {
  readonly host: HostContainer;
  readonly #table: MethodTable;
  readonly #running = new Set<Promise<unknown>>();
  readonly #sessions = new Set<InteractiveRun>();
  #closing: Promise<void> | undefined;

  private constructor(host: HostContainer, table: MethodTable) {
    this.host = host;
    this.#table = table;
  }

  /** Makes a runtime; throws BAD_CONFIG, or one sentence when the platform lacks something. */
  static async create(options: RuntimeOptions = {}): Promise<ScriptRuntime> {
    checkPlatform();
    checkRuntimeOptions(options);
    const table = tableOf(options);
    const config: Config = parseConfig(options.config);
    const host = new HostContainer(config, resolve(options.dataDir ?? config.data.dir));
    if (options.state) host.provide(stateManager, options.state);
    for (const tool of options.tools ?? []) host.get(hostTools).add(tool);
    for (const [name, model] of Object.entries(options.models ?? {})) host.get(models).register(name, model);
    for (const [name, model] of Object.entries(options.embeddings ?? {})) host.get(embeddings).register(name, model);
    for (const hook of options.hooks ?? []) host.get(hostHooks).register(hook.point, hook.call, hook.options);
    if (Object.keys(config.mcp.servers).length > 0) host.get(hostTools).attach((await import('./mcp/client/source.ts')).mcpSource(host));
    const runtime = new ScriptRuntime(host, table);
    try {
      await runtime.#fireSystem('system:startup');
      return runtime;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Hears the events of all runs that match a pattern, until the returned function is called. */
  on(pattern: string, listener: HostListener): () => void {
    return this.host.get(hostEvents).on(pattern, listener);
  }

  /** Runs a function inside operations of all runs, before the scripts' own hooks, until the returned function is called. */
  hook(point: string, call: HookFunction, options?: HookOptions): () => void {
    return this.host.get(hostHooks).register(point, call, options);
  }

  /** What the metrics hook has counted since the runtime began; empty unless `[hooks.metrics]` is on. */
  metrics(): MetricsSnapshot {
    return this.host.get(metrics).snapshot();
  }

  /** What models have cost a tenant this day, this month (UTC) or in all; nothing unless `[hooks.cost_tracking]` is on. */
  async costs(tenant = 'default', period: Period = 'all'): Promise<Costs> {
    checkValue('costs: tenant', tenant, text);
    checkTenant(tenant);
    checkValue('costs: period', period, oneOf('day', 'month', 'all'));
    return this.host.get(accounts).costs(tenant, Date.now(), period);
  }

  /** Runs a script to its end; throws the ScriptError it ended with, whose `run` holds output and stats. */
  async execute(source: string, options: ExecuteOptions = {}): Promise<RunResult> {
    this.#begin('execute', options);
    if (typeof source !== 'string') throw new ScriptError('BAD_ARGUMENT', `execute: source: expected a string, got ${typeof source}`);
    if (options.signal?.aborted) throw cancellation(options.signal);
    return this.#during(() => this.#execute(source, languageOf(options), options));
  }

  async #execute(source: string, language: Language, options: ExecuteOptions): Promise<RunResult> {
    const output: string[] = [];
    const started = performance.now();
    // Making a context takes a good part of a millisecond: many runs that start at once share the turns of the event loop.
    const turn = scheduler.turn(options.tenant ?? 'default', options.signal);
    if (turn !== true && !(await turn)) throw cancellation(options.signal as AbortSignal);
    const { run, instance } = this.#openInTurn(language, options, output);
    let cancelled = 0;
    using watched = watch(run, instance, options.signal);
    const stats = (): RunStats => ({ duration_ms: elapsedMs(started), ...instance.usage(), cancelled });
    try {
      const name = options.name ?? (language === 'lua' ? 'main.lua' : 'main.js');
      const ended = () => watched.ended;
      const value = toPlain(await unlessEnded(instance.execute({ text: source, name, path: options.path }), ended));
      cancelled = await unlessEnded(drain(run), ended);
      return { value, output, stats: stats() };
    } catch (error) {
      const failure = asScriptError(error);
      sayWhatWasMeant(failure, source, this.#table, language);
      await tellEnd(new CallContext(run), failure);
      run.abort(new ScriptError('CANCELLED', 'the run has failed'));
      failure.run = { output, stats: stats() };
      throw failure;
    } finally {
      await run[Symbol.asyncDispose]();
      instance.close();
    }
  }

  /**
   * Opens a session: chunks that run one after the other in one context, with a processor and wall limit for each. Everything else is as in one
   * run: limits of output and calls count for the whole session.
   */
  openSession(options: Omit<ExecuteOptions, 'name' | 'path' | 'signal'> = {}): InteractiveRun {
    this.#begin('openSession', options);
    const language = languageOf(options);
    const { run, instance } = this.#open('openSession', language, options);
    const session = createInteractiveRun(run, instance, {
      during: (chunk) => this.#during(chunk),
      explain: (error, text) => sayWhatWasMeant(error, text, this.#table, language),
      drain: () => drain(run),
      closed: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    return session;
  }

  /** What closing waits for. */
  async #during<T>(begin: () => Promise<T>): Promise<T> {
    this.#refuseClosed();
    const work = begin();
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  #begin(method: RunMethod, options: ExecuteOptions): void {
    this.#refuseClosed();
    checkOptions(method, options, this.host.config.limits);
  }

  #refuseClosed(): void {
    if (this.#closing) throw new ScriptError('CANCELLED', 'the runtime is closed');
  }

  #openInTurn(language: Language, options: ExecuteOptions, output: string[]) {
    try {
      return this.#open('execute', language, options, (line) => output.push(line));
    } finally {
      scheduler.leave();
    }
  }

  /** Makes a run with a context of its language and tells the host of it; when the host throws, nothing of it is left. */
  #open(method: RunMethod, language: Language, options: ExecuteOptions, onLine?: (line: string) => void): { run: RunContainer; instance: ScriptInstance } {
    const { clock, on_output, on_start } = options;
    let instance: ScriptInstance | undefined;
    const end = (error: ScriptError) => {
      if (instance?.dead) process.emitWarning(error.message);
      run.abort(error);
      instance?.kill(error);
    };
    const run = new RunContainer({
      host: this.host,
      language,
      tenant: options.tenant ?? 'default',
      session: options.session,
      grants: over(NO_GRANTS, options.grants),
      limits: over<Limits>(this.host.config.limits, options.limits),
      args: options.args ?? [],
      input: options.input ?? null,
      seed: options.seed ?? Math.floor(Math.random() * 2 ** 32),
      ...(clock && { clock: checkedClock(method, clock) }),
      onRefused: tellRefusal,
      onOutput(line) {
        onLine?.(line);
        if (on_output) ofHost(`${method}: on_output`, () => on_output(line), end);
      },
    });
    try {
      instance = ENGINES[language].open(this.#table, run);
      if (on_start) ofHost(`${method}: on_start`, () => on_start(handleOf(run)), end);
      return { run, instance };
    } catch (error) {
      run.abort(new ScriptError('CANCELLED', 'the run has failed'));
      instance?.close();
      void run[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #fireSystem(point: string): Promise<void> {
    if (this.host.get(hostHooks).all.length === 0) return;
    await using run = systemRun(this.host);
    await run.get(hooks).fire(new CallContext(run, { method: point }), point, {});
  }

  /** Closes the runtime: nothing begins any more, runs and chunks of sessions that are under way are awaited, then sessions are closed. Whoever waits for it inside of a run waits for itself. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await Promise.all([...this.#sessions].map((session) => session[Symbol.asyncDispose]()));
    await this.#fireSystem('system:shutdown');
    await this.host[Symbol.asyncDispose]();
  }
}

type RunMethod = 'execute' | 'openSession';

/** Calls a function that an option gives; what it throws is an error that names the option, and `rejected` is told of what a promise of it rejects with. */
function ofHost<T>(option: string, call: () => T, rejected: (error: ScriptError) => void): T {
  const named = (error: unknown) => translated(error, (text, cause) => new ScriptError('INTERNAL', `${option} threw: ${text}`, { cause }));
  try {
    const answer = call();
    if (answer instanceof Promise) answer.catch((error) => rejected(named(error)));
    return answer;
  } catch (error) {
    throw named(error);
  }
}

/** A clock of the host, whose errors name it and whose answers are times. */
function checkedClock(method: RunMethod, clock: () => number): () => number {
  return () => {
    // A promise is refused as its answer, whatever becomes of it.
    const now = ofHost(`${method}: clock`, clock, () => undefined);
    checkValue(`${method}: clock: its answer`, now, { wanted: 'a number of milliseconds', fits: Number.isFinite });
    return now;
  };
}

function handleOf(run: RunContainer): RunHandle {
  return {
    id: run.id,
    async emit(event_type, payload = null, correlation_id) {
      checkValue('emit: event type', event_type, text);
      if (correlation_id !== undefined) checkValue('emit: correlation id', correlation_id, text);
      encode(payload, 'emit: payload');
      if (run.draining || run.signal.aborted) return false;
      const draft = { event_type, payload, source: 'host', ...(correlation_id !== undefined && { correlation_id }) } as const;
      await run.get(events).emit(new CallContext(run, { method: 'emit' }), draft);
      return true;
    },
  };
}

/** A run that no script is part of, for what concerns the runtime itself. */
function systemRun(host: HostContainer): RunContainer {
  return new RunContainer({
    host,
    language: 'lua',
    tenant: 'default',
    grants: NO_GRANTS,
    limits: host.config.limits,
    args: [],
    input: null,
    seed: 0,
    onOutput: () => undefined,
  });
}

/** What bounds a run from outside; disposed, it no longer does. */
interface Watch extends Disposable {
  /** What the run was ended with. */
  readonly ended: ScriptError | undefined;
}

/** Bounds a run from outside: the wall limit kills it, the caller's signal cancels it and then kills it. */
function watch(run: RunContainer, instance: ScriptInstance, signal: AbortSignal | undefined): Watch {
  const timers: NodeJS.Timeout[] = [];
  let ended: ScriptError | undefined;
  const { timeout_ms } = run.limits;
  if (timeout_ms > 0) {
    const error = () => new ScriptError('LIMIT_EXCEEDED', `the run took longer than limits.timeout_ms = ${timeout_ms} ms`);
    timers.push(setTimeout(() => kill(error()), Math.min(timeout_ms, MOST_MS)));
  }
  const end = (error: ScriptError) => {
    ended ??= error;
    run.abort(error);
  };
  const kill = (error: ScriptError) => {
    end(error);
    instance.kill(error);
  };
  const onAbort = () => {
    const error = cancellation(signal);
    end(error);
    timers.push(setTimeout(() => instance.kill(error), CANCEL_GRACE_MS));
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    get ended() {
      return ended;
    },
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

function cancellation(signal: AbortSignal | undefined): ScriptError {
  return signal?.reason instanceof ScriptError ? signal.reason : new ScriptError('CANCELLED', 'the run was cancelled');
}

/** Waits for what still goes on when the main chunk has returned; cancels and counts the rest. */
async function drain(run: RunContainer): Promise<number> {
  run.draining = true;
  if (run.pending.size === 0) return 0;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((done) => {
    timer = setTimeout(done, run.limits.drain_ms);
  });
  const settled = async () => {
    while (run.pending.size > 0) await Promise.allSettled([...run.pending]);
  };
  await Promise.race([settled(), late]);
  clearTimeout(timer);
  const left = run.pending.size;
  run.abort(new ScriptError('CANCELLED', 'the run has ended'));
  return left;
}

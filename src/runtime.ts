import { resolve } from 'node:path';
import type { Language } from './call/context.ts';
import type { MethodTable } from './call/dispatch.ts';
import { elapsedMs } from './call/elapsed.ts';
import { checkValue, oneOf, text } from './call/rules.ts';
import { CallContext, HostContainer, unlessEnded } from './call/run.ts';
import { toPlain, type Value } from './call/value.ts';
import { type Config, parseConfig } from './config/config.ts';
import { asScriptError, ScriptError } from './errors.ts';
import { type HostListener, hostEvents } from './event/host.ts';
import { accounts, type Costs, type Period } from './hook/builtin/accounts.ts';
import { type MetricsSnapshot, metrics } from './hook/builtin/metrics.ts';
import { type HookFunction, type HookOptions, hooks, hostHooks } from './hook/hooks.ts';
import { tellEnd } from './hook/refusal.ts';
import { embeddings } from './model/embeddings.ts';
import { models } from './model/models.ts';
import { createInteractiveRun, type InteractiveRun } from './runtime/interactive.ts';
import { openRun, type RunMethod, systemRun } from './runtime/open.ts';
import { checkOptions, checkRuntimeOptions, type ExecuteOptions, languageOf, type RuntimeOptions } from './runtime/options.ts';
import { checkPlatform } from './runtime/platform.ts';
import { tableOf } from './runtime/table.ts';
import { cancellation, drain, watch } from './runtime/watch.ts';
import type { Usage } from './script/engine.ts';
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
    for (const tool of options.tools ?? []) host.get(hostTools).add(tool, 'ScriptRuntime.create: tools');
    for (const [name, model] of Object.entries(options.models ?? {})) host.get(models).register(name, model);
    for (const [name, model] of Object.entries(options.embeddings ?? {})) host.get(embeddings).register(name, model);
    host.get(models).checkOverride();
    host.get(embeddings).checkOverride();
    for (const [at, hook] of (options.hooks ?? []).entries())
      host.get(hostHooks).register(hook.point, hook.call, hook.options, `ScriptRuntime.create: hooks[${at}]`);
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
    const result = await this.executeExact(source, options);
    return { ...result, value: toPlain(result.value) };
  }

  /** As `execute`, with the value as it left the script: a whole float of Lua is a `Float`, functions and handles are what they are. */
  async executeExact(source: string, options: ExecuteOptions = {}): Promise<RunResult & { readonly value: Value }> {
    this.#begin('execute', options);
    if (typeof source !== 'string') throw new ScriptError('BAD_ARGUMENT', `execute: source: expected a string, got ${typeof source}`);
    if (options.signal?.aborted) throw cancellation(options.signal);
    return this.#during(() => this.#execute(source, languageOf(options), options));
  }

  async #execute(source: string, language: Language, options: ExecuteOptions): Promise<RunResult & { readonly value: Value }> {
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
      const value = await unlessEnded(instance.execute({ text: source, name, path: options.path }), ended);
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
    const { run, instance } = openRun(this.host, this.#table, 'openSession', language, options);
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
      return openRun(this.host, this.#table, 'execute', language, options, (line) => output.push(line));
    } finally {
      scheduler.leave();
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

import type { Config } from '../config/config.ts';
import type { ScriptError } from '../errors.ts';
import type { Capability } from './capability.ts';
import type { Cpu } from './cpu.ts';
import type { Kept } from './kept.ts';
import type { Callback, Value, ValueMap } from './value.ts';

/** What a service is made of and where it lives: one per host (runtime) or one per run, made at first use, disposed with its owner. */
export interface ServiceKey<Owner, T> {
  readonly name: string;
  readonly create: (owner: Owner) => T;
}

/** Declares a service that all runs of a runtime share. */
export function hostService<T>(name: string, create: (host: Host) => T): ServiceKey<Host, T> {
  return { name, create };
}

/** Declares a service of which each run has its own. */
export function runService<T>(name: string, create: (run: Run) => T): ServiceKey<Run, T> {
  return { name, create };
}

/** The runtime as services see it. */
export interface Host {
  readonly config: Config;
  /** Absolute path of the data folder. */
  readonly dataDir: string;
  get<T>(key: ServiceKey<Host, T>): T;
  /** The service if somebody has used it already. */
  peek<T>(key: ServiceKey<Host, T>): T | undefined;
}

export type Language = 'lua' | 'javascript';

/** What files of scripts and their modules end in. */
export const ENDINGS: Readonly<Record<Language, readonly string[]>> = { lua: ['.lua'], javascript: ['.js', '.mjs'] };

/** What a run may do; strings of `call/capability`, folders and hosts. */
export interface Grants {
  readonly capabilities: ReadonlySet<Capability>;
  /** Folders; relative ones count from the working folder of the process. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Host names, `*.example.org`, or `*`; private addresses only if named literally. */
  readonly net: readonly string[];
  /** Tenants other than the run's own; `*` is all. */
  readonly tenants: readonly string[];
  /** Patterns of models, `local/*`. */
  readonly models: readonly string[];
  /** Programs that the `process` tool may start; names of environment variables that `environment` may show. */
  readonly programs: readonly string[];
  readonly environment: readonly string[];
  /** Patterns of tools of MCP servers, `github.*`. */
  readonly mcp: readonly string[];
}

/** Everything that ends or bounds a run. Times in ms of the wall clock unless named cpu. */
export interface Limits {
  readonly cpu_ms: number;
  readonly timeout_ms: number;
  readonly memory_mb: number;
  readonly output_mb: number;
  readonly fibers: number;
  readonly subscriptions: number;
  readonly hooks: number;
  readonly jobs_per_turn: number;
  readonly external_calls: number;
  readonly model_calls: number;
  readonly drain_ms: number;
}

/** One execution of one script. */
export interface Run {
  readonly id: string;
  readonly host: Host;
  readonly language: Language;
  readonly tenant: string;
  /** The session that the host wants continued, if it named one. */
  readonly session?: string | undefined;
  readonly grants: Grants;
  readonly limits: Limits;
  readonly args: readonly string[];
  readonly input: Value;
  readonly signal: AbortSignal;
  /** What the run has computed so far. */
  readonly cpu: Cpu;
  /** What stays on the host for the run. */
  readonly kept: Kept;
  /** True when the main chunk has returned: nothing new is accepted. */
  readonly draining: boolean;
  get<T>(key: ServiceKey<Run, T>): T;
  peek<T>(key: ServiceKey<Run, T>): T | undefined;
  /** The run's clock in ms since 1970; fixed or the host's. */
  now(): number;
  /** The run's random numbers in [0, 1), a function of its seed. */
  random(): number;
  /** A new id from the run's random numbers (UUID version 4). */
  uuid(): string;
  /** One line of the run's output. */
  print(line: string): void;
  /** Registers work that goes on by itself and is awaited when the run drains. */
  background(work: Promise<unknown>): void;
  /** Tells those who watch that something was refused for want of a permission or at a limit; a promise when they have to be waited for. */
  refused(context: Context, error: ScriptError): void | Promise<void>;
  /** Waits on the host's clock; rejects with CANCELLED when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface InvokeOptions {
  /** The callback's own deadline; computing past it interrupts the callback with TIMEOUT. */
  readonly timeoutMs?: number | undefined;
  /** What the callback is to its user, a tool's name; begins the message of TIMEOUT. */
  readonly title?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called once, when the callback first waits for something of the host (not when it merely computes long). */
  readonly onFirstWait?: (() => void) | undefined;
}

/** One call under way: who calls, for whom, until when. Services pass it on; deriving one is cheap. */
export interface Context {
  readonly run: Run;
  /** The method as scripts write it, `State.save`. */
  readonly method: string;
  /** Fires when this call is cancelled. */
  readonly signal: AbortSignal;
  /** How deep agents, tools and workflows are nested (16 at most), and hooks and events (8 at most). */
  readonly depth: number;
  readonly hookDepth: number;
  readonly correlationId: string;
  /** (fiber path, n-th call): the same whichever wait ended first; the key of durable replay. */
  readonly key: string;
  /** Set while State.update or State.transaction runs a function of the script. */
  readonly transaction: object | undefined;
  /** What model and tool calls made inside are charged to, budgets of agents included; agents set it. */
  readonly spending: object | undefined;
  /** The call of a hook inside of which this one is made; hooks set it. */
  readonly hookCall: object | undefined;
  /** The same call with something changed, for what happens inside it; a signal may be one that is made when somebody asks for it. */
  with(
    changes: Partial<Pick<Context, 'method' | 'depth' | 'hookDepth' | 'correlationId' | 'transaction' | 'spending' | 'hookCall'>> & {
      readonly signal?: AbortSignal | Pick<Context, 'signal'>;
    },
  ): Context;
  /** Calls a function on a fiber of its own with this context as its parent. A script's error comes out unchanged. */
  invoke(fn: Callback, args: readonly Value[], options?: InvokeOptions): Promise<Value>;
}

export type { Callback, Value, ValueMap };

import type { Config } from '../config/config.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import type { Context, Grants, Host, InvokeOptions, Language, Limits, Run, ServiceKey } from './context.ts';
import { Cpu } from './cpu.ts';
import { Kept } from './kept.ts';
import { type Callback, LazyMap, SCRIPT_CALLBACK, type Value } from './value.ts';

/** How an engine runs one of its functions; found on the callbacks it makes. */
export interface ScriptInvoke {
  (context: Context, args: readonly Value[], options: InvokeOptions): Promise<Value>;
  /** Lets go of the script's function at once, instead of when the host's has been collected. */
  release?(): void;
}

/** Services by key, made at first use and disposed in reverse order. */
class Services<Owner> {
  readonly #made = new Map<ServiceKey<Owner, unknown>, unknown>();
  /** Made by somebody else, who disposes of them. */
  readonly #foreign = new Set<ServiceKey<Owner, unknown>>();

  get<T>(owner: Owner, key: ServiceKey<Owner, T>): T {
    const found = this.#made.get(key);
    if (found !== undefined) return found as T;
    const made = key.create(owner);
    this.#made.set(key, made);
    return made;
  }

  peek<T>(key: ServiceKey<Owner, T>): T | undefined {
    return this.#made.get(key) as T | undefined;
  }

  provide<T>(key: ServiceKey<Owner, T>, service: T): void {
    this.#made.set(key, service);
    this.#foreign.add(key);
  }

  async dispose(): Promise<void> {
    for (const [key, service] of [...this.#made].reverse()) {
      if (this.#foreign.has(key)) continue;
      const disposable = service as { [Symbol.asyncDispose]?: () => Promise<void>; [Symbol.dispose]?: () => void } | null;
      if (disposable?.[Symbol.asyncDispose]) await disposable[Symbol.asyncDispose]?.();
      else disposable?.[Symbol.dispose]?.();
    }
    this.#made.clear();
  }
}

export class HostContainer implements Host {
  readonly config: Config;
  readonly dataDir: string;
  readonly #services = new Services<Host>();

  constructor(config: Config, dataDir: string) {
    this.config = config;
    this.dataDir = dataDir;
  }

  get<T>(key: ServiceKey<Host, T>): T {
    return this.#services.get(this, key);
  }

  peek<T>(key: ServiceKey<Host, T>): T | undefined {
    return this.#services.peek(key);
  }

  /** Puts a service in place that the caller has made and will dispose of. */
  provide<T>(key: ServiceKey<Host, T>, service: T): void {
    this.#services.provide(key, service);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#services.dispose();
  }
}

export interface RunOptions {
  readonly host: Host;
  readonly language: Language;
  readonly tenant: string;
  readonly session?: string | undefined;
  readonly grants: Grants;
  readonly limits: Limits;
  readonly args: readonly string[];
  readonly input: Value;
  /** Any integer; the same seed gives the same random numbers. */
  readonly seed: number;
  readonly onOutput: (line: string) => void;
  readonly clock?: () => number;
  /** Hears of everything that is refused for want of a permission or at a limit. */
  readonly onRefused?: (context: Context, error: ScriptError) => void | Promise<void>;
}

/** The part of a run that knows nothing of engines: services, clock, random numbers, output, cancellation. */
export class RunContainer implements Run {
  readonly id: string;
  readonly host: Host;
  readonly language: Language;
  readonly tenant: string;
  readonly session: string | undefined;
  readonly grants: Grants;
  readonly limits: Limits;
  readonly args: readonly string[];
  readonly input: Value;
  readonly now: () => number;
  readonly random: () => number;
  readonly cpu = new Cpu();
  readonly kept: Kept;
  draining = false;
  readonly pending = new Set<Promise<unknown>>();
  readonly #services = new Services<Run>();
  readonly #abort = new AbortController();
  readonly #onOutput: (line: string) => void;
  readonly #onRefused: RunOptions['onRefused'];
  #outputLeft: number;

  constructor(options: RunOptions) {
    this.id = newId(Math.random);
    this.host = options.host;
    this.language = options.language;
    this.tenant = options.tenant;
    this.session = options.session;
    this.grants = options.grants;
    this.limits = options.limits;
    this.args = options.args;
    this.input = options.input;
    this.now = options.clock ?? Date.now;
    this.random = seededRandom(options.seed);
    this.kept = new Kept(options.limits.memory_mb);
    this.#onOutput = options.onOutput;
    this.#onRefused = options.onRefused;
    this.#outputLeft = options.limits.output_mb * 2 ** 20;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get<T>(key: ServiceKey<Run, T>): T {
    return this.#services.get(this, key);
  }

  peek<T>(key: ServiceKey<Run, T>): T | undefined {
    return this.#services.peek(key);
  }

  /** Cancels everything under way. */
  abort(reason: ScriptError): void {
    this.cpu.ended ??= reason;
    this.#abort.abort(reason);
  }

  uuid(): string {
    return newId(this.random);
  }

  print(line: string): void {
    this.#outputLeft -= Buffer.byteLength(line) + 1;
    if (this.#outputLeft < 0) throw new ScriptError('LIMIT_EXCEEDED', `the run printed more than limits.output_mb = ${this.limits.output_mb} MB`);
    this.#onOutput(line);
  }

  refused(context: Context, error: ScriptError): void | Promise<void> {
    return this.#onRefused?.(context, error);
  }

  background(work: Promise<unknown>): void {
    const settled = work.catch(() => undefined).finally(() => this.pending.delete(settled));
    this.pending.add(settled);
  }

  sleep(ms: number, signal: AbortSignal = this.signal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(cancelled(signal));
      const onAbort = () => {
        clearTimeout(timer);
        reject(cancelled(signal));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#services.dispose();
  }
}

/** A UUID of version 4 from random numbers in [0, 1). */
function newId(random: () => number): string {
  const hex = (digits: number) =>
    Math.floor(random() * 16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  const variant = (8 + Math.floor(random() * 4)).toString(16);
  return `${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(12)}`;
}

/** The error a fired signal stands for: its own reason if that is ours, else CANCELLED. */
export function cancelled(signal: AbortSignal): ScriptError {
  return signal.reason instanceof ScriptError ? signal.reason : new ScriptError('CANCELLED', 'cancelled', { cause: signal.reason });
}

/** What the work comes to, unless it was ended from outside meanwhile: then it fails with that, whatever the script has made of it. */
export async function unlessEnded<T>(work: Promise<T>, ended: () => ScriptError | undefined): Promise<T> {
  const outcome = await work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const end = ended();
  // The script's own copy of it says where it was.
  if ('error' in outcome && (end === undefined || asScriptError(outcome.error).code === end.code)) throw outcome.error;
  if (end) throw end;
  return (outcome as { value: T }).value;
}

type Changes = Parameters<Context['with']>[0];
type Place = Pick<Context, 'depth' | 'hookDepth' | 'correlationId' | 'transaction' | 'spending' | 'hookCall'>;

function placeOf(run: Run, { depth = 0, hookDepth = 0, correlationId = run.id, transaction, spending, hookCall }: Changes): Place {
  return { depth, hookDepth, correlationId, transaction, spending, hookCall };
}

/** A line of execution of a script that makes calls. */
export interface Caller {
  readonly id: string;
  /** Fires when it ends early. */
  readonly signal: AbortSignal;
}

/** A context of the host itself, which a fiber's calls derive from, or of one call. */
export class CallContext implements Context {
  readonly run: Run;
  readonly method: string;
  /** The fiber whose call this is or derives from. */
  readonly fiber: Caller | undefined;
  /** Which of the fiber's calls this is; 0 where it is none itself. */
  readonly #call: number;
  readonly #signal: Changes['signal'];
  readonly #parent: CallContext | undefined;
  /** What it hands on; each call of a fiber has a context of its own, and all share this. */
  readonly #place: Place;

  constructor(
    run: Run,
    fields: Changes | CallContext = {},
    method: string = fields.method ?? '',
    parent?: CallContext,
    fiber: Caller | undefined = parent?.fiber,
    call = 0,
  ) {
    this.run = run;
    this.method = method;
    this.fiber = fiber;
    this.#call = call;
    this.#signal = parent ? fields.signal : undefined;
    this.#parent = parent;
    this.#place = #place in fields ? fields.#place : placeOf(run, fields);
  }

  get depth(): number {
    return this.#place.depth;
  }

  get hookDepth(): number {
    return this.#place.hookDepth;
  }

  get correlationId(): string {
    return this.#place.correlationId;
  }

  get transaction(): object | undefined {
    return this.#place.transaction;
  }

  get spending(): object | undefined {
    return this.#place.spending;
  }

  get hookCall(): object | undefined {
    return this.#place.hookCall;
  }

  // A call's own are made when somebody asks.

  get signal(): AbortSignal {
    if (this.#call > 0 && this.fiber) return this.fiber.signal;
    const own = this.#signal;
    if (own) return own instanceof AbortSignal ? own : own.signal;
    return this.#parent?.signal ?? this.run.signal;
  }

  get key(): string {
    if (this.#call > 0 && this.fiber) return `${this.fiber.id}:${this.#call}`;
    return this.#parent?.key ?? '';
  }

  with(changes: Changes): Context {
    return new CallContext(this.run, { ...this.#place, ...changes }, changes.method ?? this.method, this);
  }

  async invoke(fn: Callback, args: readonly Value[], options: InvokeOptions = {}): Promise<Value> {
    const script = (fn as { [SCRIPT_CALLBACK]?: ScriptInvoke })[SCRIPT_CALLBACK];
    if (script) return script(this, args, options);
    return invokeHost(this, fn, args, options);
  }
}

/** Calls a function of the host under the same rules: a deadline, cancellation, errors as ScriptErrors. */
async function invokeHost(context: Context, fn: Callback, args: readonly Value[], options: InvokeOptions): Promise<Value> {
  const signal = options.signal ?? context.signal;
  if (signal.aborted) throw cancelled(signal);
  const result = fn(...args.map((arg) => (arg instanceof LazyMap ? arg.all() : arg)));
  if (!(result instanceof Promise)) return result ?? null;
  options.onFirstWait?.();
  const { timeoutMs } = options;
  return new Promise<Value>((resolve, reject) => {
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => reject(tookLonger(options)), timeoutMs);
    const onAbort = () => reject(cancelled(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    result
      .then(
        (value) => resolve(value ?? null),
        (error) => reject(asScriptError(error)),
      )
      .finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      });
  });
}

/** The error of a callback past its own deadline. */
export function tookLonger({ timeoutMs, title }: Pick<InvokeOptions, 'timeoutMs' | 'title'>): ScriptError {
  return new ScriptError('TIMEOUT', `${title === undefined ? '' : `${title}: `}took longer than ${timeoutMs} ms`);
}

/** sfc32 (Chris Doty-Humphrey, PractRand), seeded by one integer through splitmix32. */
export function seededRandom(seed: number): () => number {
  let mix = seed | 0;
  const next = () => {
    mix = (mix + 0x9e3779b9) | 0;
    let t = mix ^ (mix >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  };
  let a = next();
  let b = next();
  let c = next();
  let d = next();
  const step = () => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  return () => (step() * 2 ** 21 + (step() >>> 11)) / 2 ** 53;
}

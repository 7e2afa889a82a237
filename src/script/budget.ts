import { CallContext, type RunContainer, unlessEnded } from '../call/run.ts';
import { ScriptError } from '../errors.ts';
import { Fiber } from './fiber.ts';

/** What all fibers of a run or chunk that was ended may compute together to tidy up, ms. */
const MOST_CLEANUP_MS = 100;

/** What is limited and ended as a whole: a run, or in a session, which outlives them, each of its chunks. */
export class Budget {
  readonly #run: RunContainer;
  /** The chunk that runs now, how many there were, and what the run had computed when the last one began. */
  #chunk: Fiber | undefined;
  #chunks = 0;
  #chunkCpuMs = 0;
  /** Set while a chunk is being stopped: whatever computes for it ends with this. */
  #stopping: ScriptError | undefined;
  /** What the run had computed when the first fiber tidied up after the end. */
  #endedCpuMs: number | undefined;

  constructor(run: RunContainer) {
    this.#run = run;
  }

  get stopping(): ScriptError | undefined {
    return this.#stopping;
  }

  /** Whether the whole run or chunk was told to end. */
  get ended(): boolean {
    return this.#stopping !== undefined || this.#run.signal.aborted;
  }

  /** Runs a chunk on a fiber of its own; time limits count anew for each. */
  chunk<T>(enter: (fiber: Fiber) => Promise<T>): Promise<T> {
    const { timeout_ms } = this.#run.limits;
    const late = new ScriptError('LIMIT_EXCEEDED', `took longer than limits.timeout_ms = ${timeout_ms} ms`);
    const timeoutMs = timeout_ms > 0 ? timeout_ms : undefined;
    const fiber = new Fiber({ id: `${++this.#chunks}`, context: new CallContext(this.#run), timeoutMs, late });
    this.#chunk = fiber;
    this.#chunkCpuMs = this.#run.cpu.ms;
    this.#stopping = undefined;
    this.#endedCpuMs = undefined;
    return unlessEnded(enter(fiber), () => this.#stopping).finally(() => {
      this.#chunk = undefined;
      this.#stopping = undefined;
    });
  }

  /** Stops the chunk that runs now. */
  stop(error: ScriptError): void {
    if (!this.#chunk) return;
    this.#stopping = error;
    this.#chunk.end(error);
  }

  /** Stops a chunk that has computed too long; gives the error that ends a run which has. */
  exceeded(cpuMs: number): ScriptError | undefined {
    const { cpu_ms, timeout_ms } = this.#run.limits;
    if (cpuMs - this.#chunkCpuMs <= cpu_ms || this.#stopping) return undefined;
    // Where both are one number, as `--timeout` sets them, it is the time that somebody has limited.
    const said = timeout_ms === cpu_ms ? `took longer than limits.timeout_ms = ${timeout_ms} ms` : `computed longer than limits.cpu_ms = ${cpu_ms} ms`;
    const error = (whose: string) => new ScriptError('LIMIT_EXCEEDED', `${whose}${said}`);
    if (this.#chunks === 0) return error('the run ');
    this.#stopping = error('');
    this.#chunk?.end(this.#stopping);
    return undefined;
  }

  /** Whether a fiber may still tidy up, as far as it depends on what others have done so. */
  mayCleanUp(cpuMs: number): boolean {
    if (!this.ended) return true;
    this.#endedCpuMs ??= cpuMs;
    return cpuMs - this.#endedCpuMs < MOST_CLEANUP_MS;
  }
}

import type { Transferable } from 'node:worker_threads';
import type { Run } from '../call/context.ts';
import { cancelled } from '../call/run.ts';
import { ScriptError } from '../errors.ts';
import { type Job, type Report, unpackError } from './message.ts';
import { joined } from './pieces.ts';

export interface WorkOptions {
  /** What the task may compute once it has begun, ms; waiting for a free worker is not counted. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Whose work it is: tenants take turns, and the run is charged with what the task computes. */
  readonly run: Pick<Run, 'tenant' | 'cpu'>;
}

/** What a worker tells while it has a job. */
export interface Listener {
  report(report: Report): void;
  /** It broke or ended by itself. */
  failed(error: ScriptError): void;
}

/** A thread or process that runs one job after the other. */
export interface Worker {
  /** Starts a job and hears of it until `release`; keeps the process alive meanwhile. Throws when the arguments cannot be copied. */
  start(job: Job, transfer: readonly Transferable[], listener: Listener): void;
  release(): void;
  /** Ends it, whatever it does. */
  end(): void;
  /** It has ended by itself. */
  readonly ended: boolean;
}

/** Runs jobs on few workers, which are made on first use. */
export interface Pool {
  run(job: Job, options: WorkOptions & { readonly transfer?: readonly Transferable[] | undefined }): Promise<unknown>;
}

interface Waiting {
  readonly job: Job;
  readonly options: Parameters<Pool['run']>[1];
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Gives up waiting: what an abort does until the job starts. */
  leave(): void;
}

/**
 * A pool of at most so many workers; one that does not end in time, or whose job is cancelled, is ended and a fresh one takes its place. Where there are
 * several, one tenant's jobs have all but one of them at most: those of another find one, however long they take.
 */
export function createPool(most: number, create: () => Worker): Pool {
  /** What waits, by tenant; the tenant whose turn it is comes first. */
  const lines = new Map<string, Waiting[]>();
  const idle: Worker[] = [];
  /** How many jobs of each tenant run. */
  const running = new Map<string, number>();
  const mostOfOne = Math.max(1, most - 1);
  let count = 0;

  function startNext(): void {
    for (const [tenant, line] of lines) {
      if ((running.get(tenant) ?? 0) >= mostOfOne) continue;
      const worker = idleOne() ?? (count < most ? made() : undefined);
      if (!worker) return;
      lines.delete(tenant);
      const waiting = line.shift();
      // Behind all others, and this loop comes to it again.
      if (line.length > 0) lines.set(tenant, line);
      if (waiting) runOn(worker, waiting);
    }
  }

  function counted(tenant: string, more: number): void {
    const now = (running.get(tenant) ?? 0) + more;
    if (now > 0) running.set(tenant, now);
    else running.delete(tenant);
  }

  function idleOne(): Worker | undefined {
    for (;;) {
      const worker = idle.pop();
      if (!worker?.ended) return worker;
      count--;
    }
  }

  function made(): Worker {
    count++;
    return create();
  }

  /** A worker goes back to the idle ones only from a job that has ended by itself. */
  function runOn(worker: Worker, { job, options, resolve, reject, leave }: Waiting): void {
    const { signal, deadlineMs, transfer = [], run } = options;
    signal?.removeEventListener('abort', leave);
    counted(run.tenant, 1);
    let timer: NodeJS.Timeout | undefined;
    let begun: number | undefined;
    // One that is ended cannot tell what it has computed: it counts as having computed all the time.
    const settle = (keep: boolean, cpuMs = begun === undefined ? 0 : performance.now() - begun) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      worker.release();
      counted(run.tenant, -1);
      if (keep) {
        idle.push(worker);
      } else {
        count--;
        worker.end();
      }
      // May end the run, for which nobody works here any more.
      run.cpu.host(cpuMs);
      startNext();
    };
    const failed = (error: ScriptError) => {
      reject(error);
      settle(false);
    };
    const onAbort = () => failed(cancelled(signal as AbortSignal));
    const report = (said: Report) => {
      if (said.kind === 'begun') {
        begun = performance.now();
        timer = setTimeout(() => failed(new ScriptError('TIMEOUT', `the work took longer than ${deadlineMs} ms`)), deadlineMs);
        return;
      }
      if (said.kind === 'ended') return failed(unpackError(said.error));
      if (said.kind === 'done') resolve(said.value);
      else if (said.kind === 'pieces') joined(said.value, run.cpu).then(resolve, reject);
      else reject(unpackError(said.error));
      settle(true, said.cpuMs);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      worker.start(job, transfer, { report, failed });
    } catch (error) {
      reject(new ScriptError('BAD_ARGUMENT', 'the arguments of the work cannot be copied to where it runs', { cause: error }));
      settle(true);
    }
  }

  return {
    run: (job, options) =>
      new Promise((resolve, reject) => {
        const { signal, run } = options;
        const { tenant } = run;
        if (signal?.aborted) return reject(cancelled(signal));
        const line = lines.get(tenant) ?? [];
        const leave = () => {
          line.splice(line.indexOf(waiting), 1);
          if (line.length === 0) lines.delete(tenant);
          reject(cancelled(signal as AbortSignal));
        };
        const waiting: Waiting = { job, options, resolve, reject, leave };
        line.push(waiting);
        lines.set(tenant, line);
        signal?.addEventListener('abort', leave, { once: true });
        startNext();
      }),
  };
}

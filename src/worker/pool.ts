import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { type Transferable, Worker } from 'node:worker_threads';
import { cancelled } from '../call/run.ts';
import { ScriptError } from '../errors.ts';
import { type Job, type Report, unpackError } from './message.ts';

export interface WorkerOptions {
  /** What the task may compute once it has begun, ms; waiting for a free thread is not counted. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Buffers of `args` that are handed over instead of copied. */
  readonly transfer?: readonly Transferable[] | undefined;
}

/** Sources run as they are or compiled; threads and tasks have the ending that this file has. */
const ENDING = extname(new URL(import.meta.url).pathname);
const PROGRAM = withEnding(new URL('./worker.ts', import.meta.url));
const MOST_THREADS = Math.min(2, availableParallelism());
/** JavaScript heap of one thread; buffers are not counted in it. */
const HEAP_MB = 512;

interface Waiting {
  readonly job: Job;
  readonly options: WorkerOptions;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const queue: Waiting[] = [];
const idle: Worker[] = [];
let threads = 0;

/**
 * Runs the function `run` that a task's module exports, in a thread beside the event loop, and gives what it returns. `task` is the module's URL
 * (`new URL('./parse.ts', import.meta.url)`); arguments and result are copied, so they are data. Throws what the task throws, with the same code,
 * TIMEOUT when it runs past its deadline, CANCELLED when the signal fires, LIMIT_EXCEEDED when it needs too much memory.
 */
export function inWorker<T>(task: URL, args: unknown, options: WorkerOptions): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted) return reject(cancelled(signal));
    const leave = () => {
      const at = queue.indexOf(waiting);
      if (at < 0) return;
      queue.splice(at, 1);
      if (signal) reject(cancelled(signal));
    };
    const waiting: Waiting = { job: { task: withEnding(task).href, args }, options, resolve: (value) => resolve(value as T), reject };
    queue.push(waiting);
    signal?.addEventListener('abort', leave, { once: true });
    startNext();
  });
}

function startNext(): void {
  while (queue.length > 0) {
    const worker = idle.pop() ?? (threads < MOST_THREADS ? createThread() : undefined);
    if (!worker) return;
    runOn(worker, queue.shift() as Waiting);
  }
}

function createThread(): Worker {
  threads++;
  // A task reads no environment; beyond its heap the thread ends, not the process.
  return new Worker(PROGRAM, { execArgv: [], env: {}, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
}

/** One job on one thread. A thread goes back to the idle ones only from a task that has ended by itself. */
function runOn(worker: Worker, { job, options, resolve, reject }: Waiting): void {
  const { signal, deadlineMs } = options;
  let timer: NodeJS.Timeout | undefined;
  const settle = (keep: boolean) => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    worker.off('message', onReport).off('error', onError).off('exit', onExit);
    if (keep) {
      worker.unref();
      idle.push(worker);
    } else {
      threads--;
      // A thread that died may still report it; nobody waits for that any more.
      worker.on('error', () => undefined);
      void worker.terminate();
    }
    startNext();
  };
  const fail = (error: ScriptError) => {
    reject(error);
    settle(false);
  };
  const onAbort = () => fail(cancelled(signal as AbortSignal));
  const onExit = () => fail(new ScriptError('INTERNAL', 'internal error: a thread ended by itself'));
  const onError = (error: unknown) => fail(threadFailure(error));
  const onReport = (report: Report) => {
    if (report.kind === 'begun') {
      timer = setTimeout(() => fail(new ScriptError('TIMEOUT', `the work took longer than ${deadlineMs} ms`)), deadlineMs);
      return;
    }
    if (report.kind === 'done') resolve(report.value);
    else reject(unpackError(report.error));
    settle(true);
  };
  worker.on('message', onReport).on('error', onError).on('exit', onExit);
  signal?.addEventListener('abort', onAbort, { once: true });
  worker.ref();
  try {
    worker.postMessage(job, options.transfer);
  } catch (error) {
    reject(new ScriptError('BAD_ARGUMENT', 'the arguments of the work cannot be copied to a thread', { cause: error }));
    settle(true);
  }
}

function threadFailure(error: unknown): ScriptError {
  if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new ScriptError('LIMIT_EXCEEDED', `the work needs more than the ${HEAP_MB} MB of memory that it may use`);
  return new ScriptError('INTERNAL', 'internal error: a thread failed', { cause: error });
}

function withEnding(url: URL): URL {
  return new URL(url.href.replace(/\.[jt]s$/, ENDING));
}

import { availableParallelism } from 'node:os';
import type { Transferable } from 'node:worker_threads';
import { ScriptError } from '../errors.ts';
import { withEnding } from './ending.ts';
import type { Report } from './message.ts';
import { createPool, type Listener, type Worker, type WorkOptions } from './queue.ts';

const PROGRAM = withEnding(new URL('./worker.ts', import.meta.url));
/** JavaScript heap of one thread; buffers are not counted in it. */
const HEAP_MB = 512;

/** Two at work, and one more where another tenant has jobs. */
const threads = createPool(Math.min(2, availableParallelism()) + 1, createThread);

export interface WorkerOptions extends WorkOptions {
  /** Buffers of `args` that are handed over instead of copied. */
  readonly transfer?: readonly Transferable[] | undefined;
}

/**
 * Runs the function `run` that a task's module exports, in a thread beside the event loop, and gives what it returns. `task` is the module's URL
 * (`new URL('./parse.ts', import.meta.url)`); arguments and result are copied, so they are data. Throws what the task throws, with the same code,
 * TIMEOUT when it runs past its deadline, CANCELLED when the signal fires, LIMIT_EXCEEDED when it needs too much memory. A thread can be ended
 * anywhere in JavaScript but not inside a native function that does not return: `inProcess` is for those.
 */
export function inWorker<T>(task: URL, args: unknown, options: WorkerOptions): Promise<T> {
  return threads.run({ task: withEnding(task).href, args }, options) as Promise<T>;
}

function createThread(): Worker {
  // A task reads no environment; beyond its heap the thread ends, not the process.
  // Loaded here and not at the start of every script.
  const { Worker: Thread } = process.getBuiltinModule('node:worker_threads');
  const thread = new Thread(PROGRAM, { execArgv: [], env: {}, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
  let listener: Listener | undefined;
  thread.on('message', (report: Report) => listener?.report(report));
  thread.on('error', (error) => listener?.failed(failure(error)));
  let ended = false;
  thread.on('exit', () => {
    ended = true;
    listener?.failed(new ScriptError('INTERNAL', 'internal error: a thread ended by itself'));
  });
  return {
    get ended() {
      return ended;
    },
    start(job, transfer, heard) {
      listener = heard;
      thread.ref();
      thread.postMessage(job, transfer);
    },
    release() {
      listener = undefined;
      thread.unref();
    },
    end: () => void thread.terminate(),
  };
}

function failure(error: unknown): ScriptError {
  if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY')
    return new ScriptError('LIMIT_EXCEEDED', `the work needs more than the ${HEAP_MB} MB of memory that it may use`);
  return new ScriptError('INTERNAL', 'internal error: a thread failed', { cause: error });
}

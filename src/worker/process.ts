import { fileURLToPath } from 'node:url';
import { ScriptError } from '../errors.ts';
import { withEnding } from './ending.ts';
import type { Report } from './message.ts';
import { createPool, type Listener, type Worker, type WorkOptions } from './queue.ts';

const PROGRAM = fileURLToPath(withEnding(new URL('./supervisor.ts', import.meta.url)));
/** Two for one tenant, and one more where another has jobs. */
const MOST_PROCESSES = 3;

const processes = createPool(MOST_PROCESSES, createProcess);

/**
 * Runs the function `run` that a task's module exports in a process of its own, under the rules of `inWorker`. It costs more to start, but ends at its
 * deadline even inside a native function that does not return, such as a query.
 */
export function inProcess<T>(task: URL, args: unknown, options: WorkOptions): Promise<T> {
  return processes.run({ task: withEnding(task).href, args }, options) as Promise<T>;
}

function createProcess(): Worker {
  const { SystemRoot } = process.env;
  const child = process.getBuiltinModule('node:child_process').fork(PROGRAM, [], {
    execArgv: [],
    env: SystemRoot === undefined ? {} : { SystemRoot },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  let listener: Listener | undefined;
  let ended = false;
  const failed = () => {
    ended = true;
    listener?.failed(new ScriptError('INTERNAL', 'internal error: a process of the runtime ended by itself'));
  };
  child.on('message', (report: Report) => listener?.report(report));
  child.on('error', failed);
  // Unlike `exit` it comes behind the last message.
  child.on('disconnect', failed);
  return {
    get ended() {
      return ended;
    },
    start(job, _transfer, heard) {
      listener = heard;
      child.ref();
      child.channel?.ref();
      child.send(job);
    },
    release() {
      listener = undefined;
      child.unref();
      child.channel?.unref();
    },
    end: () => void child.kill('SIGKILL'),
  };
}

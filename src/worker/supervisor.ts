// The program of a process that works: its task runs in a thread, so that this one hears when the process that asked has gone, and goes too.
import { Worker } from 'node:worker_threads';
import { withEnding } from './ending.ts';

const thread = new Worker(withEnding(new URL('./worker.ts', import.meta.url)));
process.on('message', (job) => thread.postMessage(job));
thread.on('message', (report) => process.send?.(report));
thread.on('error', () => process.kill(process.pid, 'SIGKILL'));
thread.on('exit', () => process.kill(process.pid, 'SIGKILL'));
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

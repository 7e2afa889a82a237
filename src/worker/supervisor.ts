// The program of a process that works: its task runs in a thread, so that this one can watch it, and goes when the process that asked has gone.
import { memoryUsage } from 'node:process';
import { Worker } from 'node:worker_threads';
import { withEnding } from './ending.ts';
import type { Job, Report } from './message.ts';

/** What the whole process may use, native memory included. */
const MOST_BYTES = 512 * 2 ** 20;
const LOOK_MS = 50;

const thread = new Worker(withEnding(new URL('./worker.ts', import.meta.url)));
const end = () => process.kill(process.pid, 'SIGKILL');
let watch: NodeJS.Timeout | undefined;

process.on('message', (job: Job) => {
  watch = setInterval(look, LOOK_MS);
  thread.postMessage(job);
});
thread.on('message', (report: Report) => {
  if (report.kind !== 'begun') clearInterval(watch);
  process.send?.(report);
});
thread.on('error', end);
thread.on('exit', end);
process.on('disconnect', end);

function look(): void {
  if (memoryUsage.rss() <= MOST_BYTES) return;
  clearInterval(watch);
  const error = { code: 'LIMIT_EXCEEDED', message: `the work needs more than the ${MOST_BYTES / 2 ** 20} MB of memory that it may use` } as const;
  process.send?.({ kind: 'ended', error } satisfies Report, end);
}

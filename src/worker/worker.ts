// The thread's own program: runs one task after the other. A task that never ends is ended from outside.
import { parentPort } from 'node:worker_threads';
import { type Job, packError, type Report } from './message.ts';
import { cut } from './pieces.ts';

const port = parentPort;
if (!port) throw new Error('this file is the program of a thread');
// What libraries print is no output of the run.
for (const stream of [process.stdout, process.stderr]) stream.write = () => true;
const say = (report: Report) => port.postMessage(report);

port.on('message', async ({ task, args }: Job) => {
  let cpu = process.threadCpuUsage();
  const cpuMs = () => {
    const { user, system } = process.threadCpuUsage(cpu);
    return (user + system) / 1000;
  };
  try {
    const { run } = (await import(task)) as { run(args: unknown): unknown };
    say({ kind: 'begun' });
    cpu = process.threadCpuUsage();
    // A result that cannot be copied fails here too and is told like any other error.
    const value = await run(args);
    const pieces = cut(value);
    if (pieces)
      port.postMessage(
        { kind: 'pieces', value: pieces, cpuMs: cpuMs() } satisfies Report,
        pieces.lists.flatMap((list) => list.pieces.map(({ buffer }) => buffer)),
      );
    else say({ kind: 'done', value, cpuMs: cpuMs() });
  } catch (error) {
    say({ kind: 'failed', error: packError(error), cpuMs: cpuMs() });
  }
});

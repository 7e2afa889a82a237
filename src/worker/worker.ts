// The thread's own program: runs one task after the other. A task that never ends is ended from outside.
import { parentPort } from 'node:worker_threads';
import { type Job, packError, type Report } from './message.ts';
import { cut } from './pieces.ts';

/** Bytes are large from here on: no pool has buffers so long. */
const LARGE = 65_536;

const port = parentPort;
if (!port) throw new Error('this file is the program of a thread');
// What libraries print is no output of the run.
for (const stream of [process.stdout, process.stderr]) stream.write = () => true;
const say = (report: Report, transfer: ArrayBuffer[] = []) => port.postMessage(report, transfer);

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
    const report: Report = pieces ? { kind: 'pieces', value: pieces, cpuMs: cpuMs() } : { kind: 'done', value, cpuMs: cpuMs() };
    say(report, pieces ? pieces.lists.flatMap((list) => list.pieces.map(({ buffer }) => buffer)) : ownBuffer(value));
  } catch (error) {
    say({ kind: 'failed', error: packError(error), cpuMs: cpuMs() });
  }
});

/** The buffer of large bytes, handed over instead of copied; those of small ones may be shared. */
function ownBuffer(value: unknown): ArrayBuffer[] {
  return value instanceof Uint8Array && value.length > LARGE && value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
}

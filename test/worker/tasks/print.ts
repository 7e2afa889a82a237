// A whole program: one job, printed, and then an end that no idle thread may delay.
import { Cpu } from '../../../src/call/cpu.ts';
import { inWorker } from '../../../src/worker/pool.ts';
import { inProcess } from '../../../src/worker/process.ts';

const OPTIONS = { deadlineMs: 60_000, run: { tenant: 'default', cpu: new Cpu() } };
console.log(await inWorker(new URL('./sample.ts', import.meta.url), { do: 'echo', value: { n: [1, 2n] } }, OPTIONS));
console.log(await inWorker(new URL('./sample.ts', import.meta.url), { do: 'chatter' }, OPTIONS));
console.log(await inProcess(new URL('./sample.ts', import.meta.url), { do: 'echo', value: { n: [1, 2n] } }, OPTIONS));

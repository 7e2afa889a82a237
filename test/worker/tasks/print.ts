// A whole program: one job, printed, and then an end that no idle thread may delay.
import { inWorker } from '../../../src/worker/pool.ts';
import { inProcess } from '../../../src/worker/process.ts';

console.log(await inWorker(new URL('./sample.ts', import.meta.url), { do: 'echo', value: { n: [1, 2n] } }, { deadlineMs: 60_000 }));
console.log(await inWorker(new URL('./sample.ts', import.meta.url), { do: 'chatter' }, { deadlineMs: 60_000 }));
console.log(await inProcess(new URL('./sample.ts', import.meta.url), { do: 'echo', value: { n: [1, 2n] } }, { deadlineMs: 60_000 }));

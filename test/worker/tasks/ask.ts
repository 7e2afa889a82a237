// A program that asks for work that never ends, and prints who does it.
import { inProcess } from '../../../src/worker/process.ts';

const SAMPLE = new URL('./sample.ts', import.meta.url);
console.log(await inProcess<number>(SAMPLE, { do: 'pid' }, { deadlineMs: 60_000 }));
await inProcess(SAMPLE, { do: 'stuck' }, { deadlineMs: 60_000 });

// A program that asks for work that never ends, and prints who does it.
import { Cpu } from '../../../src/call/cpu.ts';
import { inProcess } from '../../../src/worker/process.ts';

const OPTIONS = { deadlineMs: 60_000, run: { tenant: 'default', cpu: new Cpu() } };
const SAMPLE = new URL('./sample.ts', import.meta.url);
console.log(await inProcess<number>(SAMPLE, { do: 'pid' }, OPTIONS));
await inProcess(SAMPLE, { do: 'stuck' }, OPTIONS);

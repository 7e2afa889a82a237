// Prints the memory of one more waiting script in the language that is named, MB; a process of its own, so that nothing else has grown.
import type { Language } from '../src/index.ts';
import { open, waiting } from './ours.ts';

const ours = await open();
console.log(await waiting(ours, process.argv[2] as Language));
await ours.close();
process.exit(0);

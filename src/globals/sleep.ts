import { builtinGlobal, method } from '../call/define.ts';
import { MOST_MS } from '../config/config.ts';
import { z } from '../zod.ts';

/** Waiting. */
export const sleepGlobal = builtinGlobal({
  name: 'sleep',
  doc: 'Waits.',
  methods: {},
  callable: method({
    doc: 'Waits for so many milliseconds; other functions of the script go on meanwhile.',
    params: {
      ms: z.number().min(0).max(MOST_MS),
    },
    result: z.void(),
    effect: 'wait',
    examples: [{ lua: `sleep(5)`, javascript: `sleep(5)` }],
    handler: ({ ms }, context) => context.run.sleep(ms, context.signal),
  }),
});

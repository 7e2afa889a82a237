import { z } from 'zod';
import type { Context } from '../call/context.ts';
import { defineGlobal, method } from '../call/define.ts';
import { cancelled } from '../call/run.ts';
import { anyValue, callback } from '../call/schema.ts';
import type { Callback, Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';

const options = z.strictObject({ max_concurrency: z.int().min(1).optional().meta({ description: 'as many at once; all if not given' }) });

/** Concurrency in a script. */
export const parallelGlobal = defineGlobal({
  name: 'parallel',
  doc: 'Runs functions side by side.',
  methods: {},
  callable: method({
    doc: 'Runs each function of a list, or one function for each item, on a fiber of its own: `parallel({f, g})` or `parallel(items, function(item, index) … end)`. Their waits overlap, results keep their order, the first error cancels the rest.',
    params: { tasks: z.array(anyValue), fn: z.union([callback('(item: any, index: number) => any'), options]).optional(), options: options.optional() },
    result: z.array(anyValue),
    effect: 'wait',
    examples: [
      {
        lua: `print(parallel({function() sleep(5) return "a" end, function() sleep(5) return "b" end}))\nprint(parallel({1, 2, 3}, function(n) sleep(1) return n * n end, {max_concurrency = 2}))`,
        javascript: `print(parallel([() => { sleep(5); return "a" }, () => { sleep(5); return "b" }]))\nprint(parallel([1, 2, 3], n => { sleep(1); return n * n }, {max_concurrency: 2}))`,
      },
    ],
    handler({ tasks, fn, options: given }, context) {
      const each = typeof fn === 'function' ? fn : undefined;
      const { max_concurrency = tasks.length } = given ?? (typeof fn === 'object' ? fn : {});
      const first = context.run.language === 'lua' ? 1 : 0;
      return runAll(
        context,
        max_concurrency,
        tasks.map((task, at) => (each ? { fn: each, args: [task, at + first] } : { fn: functionAt(task, at + first), args: [] })),
      );
    },
  }),
});

function functionAt(task: Value, position: number): Callback {
  if (typeof task === 'function') return task;
  throw new ScriptError(
    'BAD_ARGUMENT',
    `parallel: tasks[${position}]: expected a function (or give the function for all items as second argument), got ${task === null ? 'nil' : typeof task}`,
  );
}

async function runAll(context: Context, atOnce: number, tasks: readonly { fn: Callback; args: Value[] }[]): Promise<Value[]> {
  const abort = new AbortController();
  const signal = AbortSignal.any([context.signal, abort.signal]);
  const results: Value[] = new Array(tasks.length).fill(null);
  let failure: { error: unknown } | undefined;
  let next = 0;
  const work = async () => {
    while (next < tasks.length && !failure) {
      const at = next++;
      const { fn, args } = tasks[at] as { fn: Callback; args: Value[] };
      try {
        results[at] = await context.invoke(fn, args, { signal });
      } catch (error) {
        failure ??= { error };
        abort.abort(new ScriptError('CANCELLED', 'another function of the same parallel() failed'));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, tasks.length) }, work));
  if (context.signal.aborted) throw cancelled(context.signal);
  if (failure) throw failure.error;
  return results;
}

import { Failure } from '../call/check/failure.ts';
import type { Language } from '../call/context.ts';
import { builtinGlobal, method } from '../call/define.ts';
import { anyValue, callback } from '../call/schema.ts';
import { sideBySide } from '../call/side-by-side.ts';
import type { Callback, Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { z } from '../zod.ts';

const options = z.strictObject({ max_concurrency: z.int().min(1).optional().describe('as many at once; all if not given') });

/** Concurrency in a script. */
export const parallelGlobal = builtinGlobal({
  name: 'parallel',
  doc: 'Runs functions side by side.',
  methods: {},
  callable: method({
    doc: 'Runs each function of a list, or one function for each item, on a fiber of its own: `parallel({f, g})` or `parallel(items, function(item, index) … end)`. Their waits overlap, results keep their order, the first error cancels the rest.',
    params: { tasks: z.array(anyValue), fn: z.union([callback('(item: any, index: number) => any'), options]).optional(), options: options.optional() },
    result: z.array(anyValue),
    effect: 'wait',
    only_callbacks: true,
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
      const calls = tasks.map((task, at) =>
        each ? { fn: each, args: [task, at + first] } : { fn: functionAt(task, at + first, context.run.language), args: [] },
      );
      return sideBySide(context, calls, (inside, { fn, args }) => inside.invoke(fn, args, { signal: inside.signal }), {
        atOnce: max_concurrency,
        why: 'another function of the same parallel() failed',
      });
    },
  }),
});

function functionAt(task: Value, position: number, language: Language): Callback {
  if (typeof task === 'function') return task;
  const failure = new Failure('a function (or give the function for all items as second argument)', task);
  throw new ScriptError('BAD_ARGUMENT', `parallel: ${failure.message(`tasks[${position}]`, language)}`);
}

import { builtinGlobal, method } from '../call/define.ts';
import { anyValue, keptCallback } from '../call/schema.ts';
import { whenReady } from '../call/soon.ts';
import type { ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { PRIORITIES } from '../hook/hook.ts';
import { hooks } from '../hook/hooks.ts';
import { HOOK_POINTS } from '../hook/points.ts';
import { z } from '../zod.ts';

const priority = z.enum(PRIORITIES);

const registerOptions = z.strictObject({
  priority: priority.optional(),
  on_error: z.enum(['continue', 'fail']).optional().describe('what an error of the hook does to the operation; continue if not given'),
  timeout_ms: z.int().min(1).max(600_000).optional().describe('1,000 if not given'),
});

const info = z.object({
  id: z.string(),
  hook_point: z.string(),
  priority,
  language: z.string(),
  source: z.enum(['host', 'script', 'builtin']),
  paused: z.boolean(),
  on_error: z.enum(['continue', 'fail']),
  timeout_ms: z.int(),
  calls: z.int(),
  failures: z.int(),
  circuit: z.enum(['open', 'closed']).describe('open: left out for 30 s after five failures in a row'),
});

/** Functions that run inside the runtime's operations. */
export const hookGlobal = builtinGlobal({
  name: 'Hook',
  doc: 'Functions that run before and after what the runtime does. A hook gets `ctx` (`point`, `id`, `name`, `input`, `output`, `error`, `duration_ms`, …) and may answer with nothing, `{continue_execution = false, reason}` (the operation raises HOOK_REJECTED), `{input = …}`, `{output = …}`, `{retry = {max_attempts, delay_ms}}` or `{skip = true, output = …}`.',
  methods: {
    register: method({
      doc: 'Registers a hook at a point, which may hold `*`, and gives its id. Order is priority, then registration. One that throws or takes too long is reported and left out, unless `on_error = "fail"`.',
      params: { point: z.string(), handler: keptCallback('(ctx: any) => any'), options: z.union([priority, registerOptions]).optional() },
      result: z.string(),
      effect: 'write',
      keeps: true,
      examples: [
        {
          lua: `Hook.register("state:before_save", function(ctx) print("saving " .. ctx.input.key) end, "high")\nState.save("global", "answer", 42)`,
          javascript: `Hook.register("state:before_save", ctx => { print("saving " + ctx.input.key) }, "high")\nState.save("global", "answer", 42)`,
        },
      ],
      handler: ({ point, handler, options }, context) =>
        context.run.get(hooks).register(context, point, handler, typeof options === 'string' ? { priority: options } : options),
    }),
    unregister: method({
      doc: 'Removes a hook of this script; says whether there was one.',
      params: { id: z.string() },
      result: z.boolean(),
      effect: 'write',
      examples: [{ lua: `print(Hook.unregister("hook_9"))`, javascript: `print(Hook.unregister("hook_9"))` }],
      handler: ({ id }, { run }) => run.get(hooks).unregister(id),
    }),
    list: method({
      doc: 'The hooks that apply, in the order in which they run; `hook_point` may be a pattern.',
      params: { filter: z.strictObject({ hook_point: z.string().optional(), language: z.string().optional(), priority: priority.optional() }).default({}) },
      result: z.array(info),
      effect: 'read',
      examples: [
        {
          lua: `Hook.register("agent:before_execution", function() end, "high")\nprint(#Hook.list({hook_point = "agent:*", language = "lua", priority = "high"}))`,
          javascript: `Hook.register("agent:before_execution", () => {}, "high")\nprint(Hook.list({hook_point: "agent:*", language: "javascript", priority: "high"}).length)`,
        },
      ],
      handler: ({ filter }, context) => context.run.get(hooks).list(context, filter),
    }),
    pause: method({
      doc: 'Leaves a hook of this script out until `resume`; says whether there is one.',
      params: { id: z.string() },
      result: z.boolean(),
      effect: 'write',
      examples: [
        {
          lua: `local id = Hook.register("tool:*:before_execution", function() end)\nHook.pause(id)\nHook.resume(id)`,
          javascript: `const id = Hook.register("tool:*:before_execution", () => {})\nHook.pause(id)\nHook.resume(id)`,
        },
      ],
      handler: ({ id }, { run }) => run.get(hooks).pause(id),
    }),
    resume: method({
      doc: 'Takes a paused hook in again; says whether there is one.',
      params: { id: z.string() },
      result: z.boolean(),
      effect: 'write',
      examples: [{ lua: `print(Hook.resume("hook_9"))`, javascript: `print(Hook.resume("hook_9"))` }],
      handler: ({ id }, { run }) => run.get(hooks).resume(id),
    }),
    list_points: method({
      doc: 'Every point that the runtime fires, with when.',
      params: {},
      result: z.array(z.object({ point: z.string(), description: z.string() })),
      effect: 'pure',
      examples: [{ lua: `print(Hook.list_points()[1].point)`, javascript: `print(Hook.list_points()[0].point)` }],
      handler: () => Object.entries(HOOK_POINTS).map(([point, description]) => ({ point, description })),
    }),
    fire: method({
      doc: "Fires a point of the script's own, `custom:<name>`, whose hooks get `input` and `output`; gives what hooks made of `input` and `output`, or raises HOOK_REJECTED.",
      params: {
        name: z
          .string()
          .max(256)
          .regex(/^[\w-]+(?:[.:][\w-]+)*$/),
        fields: z.strictObject({ input: anyValue.optional(), output: anyValue.optional() }).default({}),
      },
      result: z.object({ input: anyValue, output: anyValue, skip: z.boolean() }),
      effect: 'wait',
      examples: [
        {
          lua: `Hook.register("custom:greet", function(ctx) return {output = "hello " .. ctx.input} end)\nprint(Hook.fire("greet", {input = "Ada", output = ""}).output)`,
          javascript: `Hook.register("custom:greet", ctx => ({output: "hello " + ctx.input}))\nprint(Hook.fire("greet", {input: "Ada", output: ""}).output)`,
        },
      ],
      handler: ({ name, fields }, context) =>
        whenReady(context.run.get(hooks).fire(context, `custom:${name}`, fields as ValueMap), ({ veto, input, output, skip }) => {
          if (veto !== undefined) throw new ScriptError('HOOK_REJECTED', `refused by a hook at custom:${name}: ${veto}`);
          return { input, output, skip };
        }),
    }),
  },
});

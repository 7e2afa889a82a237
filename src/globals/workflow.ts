import { builtinGlobal, defineHandle, handleMethod, method } from '../call/define.ts';
import { lines } from '../call/lines.ts';
import { anyMap, anyValue, handle, keptCallback } from '../call/schema.ts';
import { whenReady } from '../call/soon.ts';
import { MOST_MS } from '../config/config.ts';
import { events } from '../event/bus.ts';
import { WORKFLOW_HANDLE } from '../workflow/handle.ts';
import type { WorkflowKind } from '../workflow/kind.ts';
import { KINDS } from '../workflow/kinds/index.ts';
import type { Workflow } from '../workflow/workflow.ts';
import { WORKFLOW_RUN_HANDLE, WorkflowRun, workflows } from '../workflow/workflows.ts';
import { z } from '../zod.ts';

const common = {
  name: z.string(),
  description: z.string().optional(),
  error_strategy: z.enum(['fail', 'continue']).optional().describe('what a failed step does to the rest; fail if not given'),
  timeout_ms: z.int().min(1).max(MOST_MS).optional(),
};
const workflowHandle = handle(WORKFLOW_HANDLE);
const record = z.object({
  name: z.string(),
  branch: z.string().optional().describe('of a parallel workflow'),
  index: z.int().optional().describe('the turn of a loop or map, counted as `$loop.index`'),
  status: z.enum(['completed', 'failed', 'skipped', 'cancelled']),
  output: anyValue.optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
  duration_ms: z.number(),
  attempts: z.int(),
  usage: anyMap.optional(),
});
const result = z.object({
  success: z.boolean(),
  output: anyValue.optional(),
  outputs: anyMap,
  steps: z.array(record),
  duration_ms: z.number(),
  workflow_id: z.string(),
});
const info = z.object({ name: z.string(), kind: z.string(), description: z.string() });

const TWICE = {
  lua: 'local workflow = Workflow.sequential({name = "twice", steps = {{name = "double", handler = function(ctx) return ctx.input * 2 end}}})\n',
  javascript: 'const workflow = Workflow.sequential({name: "twice", steps: [{name: "double", handler: ctx => ctx.input * 2}]})\n',
};
const example = (lua: string, javascript: string) => [{ lua: TWICE.lua + lua, javascript: TWICE.javascript + javascript }];

/** The method that makes workflows of a kind. */
function kindMethod({ name, doc, options, examples, plan }: WorkflowKind) {
  return method({
    doc,
    params: { spec: z.strictObject({ ...common, ...options }) },
    result: workflowHandle,
    effect: 'write',
    keeps: true,
    examples,
    handler: ({ spec: { name: given, description, error_strategy, timeout_ms, ...spec } }, context) =>
      context.run.get(workflows).create(context, name, { name: given, description, error_strategy, timeout_ms }, plan(spec)),
  });
}

/** Workflows: steps of tools, agents, functions and other workflows. */
export const workflowGlobal = builtinGlobal({
  name: 'Workflow',
  doc: 'Workflows: steps of tools, agents, functions and other workflows, nested to any depth. Strings of a step may refer to `$input`, `$name.output`, `$step1.output`, `$loop.value`, `$loop.index` and `$state.scope.key` (`$state["agent:ada"].key` where the scope has a colon); `$$` is a dollar sign. Positions in references count as in the language of the script. A step is `{name?, tool + input | agent + prompt | workflow + input | handler, when?, retries?, backoff_ms?, timeout_ms?, on_error?}`.',
  methods: {
    ...Object.fromEntries(KINDS.map((kind) => [kind.name, kindMethod(kind)])),
    list: method({
      doc: 'Every workflow of this run.',
      params: {},
      result: z.array(info),
      effect: 'read',
      examples: example(`print(Workflow.list()[1].name)`, `print(Workflow.list()[0].name)`),
      handler: (_, { run }) =>
        run
          .get(workflows)
          .list()
          .map(({ name, kind, options }) => ({ name, kind, description: options.description ?? '' })),
    }),
    get: method({
      doc: 'The workflow of a name, nil when there is none.',
      params: { name: z.string() },
      result: workflowHandle.nullable(),
      effect: 'read',
      examples: example(`print(Workflow.get("twice") == workflow)`, `print(Workflow.get("twice") === workflow)`),
      handler: ({ name }, { run }) => run.get(workflows).get(name) ?? null,
    }),
    types: method({
      doc: 'The kinds of workflows.',
      params: {},
      result: z.array(z.string()),
      effect: 'pure',
      examples: [{ lua: `print(Workflow.types())`, javascript: `print(Workflow.types())` }],
      handler: () => KINDS.map(({ name }) => name),
    }),
  },
  handles: [
    defineHandle<Workflow>({
      type: WORKFLOW_HANDLE,
      doc: 'A workflow; `name` and `kind` are its fields.',
      methods: {
        execute: handleMethod<Workflow>()({
          doc: 'Runs the workflow. A map whose only key is `input` stands for that value. Raises STEP_FAILED when a step fails for good; `details` then holds what the result would.',
          params: { input: anyValue.optional() },
          result,
          effect: 'external',
          only_callbacks: 'when_idle',
          examples: example(`print(workflow:execute({input = 21}).output)`, `print(workflow.execute({input: 21}).output)`),
          handler: ({ self, input }, context) => context.run.get(lines).counted(context, () => self.execute(context, input ?? null)),
        }),
        execute_async: handleMethod<Workflow>()({
          doc: 'Starts the workflow, which goes on by itself.',
          params: { input: anyValue.optional() },
          result: handle(WORKFLOW_RUN_HANDLE),
          effect: 'external',
          keeps: true,
          examples: example(`print(workflow:execute_async(4):wait().output)`, `print(workflow.execute_async(4).wait().output)`),
          handler: ({ self, input }, context) => new WorkflowRun(context, self, input ?? null),
        }),
        validate: handleMethod<Workflow>()({
          doc: 'Finds references that lead nowhere, unknown tools, agents and workflows, and cycles, without running anything. Stops at 100 errors; a workflow that several steps run is looked at once.',
          params: {},
          result: z.object({ valid: z.boolean(), errors: z.array(z.object({ step: z.string(), message: z.string() })) }),
          effect: 'read',
          examples: example(`print(workflow:validate().valid)`, `print(workflow.validate().valid)`),
          handler: ({ self }, context) => whenReady(self.validate(context), (errors) => ({ valid: errors.length === 0, errors })),
        }),
        describe: handleMethod<Workflow>()({
          doc: 'The workflow as data: `name`, `kind`, `description` and `parts`, its branches or its body, with the steps of each: `name`, `action`, under the name of that what it runs, and whatever else is set of it but functions.',
          params: {},
          result: anyMap,
          effect: 'read',
          examples: example(`print(workflow:describe().parts[1].steps[1].action)`, `print(workflow.describe().parts[0].steps[0].action)`),
          handler: ({ self }) => self.describe(),
        }),
        diagram: handleMethod<Workflow>()({
          doc: 'The workflow as a Mermaid flowchart.',
          params: {},
          result: z.string(),
          effect: 'read',
          examples: example(`print(workflow:diagram())`, `print(workflow.diagram())`),
          handler: ({ self }) => self.diagram(),
        }),
        on: handleMethod<Workflow>()({
          doc: 'Calls a function at the events `started`, `completed`, `failed` or `step` (of any step) of this workflow; gives the id of the subscription.',
          params: { event: z.enum(['started', 'completed', 'failed', 'step']), handler: keptCallback('(event: LlmspellEvent) => any') },
          result: z.string(),
          effect: 'write',
          examples: example(
            `workflow:on("completed", function(event) print(event.payload.name) end)\nworkflow:execute(1)`,
            `workflow.on("completed", event => print(event.payload.name))\nworkflow.execute(1)`,
          ),
          handler: ({ self, event, handler }, context) =>
            context.run.get(events).subscribe(context, event === 'step' ? `workflow.${self.name}.step.**` : `workflow.${self.name}.${event}`, handler),
        }),
      },
    }),
    defineHandle<WorkflowRun>({
      type: WORKFLOW_RUN_HANDLE,
      doc: 'A workflow that goes on by itself.',
      methods: {
        wait: handleMethod<WorkflowRun>()({
          doc: 'Waits for the result, or raises what the workflow raised.',
          params: {},
          result,
          effect: 'wait',
          examples: example(`print(workflow:execute_async(4):wait().output)`, `print(workflow.execute_async(4).wait().output)`),
          handler: ({ self }) => self.result,
        }),
        status: handleMethod<WorkflowRun>()({
          doc: 'Where it stands.',
          params: {},
          result: z.enum(['running', 'completed', 'failed', 'cancelled']),
          effect: 'read',
          examples: example(
            `local going = workflow:execute_async(4)\ngoing:wait()\nprint(going:status())`,
            `const going = workflow.execute_async(4)\ngoing.wait()\nprint(going.status())`,
          ),
          handler: ({ self }) => self.status,
        }),
        cancel: handleMethod<WorkflowRun>()({
          doc: 'Cancels it, down to the call that is under way; says whether it was still running.',
          params: {},
          result: z.boolean(),
          effect: 'write',
          examples: example(`print(workflow:execute_async(4):cancel())`, `print(workflow.execute_async(4).cancel())`),
          handler: ({ self }) => self.cancel(),
        }),
      },
    }),
  ],
});

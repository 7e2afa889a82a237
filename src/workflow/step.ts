import { AGENT_HANDLE } from '../agent/agent.ts';
import { quoted } from '../call/check/failure.ts';
import { anyMap, anyValue, handle, keptCallback } from '../call/schema.ts';
import type { Callback, Value, ValueMap } from '../call/value.ts';
import { MOST_MS } from '../config/config.ts';
import { ScriptError } from '../errors.ts';
import { TOOL_HANDLE } from '../tool/tool.ts';
import { z } from '../zod.ts';
import { WORKFLOW_HANDLE } from './handle.ts';

/** Names that mean something else in references and in `ctx`. */
export const RESERVED = ['input', 'steps', 'loop', 'state', 'workflow'] as const;
const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
/** The longest name of a branch. */
const MOST_BRANCH_NAME = 200;

/** What decides: a function of `ctx`, a reference, or a constant. */
export const condition = z.union([keptCallback('(ctx: any) => any'), z.string(), z.boolean()]);
export type Condition = Callback | string | boolean;

/** A step as scripts write it. */
export const stepSchema = z.strictObject({
  name: z.string().optional().describe('an identifier; step1, step2, … if not given'),
  tool: z.union([z.string(), handle(TOOL_HANDLE)]).optional(),
  input: anyValue.optional().describe('of a tool or workflow; strings may hold references'),
  agent: z.union([handle(AGENT_HANDLE), z.string()]).optional(),
  prompt: z.string().optional(),
  options: z
    .strictObject({
      input: anyValue.optional(),
      context: anyValue.optional(),
      output_schema: anyMap.optional(),
      temperature: z.number().min(0).max(2).optional(),
      max_tokens: z.int().min(1).optional(),
    })
    .optional()
    .describe('of an agent step, as in `agent:execute`; strings may hold references'),
  workflow: z.union([handle(WORKFLOW_HANDLE), z.string()]).optional(),
  handler: keptCallback('(ctx: any) => any').optional(),
  when: condition.optional().describe('the step is skipped unless it is true, as the language of the script sees truth'),
  retries: z.int().min(0).max(100).optional(),
  backoff_ms: z.number().min(0).max(600_000).optional().describe('before the first retry; doubles, with jitter; 100 if not given'),
  timeout_ms: z.int().min(1).max(MOST_MS).optional().describe('of one attempt'),
  on_error: z.union([z.enum(['fail', 'continue', 'retry']), keptCallback('(error: any, ctx: any) => any')]).optional(),
});

export type StepSpec = z.output<typeof stepSchema>;

/** A step with its name. */
export type Step = StepSpec & { readonly name: string };

/** What a step does. */
export type Action = 'tool' | 'agent' | 'workflow' | 'handler';

/** Steps with their names. Throws BAD_ARGUMENT that names the step and what is wrong. */
export function namedSteps(method: string, specs: readonly StepSpec[], taken: ReadonlySet<string> = new Set()): Step[] {
  const names = new Set(taken);
  return specs.map((spec, at) => {
    const name = spec.name ?? `step${at + 1}`;
    const wrong = problemOf(spec, name, names);
    if (wrong) throw new ScriptError('BAD_ARGUMENT', `${method}: step ${quoted(name)}: ${wrong}`);
    names.add(name);
    return { ...spec, name };
  });
}

/** Branches as they are. Throws BAD_ARGUMENT for a name that is empty, too long or taken. */
export function namedParts<T extends { readonly name: string }>(method: string, parts: readonly T[]): readonly T[] {
  const taken = new Set<string>();
  for (const [at, { name }] of parts.entries()) {
    if (name === '') throw new ScriptError('BAD_ARGUMENT', `${method}: branch ${at + 1}: name: expected some text`);
    if (name.length > MOST_BRANCH_NAME)
      throw new ScriptError('BAD_ARGUMENT', `${method}: branch ${at + 1}: name: expected at most ${MOST_BRANCH_NAME} characters, got ${name.length}`);
    if (taken.has(name)) throw new ScriptError('BAD_ARGUMENT', `${method}: branch ${quoted(name)}: name: there is a branch of this name already`);
    taken.add(name);
  }
  return parts;
}

function problemOf(spec: StepSpec, name: string, taken: ReadonlySet<string>): string | undefined {
  if (!NAME.test(name)) return 'name: expected an identifier of up to 64 letters, digits, _ and -';
  if ((RESERVED as readonly string[]).includes(name)) return `name: ${name} is reserved`;
  if (taken.has(name)) return 'name: there is a step of this name already';
  const actions = (['tool', 'agent', 'workflow', 'handler'] as const).filter((action) => spec[action] !== undefined);
  if (actions.length !== 1) return `expected one of tool, agent, workflow and handler, got ${actions.length === 0 ? 'none' : actions.join(' and ')}`;
  if (spec.agent !== undefined && spec.prompt === undefined) return 'prompt: an agent step needs one';
  for (const option of ['prompt', 'options'] as const)
    if (spec.agent === undefined && spec[option] !== undefined) return `${option}: only an agent step has ${option === 'prompt' ? 'one' : 'them'}`;
  if (spec.agent !== undefined && spec.input !== undefined) return 'input: an agent step has a prompt; data for it is options.input';
  if (spec.handler !== undefined && spec.input !== undefined) return 'input: a handler gets ctx; only tool and workflow steps have an input';
  return undefined;
}

export function actionOf(step: Step): Action {
  return step.tool !== undefined ? 'tool' : step.agent !== undefined ? 'agent' : step.workflow !== undefined ? 'workflow' : 'handler';
}

/** The name of the tool, agent or workflow that a step runs; undefined of a handler. */
export function targetOf({ tool, agent, workflow }: Step): string | undefined {
  const target = tool ?? agent ?? workflow;
  return typeof target === 'string' ? target : target?.name;
}

/** A step as data: what it runs, by name, and whatever else is set but functions. */
export function describeStep(step: Step): ValueMap {
  const action = actionOf(step);
  const target = targetOf(step);
  const plain = Object.entries(step).filter(([, value]) => value !== undefined && typeof value !== 'function');
  return { name: step.name, action, ...(Object.fromEntries(plain) as ValueMap), ...(target !== undefined && { [action]: target }) };
}

/** Everything in a step that may hold references. */
export function referencing(step: Step): Value[] {
  const conditions = typeof step.when === 'string' ? [step.when] : [];
  return [step.input ?? null, step.prompt ?? null, (step.options as ValueMap | undefined) ?? null, ...conditions];
}

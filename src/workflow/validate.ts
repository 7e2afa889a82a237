import { agents } from '../agent/agents.ts';
import type { Context } from '../call/context.ts';
import { MAX_DEPTH, tools } from '../tool/registry.ts';
import type { Part, Plan } from './kind.ts';
import { type Reference, referencesIn } from './reference.ts';
import { type Condition, referencing, type Step } from './step.ts';
import type { Workflow } from './workflow.ts';
import { workflows } from './workflows.ts';

/** What is wrong with a workflow; `step` is empty where it concerns none. */
export type Problem = { step: string; message: string };

/** Everything that can be known to fail before anything runs: references that lead nowhere, unknown tools, agents and workflows, cycles. */
export function problemsOf(context: Context, plan: Plan, path: readonly string[], sound = new Set<Workflow>()): Problem[] {
  const outside = (plan.values ?? []).flatMap((value) => referencesIn(value).flatMap((reference) => checkReference(reference, new Set(), false, [])));
  return [...outside.map((message) => ({ step: '', message })), ...plan.parts.flatMap((part) => problemsOfPart(context, part, path, sound))];
}

function problemsOfPart(context: Context, { steps, turns = false, before = [], after = [] }: Part, path: readonly string[], sound: Set<Workflow>): Problem[] {
  const names = steps.map(({ name }) => name);
  const known = new Set<string>();
  const problems: Problem[] = [];
  const checkCondition = (condition: Condition) => {
    if (typeof condition !== 'string') return;
    for (const message of referencesIn(condition).flatMap((reference) => checkReference(reference, known, turns, names))) problems.push({ step: '', message });
  };
  before.forEach(checkCondition);
  for (const [at, step] of steps.entries()) {
    const say = (message: string) => problems.push({ step: step.name, message });
    for (const reference of referencing(step).flatMap(referencesIn)) for (const message of checkReference(reference, known, turns, names)) say(message);
    for (const message of unknownParts(context, step, path, sound)) say(message);
    known.add(step.name);
    known.add(`step${at + 1}`);
  }
  after.forEach(checkCondition);
  return problems;
}

function checkReference({ text, root, path }: Reference, known: ReadonlySet<string>, turns: boolean, names: readonly string[]): string[] {
  if (root === 'input' || root === 'state') return [];
  if (root === 'loop') return turns ? [] : [`the reference ${text} leads nowhere: there is no loop around it`];
  if (!known.has(root))
    return [
      names.includes(root)
        ? `the reference ${text} is to a step that comes later`
        : `the reference ${text} leads nowhere: there is no step ${root} before this one`,
    ];
  return path[0] === 'output' || path[0] === 'status' || path[0] === 'usage'
    ? []
    : [`the reference ${text} leads nowhere: of a step there is .output, .status and .usage`];
}

function unknownParts(context: Context, { tool, agent, workflow }: Step, path: readonly string[], sound: Set<Workflow>): string[] {
  const { run } = context;
  if (typeof tool === 'string' && !run.get(tools).has(tool)) return [run.get(tools).unknown(tool)];
  if (typeof agent === 'string' && !run.get(agents).get(agent)) return [`there is no agent "${agent}"`];
  if (workflow === undefined) return [];
  const found = typeof workflow === 'string' ? run.get(workflows).get(workflow) : (workflow as unknown as Workflow);
  if (!found) return [`there is no workflow "${String(workflow)}"`];
  if (path.includes(found.name)) return [`a cycle: ${[...path, found.name].join(' → ')}`];
  // What is nested deeper never runs.
  if (path.length > MAX_DEPTH || sound.has(found)) return [];
  const problems = problemsOf(context, found.plan, [...path, found.name], sound);
  if (problems.length === 0) sound.add(found);
  return problems.map(({ step, message }) => `in workflow ${found.name}: ${step === '' ? '' : `step ${step}: `}${message}`);
}

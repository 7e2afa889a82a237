import { agents } from '../agent/agents.ts';
import { doneInTurns } from '../call/breath.ts';
import { quoted } from '../call/check/failure.ts';
import type { Context } from '../call/context.ts';
import type { Soon } from '../call/soon.ts';
import type { Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { tools } from '../tool/registry.ts';
import type { Part, Plan } from './kind.ts';
import { type Reference, referencesIn } from './reference.ts';
import { referencing, type Step } from './step.ts';
import type { Workflow } from './workflow.ts';
import { workflows } from './workflows.ts';

/** What is wrong with a workflow; `step` is empty where it concerns none. */
export type Problem = { step: string; message: string };

/** A step that runs another workflow, which is to be looked at too. */
type Nested = { step: string; workflow: Workflow };

/** Problems that are looked for. */
const MOST_PROBLEMS = 100;
/** Names at either end of a cycle that are told. */
const SHOWN_NAMES = 8;

/**
 * What can be known to fail before anything runs: references that lead nowhere, unknown tools, agents and workflows, cycles. Stops at so many. A workflow is
 * looked at once, however many steps run it.
 */
export function problemsOf(context: Context, workflow: Workflow, most = MOST_PROBLEMS): Soon<Problem[]> {
  return doneInTurns(context.run.cpu, search(context, workflow, most));
}

function* search(context: Context, workflow: Workflow, most: number): Generator<undefined, Problem[]> {
  const problems: Problem[] = [];
  const seen = new Set([workflow]);
  // Those that are being looked at, each but the first by a step of the one before.
  const open = [{ workflow, step: '', checks: checksOf(context, workflow.plan) }];
  const around = new Set(seen);
  for (let last = open.at(-1); last && problems.length < most; last = open.at(-1)) {
    const { name } = last.workflow;
    const { value: found, done } = last.checks.next();
    const say = ({ step, message }: Problem) => {
      const nested = `in workflow ${name}: ${step === '' ? '' : `step ${step}: `}${message}`;
      problems.push(open.length === 1 ? { step, message } : { step: open[1]?.step ?? '', message: nested });
    };
    if (done) {
      open.pop();
      around.delete(last.workflow);
    } else if (found === undefined) yield;
    else if ('message' in found) say(found);
    else if (around.has(found.workflow)) say({ step: found.step, message: `a cycle: ${chain([...open, found].map((one) => one.workflow.name))}` });
    else if (!seen.has(found.workflow)) {
      seen.add(found.workflow);
      around.add(found.workflow);
      open.push({ ...found, checks: checksOf(context, found.workflow.plan) });
    }
  }
  return problems;
}

function chain(names: readonly string[]): string {
  const shown = names.length > 2 * SHOWN_NAMES ? [...names.slice(0, SHOWN_NAMES), '…', ...names.slice(-SHOWN_NAMES)] : names;
  return shown.join(' → ');
}

/** The problems of one workflow and the steps that run others, in steps. */
function* checksOf(context: Context, { values = [], parts }: Plan): Generator<Problem | Nested | undefined, void> {
  const nothing = new Set<string>();
  for (const value of values) yield* checkReferences('', value, nothing, false, nothing);
  for (const part of parts) yield* checksOfPart(context, part);
}

function* checksOfPart(context: Context, { steps, turns = false, before = [], after = [] }: Part): Generator<Problem | Nested | undefined, void> {
  const names = new Set(steps.map(({ name }) => name));
  const known = new Set<string>();
  for (const condition of before) if (typeof condition === 'string') yield* checkReferences('', condition, known, turns, names);
  for (const [at, step] of steps.entries()) {
    yield;
    for (const value of referencing(step)) yield* checkReferences(step.name, value, known, turns, names);
    const found = checkTarget(context, step);
    if (typeof found === 'string') yield { step: step.name, message: found };
    else if (found) yield { step: step.name, workflow: found };
    known.add(step.name);
    known.add(`step${at + 1}`);
  }
  for (const condition of after) if (typeof condition === 'string') yield* checkReferences('', condition, known, turns, names);
}

function* checkReferences(
  step: string,
  value: Value,
  known: ReadonlySet<string>,
  turns: boolean,
  names: ReadonlySet<string>,
): Generator<Problem | undefined, void> {
  try {
    for (const reference of referencesIn(value)) {
      const message = reference && checkReference(reference, known, turns, names);
      yield message === undefined ? undefined : { step, message };
    }
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    yield { step, message: error.message };
  }
}

function checkReference({ text, root, path }: Reference, known: ReadonlySet<string>, turns: boolean, names: ReadonlySet<string>): string | undefined {
  if (root === 'input' || root === 'state') return undefined;
  if (root === 'loop') return turns ? undefined : `the reference ${text} leads nowhere: there is no loop around it`;
  if (!known.has(root))
    return names.has(root)
      ? `the reference ${text} is to a step that comes later`
      : `the reference ${text} leads nowhere: there is no step ${root} before this one`;
  return path[0] === 'output' || path[0] === 'status' || path[0] === 'usage'
    ? undefined
    : `the reference ${text} leads nowhere: of a step there is .output, .status and .usage`;
}

/** The workflow that a step runs, or that what it runs does not exist. */
function checkTarget({ run }: Context, { tool, agent, workflow }: Step): string | Workflow | undefined {
  if (typeof tool === 'string') return run.get(tools).has(tool) ? undefined : run.get(tools).unknown(tool);
  if (typeof agent === 'string') return run.get(agents).get(agent) ? undefined : `there is no agent ${quoted(agent)}`;
  if (typeof workflow !== 'string') return workflow as Workflow | undefined;
  return run.get(workflows).get(workflow) ?? `there is no workflow ${quoted(workflow)}`;
}

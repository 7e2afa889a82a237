import type { z } from 'zod';
import type { Context } from '../call/context.ts';
import type { Example } from '../call/define.ts';
import type { Value, ValueMap } from '../call/value.ts';
import type { Execution } from './engine.ts';
import type { Scope, StepRecord } from './scope.ts';
import type { Condition, Step } from './step.ts';

/** What a kind of workflow comes to; a thrown StepFailure ends it, what was done so far is in `records`. */
export interface KindResult {
  readonly output: Value;
  readonly outputs: ValueMap;
}

/** One list of steps of a workflow with what it is called, for checks and pictures. */
export interface Part {
  readonly label: string;
  readonly steps: readonly Step[];
  /** Asked before the steps, and after them. */
  readonly before?: readonly Condition[];
  readonly after?: readonly Condition[];
  /** Steps run inside a loop, so `$loop` means something. */
  readonly turns?: boolean;
}

/** A kind of workflow: all that one file of `kinds/` brings; the method `Workflow.<name>` is made of it. */
export interface WorkflowKind<S extends z.ZodRawShape = z.ZodRawShape> {
  readonly name: string;
  readonly doc: string;
  /** Its options beside `name`, `description`, `error_strategy` and `timeout_ms`. */
  readonly options: S;
  readonly examples: readonly Example[];
  /** What it does, made when a script describes one. Throws BAD_ARGUMENT that names the step and what is wrong. */
  plan(spec: z.output<z.ZodObject<S>>): Plan;
}

/** Declares a kind of workflow with its types inferred. */
export function defineKind<const S extends z.ZodRawShape>(kind: WorkflowKind<S>): WorkflowKind {
  return kind;
}

/** One workflow of a kind, ready to run. */
export interface Plan {
  readonly parts: readonly Part[];
  /** Values outside of steps that may hold references. */
  readonly values?: readonly Value[];
  run(execution: Execution, context: Context, scope: Scope, records: StepRecord[]): Promise<KindResult>;
  /** Lines of a Mermaid flowchart between two nodes; all nodes of its own begin with `id`. */
  draw(id: string, from: string, to: string): string[];
}

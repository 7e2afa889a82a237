import type { Context } from '../call/context.ts';
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
  /** Names that steps of this part may refer to beside their own earlier ones. */
  readonly sees?: readonly string[];
  readonly conditions?: readonly Condition[];
  /** Steps run inside a loop, so `$loop` means something. */
  readonly turns?: boolean;
  /** Steps run side by side and see nothing of each other. */
  readonly apart?: boolean;
}

/** A kind of workflow, ready to run: all that one file of `kinds/` brings. */
export interface Plan {
  readonly kind: string;
  readonly parts: readonly Part[];
  /** Values outside of steps that may hold references. */
  readonly values?: readonly Value[];
  run(execution: Execution, context: Context, scope: Scope, records: StepRecord[]): Promise<KindResult>;
  /** Lines of a Mermaid flowchart between `start` and `stop`. */
  draw(id: string): string[];
}

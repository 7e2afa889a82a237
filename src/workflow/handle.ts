import type { HandleType } from '../call/value.ts';
import type { Tool } from '../tool/tool.ts';

/** What others must know of a workflow. */
export interface WorkflowLike {
  readonly name: string;
  readonly kind: string;
  /** The workflow as a tool that agents call with its input. */
  asTool(): Tool;
}

/** Handles of workflows as scripts see them. */
export const WORKFLOW_HANDLE: HandleType<WorkflowLike> = { name: 'Workflow', fields: ({ name, kind }) => ({ name, kind }) };

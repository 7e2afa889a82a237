import type { WorkflowKind } from '../kind.ts';
import { conditional } from './conditional.ts';
import { loop } from './loop.ts';
import { map } from './map.ts';
import { parallel } from './parallel.ts';
import { sequential } from './sequential.ts';

/** Every kind of workflow; each becomes a method of `Workflow`. */
export const KINDS: readonly WorkflowKind[] = [sequential, parallel, conditional, loop, map];

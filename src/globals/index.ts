import type { GlobalDefinition } from '../call/define.ts';
import { agentGlobal } from './agent.ts';
import { alertGlobal } from './alert.ts';
import { artifactGlobal } from './artifact.ts';
import { configGlobal } from './config.ts';
import { eventGlobal } from './event.ts';
import { hookGlobal } from './hook.ts';
import { jsonGlobal } from './json.ts';
import { loggerGlobal } from './logger.ts';
import { parallelGlobal } from './parallel.ts';
import { ragGlobal } from './rag.ts';
import { sessionGlobal } from './session.ts';
import { sleepGlobal } from './sleep.ts';
import { stateGlobal } from './state.ts';
import { toolGlobal } from './tool.ts';
import { workflowGlobal } from './workflow.ts';

/** Every built-in global, in the order of the reference. */
export const globals: readonly GlobalDefinition[] = [
  agentGlobal,
  toolGlobal,
  workflowGlobal,
  stateGlobal,
  sessionGlobal,
  artifactGlobal,
  hookGlobal,
  eventGlobal,
  ragGlobal,
  parallelGlobal,
  sleepGlobal,
  configGlobal,
  jsonGlobal,
  loggerGlobal,
  alertGlobal,
];

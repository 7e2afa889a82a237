// The same workflows in Mastra: a chain of steps, and as many steps side by side, each of which does nothing.
import { createStep, createWorkflow } from '@mastra/core/workflows';
import { z } from 'zod';

export const version = '@mastra/core 1.71.0';

const schema = z.object({ value: z.number() });
const step = (id) => createStep({ id, inputSchema: schema, outputSchema: schema, execute: async ({ inputData }) => inputData });

async function run(workflow) {
  const started = await workflow.commit().createRun();
  const { status } = await started.start({ inputData: { value: 1 } });
  if (status !== 'success') throw new Error(`the workflow ended as ${status}`);
}

/** Runs `count` steps one after the other; the workflow is made anew each time, as ours is. */
export function sequential(count) {
  let workflow = createWorkflow({ id: 'sequential', inputSchema: schema, outputSchema: schema });
  for (let i = 1; i <= count; i++) workflow = workflow.then(step(`step${i}`));
  return run(workflow);
}

/** Runs `count` branches side by side. */
export function parallel(count) {
  const steps = Array.from({ length: count }, (_, at) => step(`branch${at + 1}`));
  return run(createWorkflow({ id: 'parallel', inputSchema: schema, outputSchema: z.any() }).parallel(steps));
}

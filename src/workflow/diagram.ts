import type { Plan } from './kind.ts';
import { actionOf, type Step, targetOf } from './step.ts';

/** A workflow as a Mermaid flowchart. */
export function diagram(plan: Plan): string {
  return ['flowchart TD', 'start(["start"])', 'stop(["end"])', ...plan.draw('', 'start', 'stop')].map((line, at) => (at === 0 ? line : `  ${line}`)).join('\n');
}

/** Steps in a row between two nodes; the first arrow may carry a word. */
export function drawChain(id: string, steps: readonly Step[], from: string, to: string, word?: string): string[] {
  const lines: string[] = [];
  let before = from;
  for (const step of steps) {
    const node = `${id}s_${step.name.replaceAll('-', '_')}`;
    const arrow = word !== undefined && before === from ? `-->|"${word}"|` : '-->';
    lines.push(`${node}["${label(step.name)} (${describeAction(step)})"]`, `${before} ${arrow} ${node}`);
    before = node;
  }
  return [...lines, `${before} --> ${to}`];
}

/** Text that breaks no diagram, for use between quotation marks. */
export function label(text: string): string {
  return text.replaceAll(/["|[\](){}<>#;`\n\r]/g, ' ');
}

function describeAction(step: Step): string {
  const action = actionOf(step);
  const name = targetOf(step);
  return name === undefined ? action : `${action} ${label(name)}`;
}

import type { Context } from '../../call/context.ts';
import type { ValueMap } from '../../call/value.ts';
import { events } from '../../event/bus.ts';
import { metrics } from './metrics.ts';

/** Tells what a built-in hook did: an event of the run and a counter of the metrics, both by this name. */
export function tell(context: Context, name: string, payload: ValueMap): void {
  context.run.host.get(metrics).count(name);
  const said = context.run.get(events).announce(context, name, payload);
  if (said) context.run.background(said);
}

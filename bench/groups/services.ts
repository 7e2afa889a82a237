import { open, services } from '../ours.ts';
import { headline, type Row, row } from '../row.ts';

/** State, hooks, events and tools, called from Lua. */
export async function serviceCalls(): Promise<Row[]> {
  const ours = await open();
  const of = await services(ours);
  await ours.close();
  return [
    headline(row('State.save of a small map', of.save, 'µs', 60)),
    row('State.load of a small map', of.load, 'µs', 20),
    row('hook registration', of.hook, 'µs', 15),
    row('event to one subscription', of.emit1, 'µs', 30),
    row('event to 100 subscriptions', of.emit100, 'µs'),
    row('event to 1,000 subscriptions', of.emit1000, 'µs'),
    // The bar is ours; rs-llmspell documents 11.9 ms for the same.
    headline(row('tool call through registry, hook and events', of.tool, 'µs', 50, ['rs-llmspell, as documented', 11_900])),
  ];
}

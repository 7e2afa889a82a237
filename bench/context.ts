import { CallContext, HostContainer, RunContainer } from '../src/call/run.ts';
import type { Config } from '../src/config/config.ts';

/** A call of a run that may use local models and nothing else, for services that are measured without an engine. */
export function benchContext(config: Config): CallContext {
  const run = new RunContainer({
    host: new HostContainer(config, '/nowhere'),
    language: 'lua',
    tenant: 'default',
    grants: { capabilities: new Set(), read: [], write: [], net: [], tenants: [], models: ['local/*'], programs: [], environment: [], mcp: [] },
    limits: config.limits,
    args: [],
    input: null,
    seed: 1,
    onOutput: () => undefined,
  });
  return new CallContext(run, { method: 'bench' });
}

import { hostService } from '../../call/context.ts';
import { tenantOwners } from '../../tenant/tenants.ts';
import type { Knowledge } from '../knowledge.ts';
import { openKnowledge } from './knowledge.ts';

/** The knowledge of a runtime's tenants. */
export const knowledge = hostService<Knowledge>('knowledge', (host) => {
  const opened = openKnowledge({ ...host.config.data, dataDir: host.dataDir });
  host.get(tenantOwners).add(opened);
  return opened;
});

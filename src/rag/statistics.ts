import { type Context, hostService } from '../call/context.ts';
import type { Pipeline } from './pipeline.ts';

/** Retrievals of a knowledge base since the runtime started. */
export interface Retrievals {
  readonly count: number;
  readonly totalMs: number;
}

const NONE: Retrievals = { count: 0, totalMs: 0 };
const retrievals = hostService('rag statistics', () => new Map<string, Map<string, Retrievals>>());

/** Counts one retrieval of a base; of one that was never filled nothing is kept, for there are endlessly many names. */
export function countRetrieval({ run }: Context, { tenant, name, base }: Pipeline, ms: number): void {
  if (base.settings === undefined) return;
  const all = run.host.get(retrievals);
  const own = all.get(tenant) ?? new Map<string, Retrievals>();
  all.set(tenant, own);
  const { count, totalMs } = own.get(name) ?? NONE;
  own.set(name, { count: count + 1, totalMs: totalMs + ms });
}

export function retrievalsOf({ run }: Context, { tenant, name }: Pipeline): Retrievals {
  return run.host.get(retrievals).get(tenant)?.get(name) ?? NONE;
}

/** Forgets a tenant that is removed. */
export function forgetRetrievals({ run }: Context, tenant: string): void {
  run.host.get(retrievals).delete(tenant);
}

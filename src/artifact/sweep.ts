import { type Context, hostService } from '../call/context.ts';
import { storeOf } from '../state/state.ts';

const EVERY_MS = 3_600_000;

const swept = hostService<Map<string, number>>('swept tenants', () => new Map());

/** Removes what killed processes have left among the tenant's files, by itself and at most once an hour. */
export function sweepNowAndThen(context: Context): void {
  const { run } = context;
  const last = run.host.get(swept);
  const now = Date.now();
  if (now - (last.get(run.tenant) ?? 0) < EVERY_MS) return;
  last.set(run.tenant, now);
  // What cannot be swept now, because the store closes or the disk fails, is swept another time.
  void storeOf(context)
    .artifacts.sweep(now)
    .catch(() => undefined);
}

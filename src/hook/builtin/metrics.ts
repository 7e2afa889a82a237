import { type Context, type Host, hostService } from '../../call/context.ts';
import { roundMs } from '../../call/elapsed.ts';
import type { ValueMap } from '../../call/value.ts';
import type { BuiltinHook } from './builtin.ts';
import { settingsOf } from './settings.ts';

/** Upper bounds of the histogram's buckets, ms; what takes longer is in the last one, without a bound. */
export const BUCKETS_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000] as const;

/** One kind and name of operation: how often, how often it failed, and how long it took. */
export interface OperationMetrics {
  /** `agent`, `model`, `tool`, `workflow`, `step`, `state`, `event`, `rag`, `session`, … */
  readonly kind: string;
  readonly name: string;
  readonly count: number;
  readonly failures: number;
  readonly total_ms: number;
  readonly max_ms: number;
  /** How many took at most `le_ms`, cumulative; null is any time. */
  readonly buckets: readonly { readonly le_ms: number | null; readonly count: number }[];
}

export interface MetricsSnapshot {
  readonly operations: readonly OperationMetrics[];
  /** Single happenings by name: `cache.hit`, `rate_limit.waited`, `security:violation`, `custom:…`. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What was counted since the runtime began. */
export interface Metrics {
  readonly enabled: boolean;
  observe(kind: string, name: string, durationMs: number, failed: boolean): void;
  count(name: string): void;
  snapshot(): MetricsSnapshot;
}

interface Series {
  count: number;
  failures: number;
  total: number;
  max: number;
  readonly buckets: number[];
}

/** The metrics of a runtime; they count only when `[hooks.metrics]` is on. */
export const metrics = hostService<Metrics>('metrics', ({ config }) => {
  const settings = settingsOf(config, 'metrics');
  const most = settings?.most_series ?? 0;
  const series = new Map<string, { kind: string; name: string; data: Series }>();
  const counters = new Map<string, number>();

  /** Names come from scripts: beyond the bound they are counted together. */
  function seriesOf(kind: string, name: string): Series {
    const key = `${kind}\0${name}`;
    const known = series.get(key);
    if (known) return known.data;
    if (series.size >= most && name !== OTHERS) return seriesOf(kind, OTHERS);
    const data = { count: 0, failures: 0, total: 0, max: 0, buckets: new Array<number>(BUCKETS_MS.length + 1).fill(0) };
    series.set(key, { kind, name, data });
    return data;
  }

  return {
    enabled: settings !== undefined,
    observe(kind, name, durationMs, failed) {
      if (!settings) return;
      const data = seriesOf(kind, name);
      data.count++;
      if (failed) data.failures++;
      data.total += durationMs;
      data.max = Math.max(data.max, durationMs);
      const at = BUCKETS_MS.findIndex((bound) => durationMs <= bound);
      const bucket = at < 0 ? BUCKETS_MS.length : at;
      data.buckets[bucket] = (data.buckets[bucket] ?? 0) + 1;
    },
    count(name) {
      if (!settings) return;
      const key = counters.has(name) || counters.size < most ? name : OTHERS;
      counters.set(key, (counters.get(key) ?? 0) + 1);
    },
    snapshot: () => ({
      operations: [...series.values()].map(({ kind, name, data }) => ({
        kind,
        name,
        count: data.count,
        failures: data.failures,
        total_ms: roundMs(data.total),
        max_ms: roundMs(data.max),
        buckets: cumulative(data.buckets),
      })),
      counters: Object.fromEntries(counters),
    }),
  };
});

const OTHERS = '(others)';
const KINDS = ['agent', 'tool', 'workflow', 'state', 'event', 'rag', 'session'];
const SINGLE = ['custom', 'security', 'limit'];

/** `[hooks.metrics]`: counts and times every operation that has hook points. */
export function metricsHooks(host: Host): BuiltinHook[] {
  if (!settingsOf(host.config, 'metrics')) return [];
  const counts = host.get(metrics);
  const call = (ctx: ValueMap, _: Context): void => observe(counts, ctx);
  return [
    ...KINDS.map((kind) => ({ name: 'metrics', point: `${kind}:*`, call })),
    ...SINGLE.map((kind) => ({ name: 'metrics', point: `${kind}:*`, call: (ctx: ValueMap) => counts.count(String(ctx.point)) })),
  ];
}

/** Only what has ended has a duration. */
function observe(counts: Metrics, ctx: ValueMap): void {
  const { point, duration_ms } = ctx;
  if (typeof duration_ms !== 'number') return;
  const [kind = '', ...rest] = String(point).split(':');
  const moment = rest.at(-1) ?? '';
  const failed = moment === 'error';
  const [shownKind, name] =
    moment === 'after_model_call' ? ['model', ctx.model] : ctx.step !== undefined ? ['step', `${ctx.name}.${ctx.step}`] : [kind, nameOf(kind, moment, ctx)];
  counts.observe(String(shownKind), String(name), duration_ms, failed);
}

/** Kinds whose names are data (keys, event types) are counted by what is done. */
function nameOf(kind: string, moment: string, ctx: ValueMap): unknown {
  const byName = kind === 'agent' || kind === 'tool' || kind === 'workflow';
  if (byName && moment !== 'after_creation') return ctx.name;
  return moment.replace(/^after_/, '');
}

function cumulative(buckets: readonly number[]): { le_ms: number | null; count: number }[] {
  let sum = 0;
  return buckets.map((count, at) => {
    sum += count;
    return { le_ms: BUCKETS_MS[at] ?? null, count: sum };
  });
}

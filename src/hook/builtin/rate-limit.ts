import { matchesAny } from '../../call/capability.ts';
import type { Context, Host } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';
import { Refusal } from '../answer.ts';
import type { BuiltinHook } from './builtin.ts';
import { type HookSettings, settingsOf } from './settings.ts';
import { tell } from './tell.ts';

type Rule = NonNullable<HookSettings['rate_limit']>['rules'][number];

/** A token bucket: it fills steadily, each call takes one, and a call that finds none may take one that is still to come. Times in ms. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #size: number;
  #tokens: number;
  #filledAt: number;

  constructor(perMinute: number, size: number, now: number) {
    this.#perMs = perMinute / 60_000;
    this.#size = size;
    this.#tokens = size;
    this.#filledAt = now;
  }

  /** How long the call must wait for its token, which is taken unless that is longer than `mostMs`. */
  take(now: number, mostMs: number): number {
    this.#tokens = Math.min(this.#size, this.#tokens + Math.max(0, now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
    const waitMs = this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.#perMs;
    if (waitMs <= mostMs) this.#tokens--;
    return waitMs;
  }

  /** The call was not made. */
  giveBack(): void {
    this.#tokens = Math.min(this.#size, this.#tokens + 1);
  }
}

/** Longer than any wait that a rule allows. */
const TIMEOUT_MS = 700_000;

/** `[hooks.rate_limit]`: calls of models and tools wait for their turn, or are refused. */
export function rateLimitHooks({ config }: Host): BuiltinHook[] {
  const settings = settingsOf(config, 'rate_limit');
  if (!settings) return [];
  const odd = settings.rules.findIndex(({ model, tool }) => (model === undefined) === (tool === undefined));
  if (odd >= 0) throw new ScriptError('BAD_CONFIG', `rules.${odd}: expected either model or tool, a pattern`);
  const buckets = new Map<string, TokenBucket>();

  async function pass(context: Context, kind: 'model' | 'tool', name: string): Promise<void> {
    for (const [at, rule] of settings?.rules.entries() ?? []) {
      const pattern = rule[kind];
      if (pattern !== undefined && matchesAny([pattern], name)) await wait(context, bucketOf(context, at, rule), rule, kind, name);
    }
  }

  function bucketOf({ run: { tenant } }: Context, at: number, rule: Rule): TokenBucket {
    const key = `${at} ${tenant}`;
    const known = buckets.get(key);
    if (known) return known;
    const made = new TokenBucket(rule.per_minute, rule.burst ?? Math.max(1, Math.floor(rule.per_minute)), performance.now());
    buckets.set(key, made);
    return made;
  }

  return [
    { name: 'rate_limit', point: 'agent:before_model_call', call: (ctx, context) => pass(context, 'model', String(ctx.model)), options: OPTIONS },
    { name: 'rate_limit', point: 'tool:*:before_execution', call: (ctx, context) => pass(context, 'tool', String(ctx.tool_name)), options: OPTIONS },
  ];
}

const OPTIONS = { on_error: 'fail', timeout_ms: TIMEOUT_MS } as const;

async function wait(context: Context, bucket: TokenBucket, rule: Rule, kind: string, name: string): Promise<void> {
  const most = rule.exceeded === 'wait' ? rule.max_wait_ms : 0;
  const waitMs = bucket.take(performance.now(), most);
  if (waitMs === 0) return;
  if (waitMs > most) {
    tell(context, 'rate_limit.refused', { kind, name, per_minute: rule.per_minute });
    throw new Refusal(
      new ScriptError('LIMIT_EXCEEDED', `${name}: more than ${rule.per_minute} calls a minute ([hooks.rate_limit]); try again in ${Math.ceil(waitMs)} ms`, {
        details: { outcome: 'not_sent', retryable: true, retry_after_ms: Math.ceil(waitMs) },
      }),
    );
  }
  tell(context, 'rate_limit.waited', { kind, name, wait_ms: Math.ceil(waitMs) });
  try {
    await context.run.sleep(waitMs, context.signal);
  } catch (error) {
    bucket.giveBack();
    throw error;
  }
}

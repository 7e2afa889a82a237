import { type Context, type Host, runService } from '../../call/context.ts';
import type { ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import type { TokenUsage } from '../../model/model.ts';
import { costOf, priceOf } from '../../model/prices.ts';
import { Refusal } from '../answer.ts';
import { accounts } from './accounts.ts';
import type { BuiltinHook } from './builtin.ts';
import { settingsOf } from './settings.ts';
import { tell } from './tell.ts';

const spent = runService('costs of the run', () => ({ usd: 0 }));

/** An account that cannot be read or written stops models rather than run up costs that nobody sees. */
const OPTIONS = { on_error: 'fail', timeout_ms: 30_000 } as const;

/** `[hooks.cost_tracking]`: counts what models cost, for run and tenant, and refuses to call them when a limit is reached. */
export function costHooks(host: Host): BuiltinHook[] {
  const settings = settingsOf(host.config, 'cost_tracking');
  if (!settings) return [];
  const { max_usd_per_run, max_usd_per_tenant, period } = settings;
  const limited = max_usd_per_run !== undefined || max_usd_per_tenant !== undefined;

  async function check(ctx: ValueMap, context: Context): Promise<void> {
    const model = String(ctx.model);
    if (limited && !priceOf(model, host.config))
      throw new Refusal(new ScriptError('BAD_CONFIG', `${model}: costs are limited and no price is known; add it to [models.prices]`));
    const { usd } = context.run.get(spent);
    if (max_usd_per_run !== undefined && usd >= max_usd_per_run) throw exceeded(context, model, 'max_usd_per_run', max_usd_per_run, usd);
    if (max_usd_per_tenant === undefined) return;
    const total = (await host.get(accounts).costs(context.run.tenant, Date.now(), period)).usd;
    if (total >= max_usd_per_tenant) throw exceeded(context, model, 'max_usd_per_tenant', max_usd_per_tenant, total);
  }

  async function add(ctx: ValueMap, context: Context): Promise<void> {
    const { usage, cached } = (ctx.output ?? {}) as { usage?: TokenUsage; cached?: boolean };
    if (!usage || cached) return;
    const model = String(ctx.model);
    const price = priceOf(model, host.config);
    const usd = price ? costOf(usage, price) : 0;
    const run = context.run.get(spent);
    run.usd += usd;
    await host.get(accounts).add(context.run.tenant, Date.now(), model, usage, usd);
    tell(context, 'cost.recorded', { model, usd, run_usd: run.usd });
  }

  return [
    { name: 'cost_tracking', point: 'agent:before_model_call', call: check, options: OPTIONS },
    { name: 'cost_tracking', point: 'agent:after_model_call', call: add, options: OPTIONS },
  ];
}

function exceeded(context: Context, model: string, setting: string, limit: number, usd: number): Refusal {
  tell(context, 'cost.limit_reached', { model, setting, limit, usd });
  return new Refusal(
    new ScriptError('LIMIT_EXCEEDED', `${model}: hooks.cost_tracking.${setting} = ${limit}: ${usd.toFixed(6)} US dollars are spent`, {
      details: { outcome: 'not_sent', retryable: false },
    }),
  );
}

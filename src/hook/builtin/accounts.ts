import { decode, encode } from '../../call/codec.ts';
import { type Host, hostService } from '../../call/context.ts';
import { toPlain } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import type { TokenUsage } from '../../model/model.ts';
import { Stores } from '../../store/stores.ts';

/** What one model has cost a tenant. */
export type ModelCosts = { model: string; calls: number; input_tokens: number; output_tokens: number; usd: number };

/** What all models have cost a tenant, dearest first. */
export type Costs = { usd: number; models: ModelCosts[] };

export type Period = 'day' | 'month' | 'all';

/** What models have cost each tenant, kept in the tenant's folder but where no script, backup or restore reaches. */
export interface Accounts {
  /** Adds one call; several processes may do so at once. Throws STORE_FAILED. */
  add(tenant: string, now: number, model: string, usage: TokenUsage, usd: number): Promise<void>;
  /** The costs of the day or month (UTC) of `now`, or of all time. */
  costs(tenant: string, now: number, period: Period): Promise<Costs>;
}

const SCOPE = 'costs';
const MOST_ATTEMPTS = 20;
const PREFIX: Readonly<Record<Period, number>> = { day: 10, month: 7, all: 0 };

class StoredAccounts implements Accounts, Disposable {
  readonly #stores: Stores;

  constructor({ config: { data }, dataDir }: Host) {
    this.#stores = new Stores({ backend: data.backend, durability: data.durability, dataDir, part: 'accounts' });
  }

  async add(tenant: string, now: number, model: string, usage: TokenUsage, usd: number): Promise<void> {
    const key = `${day(now)}/${model}`;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const store = this.#stores.of(tenant);
      const found = await store.get(SCOPE, key, now);
      const old = found ? read(found.value) : NOTHING;
      const sum = {
        calls: old.calls + 1,
        input_tokens: old.input_tokens + usage.input_tokens,
        output_tokens: old.output_tokens + usage.output_tokens,
        usd: old.usd + usd,
      };
      if (await store.commit([{ scope: SCOPE, key, expect: found?.revision ?? 0, put: { value: encode(sum) } }], now)) return;
    }
    throw new ScriptError('STORE_FAILED', 'the costs could not be written: others write them all the time');
  }

  async costs(tenant: string, now: number, period: Period): Promise<Costs> {
    const store = this.#stores.of(tenant);
    const models = new Map<string, ModelCosts>();
    for (const key of await store.list(SCOPE, { prefix: day(now).slice(0, PREFIX[period]) }, now)) {
      const found = await store.get(SCOPE, key, now);
      if (!found) continue;
      const model = key.slice(key.indexOf('/') + 1);
      const sum = models.get(model) ?? { model, ...NOTHING };
      const more = read(found.value);
      models.set(model, {
        model,
        calls: sum.calls + more.calls,
        input_tokens: sum.input_tokens + more.input_tokens,
        output_tokens: sum.output_tokens + more.output_tokens,
        usd: sum.usd + more.usd,
      });
    }
    const all = [...models.values()].sort((a, b) => b.usd - a.usd);
    return { usd: all.reduce((sum, { usd }) => sum + usd, 0), models: all };
  }

  [Symbol.dispose](): void {
    this.#stores.close();
  }
}

const NOTHING = { calls: 0, input_tokens: 0, output_tokens: 0, usd: 0 };

function read(bytes: Uint8Array): typeof NOTHING {
  return toPlain(decode(bytes)) as typeof NOTHING;
}

function day(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** The accounts of a runtime. */
export const accounts = hostService<Accounts>('accounts', (host) => new StoredAccounts(host));

import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import type { TokenUsage } from '../model/model.ts';
import { costOf, priceOf } from '../model/prices.ts';

/** What one execution may use in all, its tools and the agents below it included. */
export interface Budget {
  readonly max_tokens_total?: number | undefined;
  readonly max_cost_usd?: number | undefined;
  readonly max_tool_calls?: number | undefined;
}

/** What is set aside for a call that is under way. */
export interface Reservation {
  /** Replaces the estimate by what was used. */
  settle(usage: TokenUsage): void;
  /** The call came to nothing. */
  release(): void;
}

/** Whose budget an error is of. */
const owners = new WeakMap<object, Spending>();

const FREE: Reservation = { settle: () => undefined, release: () => undefined };

/** What an execution has used and set aside; those inside it are charged to it too. */
export class Spending {
  readonly #budget: Budget;
  readonly #outer: Spending | undefined;
  readonly #agent: string;
  #tokens = 0;
  #cost = 0;
  #toolCalls = 0;

  constructor(agent: string, budget: Budget, outer: Spending | undefined) {
    this.#agent = agent;
    this.#budget = budget;
    this.#outer = outer;
  }

  /** The spending that a call inside this context is charged to. */
  static of(context: Context): Spending | undefined {
    return context.spending instanceof Spending ? context.spending : undefined;
  }

  /** Whether the error is of a budget that nothing inside this context is charged to: one of an agent that was called from here. */
  static isForeign(context: Context, error: unknown): boolean {
    const owner = owners.get(error as object);
    if (!owner) return false;
    for (let one = Spending.of(context); one; one = one.#outer) if (one === owner) return false;
    return true;
  }

  /** Sets tokens and their price aside before a model is asked. Throws LIMIT_EXCEEDED when they do not fit, BAD_CONFIG when a cost is limited and the price unknown. */
  reserve(context: Context, model: string, estimate: TokenUsage): Reservation {
    const outer = this.#outer?.reserve(context, model, estimate) ?? FREE;
    const { max_tokens_total, max_cost_usd } = this.#budget;
    try {
      const price = priceOf(model, context.run.host.config);
      if (max_cost_usd !== undefined && !price)
        throw new ScriptError('BAD_CONFIG', `${this.#agent}: budget.max_cost_usd: no price is known for ${model}; add it to [models.prices]`);
      const cost = (usage: TokenUsage) => (price ? costOf(usage, price) : 0);
      if (max_tokens_total !== undefined && this.#tokens + estimate.total_tokens > max_tokens_total)
        throw this.#exceeded(`max_tokens_total = ${max_tokens_total}: ${this.#tokens} are used and the next call needs about ${estimate.total_tokens}`);
      if (max_cost_usd !== undefined && this.#cost + cost(estimate) > max_cost_usd)
        throw this.#exceeded(`max_cost_usd = ${max_cost_usd}: ${this.#cost.toFixed(6)} are used and the next call costs about ${cost(estimate).toFixed(6)}`);
      this.#add(estimate.total_tokens, cost(estimate));
      const change = (usage: TokenUsage | undefined) =>
        this.#add((usage?.total_tokens ?? 0) - estimate.total_tokens, (usage ? cost(usage) : 0) - cost(estimate));
      return {
        settle: (usage) => {
          change(usage);
          outer.settle(usage);
        },
        release: () => {
          change(undefined);
          outer.release();
        },
      };
    } catch (error) {
      outer.release();
      throw error;
    }
  }

  /** Counts tool calls before they are made. Throws LIMIT_EXCEEDED when there are too many. */
  countTools(count: number): void {
    const { max_tool_calls } = this.#budget;
    if (max_tool_calls !== undefined && this.#toolCalls + count > max_tool_calls)
      throw this.#exceeded(`max_tool_calls = ${max_tool_calls}: ${this.#toolCalls} are made and the model asks for ${count} more`);
    this.#outer?.countTools(count);
    this.#toolCalls += count;
  }

  #add(tokens: number, cost: number): void {
    this.#tokens += tokens;
    this.#cost += cost;
  }

  #exceeded(what: string): ScriptError {
    const error = new ScriptError('LIMIT_EXCEEDED', `${this.#agent}: budget.${what}`, { details: { outcome: 'not_sent', retryable: false } });
    owners.set(error, this);
    return error;
  }
}

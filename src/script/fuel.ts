/** Ticks aim at this distance, ms; the amount adapts between these bounds (loop heads per tick). */
const TICK_MS = 0.5;
const AMOUNT = { first: 2_000, least: 200, most: 50_000 };

/** How much fuel an engine gets at once, so that it asks for more about every half millisecond. */
export class Fuel {
  amount = AMOUNT.first;
  #lastTick = 0;

  /** The engine begins or goes on to compute. */
  begin(now: number): void {
    this.#lastTick = now;
  }

  /** The engine asks for more: the amount follows how long the last one took. */
  steer(now: number): number {
    const gap = now - this.#lastTick;
    this.#lastTick = now;
    if (gap > TICK_MS * 2) this.amount = Math.max(AMOUNT.least, Math.floor(this.amount * Math.max(0.1, TICK_MS / gap)));
    else if (gap < TICK_MS / 2) this.amount = Math.min(AMOUNT.most, Math.floor(this.amount * 1.5));
    return this.amount;
  }

  /** What an engine gets that was told to stop: it must ask again soon. */
  get little(): number {
    return Math.min(this.amount, AMOUNT.first);
  }
}

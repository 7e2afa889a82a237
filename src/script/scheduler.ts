/** How long scripts may hold the event loop in one of its turns, ms. */
const TURN_MS = 4;

/** Called when it is somebody's turn; false where nobody needs it any more. */
type Go = () => boolean;

/**
 * Shares the thread among all instances of the process: in one turn of the event loop scripts compute for at most `TURN_MS` in total;
 * who comes later queues, and the queue is served round robin over tenants, each in the order of coming.
 */
class Scheduler {
  #turnStart = 0;
  #inTurn = false;
  #length = 0;
  readonly #tenants = new Map<string, Go[]>();

  /** True when the caller may compute now; else it must `queue`. */
  mayRun(): boolean {
    if (!this.#inTurn) {
      this.#beginTurn();
      return true;
    }
    return this.#length === 0 && performance.now() - this.#turnStart < TURN_MS;
  }

  /** True when this turn's time is used up. */
  expired(now: number): boolean {
    return now - this.#turnStart >= TURN_MS;
  }

  /** When the host may work for a run, such as making its context: now, or a promise of it, false where the signal fires first; afterwards it must `leave`. */
  turn(tenant: string, signal?: AbortSignal): true | Promise<boolean> {
    if (this.mayRun()) return true;
    return new Promise((settle) => {
      const onAbort = () => settle(false);
      const go = () => {
        signal?.removeEventListener('abort', onAbort);
        if (signal?.aborted) return false;
        settle(true);
        return true;
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.queue(tenant, go);
    });
  }

  /** Calls `go` when it is its turn, which goes to the next one where it answers false. */
  queue(tenant: string, go: Go): void {
    const line = this.#tenants.get(tenant);
    if (line) line.push(go);
    else this.#tenants.set(tenant, [go]);
    this.#length++;
    if (!this.#inTurn) this.#beginTurn();
  }

  /** Tells that the computing instance stopped (wait, pause or end), so that the next one may use what is left of the turn. */
  leave(): void {
    if (this.#length > 0 && this.#inTurn && performance.now() - this.#turnStart < TURN_MS) this.#next();
  }

  #beginTurn(): void {
    this.#inTurn = true;
    this.#turnStart = performance.now();
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#inTurn = false;
    if (this.#length === 0) return;
    this.#beginTurn();
    this.#next();
  };

  /** The tenant whose turn it is goes behind all others with what is left of its line. */
  #next(): void {
    let tenant = this.#first();
    while (tenant !== undefined) {
      const line = this.#tenants.get(tenant) as Go[];
      const go = line.shift() as Go;
      this.#tenants.delete(tenant);
      if (line.length > 0) this.#tenants.set(tenant, line);
      this.#length--;
      if (go()) return;
      if (line.length === 0) tenant = this.#first();
    }
  }

  #first(): string | undefined {
    return this.#tenants.keys().next().value;
  }
}

/** The process's one scheduler: the thread it shares is the process's own. */
export const scheduler = new Scheduler();

import type { RunContainer } from '../call/run.ts';
import type { Fiber } from './fiber.ts';
import { scheduler } from './scheduler.ts';

/** A fiber that wants to go into an instance, or back. */
export interface Entrant {
  readonly fiber: Fiber;
  readonly go: () => void;
}

/**
 * Who may be inside an instance: one fiber at a time, handed over at safe points only (a wait, the end of a fiber), since a pause can stop the engine
 * anywhere. Whoever gets it also queues for the process's thread, and the time it computes is counted.
 */
export class Baton {
  holder: Fiber | undefined;
  /** An instance that died lets nobody in any more. */
  #closed = false;
  readonly #run: RunContainer;
  readonly #onSlice: (now: number) => void;
  readonly #entrants: Entrant[] = [];
  #sliceStart = 0;

  /** `onSlice` hears when the holder begins or goes on to compute. */
  constructor(run: RunContainer, onSlice: (now: number) => void) {
    this.#run = run;
    this.#onSlice = onSlice;
  }

  /** What the run has computed with the slice that goes on, ms. */
  cpuMsAt(now: number): number {
    return this.#run.cpu.ms + now - this.#sliceStart;
  }

  /** Calls `go` when the fiber has the baton and the thread: at once, if both are free. */
  acquire(entrant: Entrant): void {
    if (this.holder) this.#entrants.push(entrant);
    else this.#admit(entrant);
  }

  /** The holder waits or has ended: the next one goes in. */
  release(): void {
    this.#account();
    this.holder = undefined;
    const next = this.#entrants.shift();
    if (next) this.#admit(next);
    scheduler.leave();
  }

  /** The holder keeps the baton and lets others have the thread; `resume` is called when it is its turn again. */
  pause(resume: () => void): void {
    this.#account();
    this.#queue(resume);
    scheduler.leave();
  }

  close(): void {
    this.#closed = true;
    this.#entrants.length = 0;
  }

  #admit({ fiber, go }: Entrant): void {
    this.holder = fiber;
    if (scheduler.mayRun()) {
      this.#startSlice();
      go();
      return;
    }
    const asked = performance.now();
    this.#queue(() => {
      fiber.deadline += performance.now() - asked;
      go();
    });
  }

  #queue(go: () => void): void {
    scheduler.queue(this.#run.tenant, () => {
      if (this.#closed) return false;
      this.#startSlice();
      go();
      return true;
    });
  }

  #startSlice(): void {
    this.#sliceStart = performance.now();
    this.#onSlice(this.#sliceStart);
  }

  #account(): void {
    this.#run.cpu.script(performance.now() - this.#sliceStart);
  }
}

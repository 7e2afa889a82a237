import { cancelled } from '../call/run.ts';

/** So many read a database at once: each is a connection, which keeps files open, and all of them share the event loop. */
const MOST_READERS = 2;

/** Lets few read a database at once; others wait for their turn. */
export class Readers {
  #reading = 0;
  /** Set while nobody new may begin. */
  #break: { begin(): void } | undefined;
  readonly #line = new Set<() => void>();

  /** Reads when there is room. Throws CANCELLED when the signal fires before. */
  async read<T>(signal: AbortSignal | undefined, work: () => T | Promise<T>): Promise<T> {
    await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#reading--;
      if (this.#reading === 0) this.#break?.begin();
      this.#next();
    }
  }

  /** Does it while nobody reads: waits for those who do, and who comes meanwhile waits for its end. One at a time. */
  async between<T>(work: () => Promise<T>): Promise<T> {
    const free = new Promise<void>((begin) => {
      this.#break = { begin };
    });
    if (this.#reading === 0) this.#break?.begin();
    try {
      await free;
      return await work();
    } finally {
      this.#break = undefined;
      this.#next();
    }
  }

  get #hasRoom(): boolean {
    return this.#reading < MOST_READERS && !this.#break;
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(cancelled(signal));
      const leave = () => {
        this.#line.delete(go);
        reject(cancelled(signal as AbortSignal));
      };
      const go = () => {
        signal?.removeEventListener('abort', leave);
        this.#reading++;
        resolve();
      };
      this.#line.add(go);
      signal?.addEventListener('abort', leave, { once: true });
      this.#next();
    });
  }

  #next(): void {
    for (const go of this.#line) {
      if (!this.#hasRoom) return;
      this.#line.delete(go);
      go();
    }
  }
}

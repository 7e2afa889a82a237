import { type Context, runService } from './context.ts';
import type { Soon } from './soon.ts';

/**
 * How many lines of work go on in a call of the script that do not wait for functions of the script: an agent, tool or workflow is one, and each of its branches.
 * Where none is left and the functions wait for ever, so does the call.
 */
export class Lines {
  readonly #counts = new Map<string, number>();
  /** Told when a call has none left. */
  onIdle: () => void = () => undefined;

  /** Whether all that goes on in the call of this key waits for functions of the script. */
  idle(key: string): boolean {
    return this.#counts.get(key) === 0;
  }

  /** Counts the lines of a call while it does its work. */
  counted<T>({ key }: Context, work: () => Soon<T>): Soon<T> {
    this.#counts.set(key, 1);
    const done = () => void this.#counts.delete(key);
    try {
      const result = work();
      if (result instanceof Promise) return result.finally(done);
      done();
      return result;
    } catch (error) {
      done();
      throw error;
    }
  }

  /** One line more while the work goes on. */
  busy<T>(context: Context, work: () => Promise<T>): Promise<T> {
    return this.#changed(context, 1, work);
  }

  /** One line less while the work, which is functions of the script or other lines, goes on. */
  waiting<T>(context: Context, work: () => Promise<T>): Promise<T> {
    return this.#changed(context, -1, work);
  }

  async #changed<T>({ key }: Context, by: 1 | -1, work: () => Promise<T>): Promise<T> {
    this.#add(key, by);
    try {
      return await work();
    } finally {
      this.#add(key, -by);
    }
  }

  /** A call that is not counted has no lines. */
  #add(key: string, by: number): void {
    const count = this.#counts.get(key);
    if (count === undefined) return;
    this.#counts.set(key, count + by);
    if (count + by === 0) this.onIdle();
  }
}

export const lines = runService('lines', () => new Lines());

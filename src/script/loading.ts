import { ScriptError } from '../errors.ts';
import type { Fiber } from './fiber.ts';

interface Holder {
  readonly fiber: Fiber;
  readonly released: Promise<null>;
  readonly release: (value: null) => void;
}

/** Which fiber is running the body of which module: another one that needs it waits until that is done. */
export class Loading {
  readonly #method: string;
  readonly #holders = new Map<string, Holder>();
  readonly #waits = new Map<Fiber, string>();

  /** `method` is `require` or `import`, for messages. */
  constructor(method: string) {
    this.#method = method;
  }

  /** True while any module's body runs. */
  get any(): boolean {
    return this.#holders.size > 0;
  }

  /** What the fiber has to wait for before it may use the module; undefined when nobody else runs its body. Throws DEADLOCK when the other one waits for this fiber. */
  wait(name: string, fiber: Fiber): Promise<null> | undefined {
    const holder = this.#holders.get(name);
    if (!holder || holder.fiber === fiber) return undefined;
    if (this.#waitsFor(holder.fiber, fiber))
      throw new ScriptError('DEADLOCK', `${this.#method}: "${name}" is still running and waits for the code that loads it here`, { method: this.#method });
    this.#waits.set(fiber, name);
    return holder.released.finally(() => this.#waits.delete(fiber));
  }

  /** True when this very fiber runs the module's body. */
  holds(name: string, fiber: Fiber): boolean {
    return this.#holders.get(name)?.fiber === fiber;
  }

  /** The fiber begins to run the module's body, if nobody else does. */
  hold(name: string, fiber: Fiber): void {
    if (this.#holders.has(name)) return;
    const { promise, resolve } = Promise.withResolvers<null>();
    this.#holders.set(name, { fiber, released: promise, release: resolve });
  }

  /** The fiber is done with the module, or with all that it ran. */
  release(fiber: Fiber, name?: string): void {
    for (const [held, holder] of this.#holders) {
      if (holder.fiber !== fiber || (name !== undefined && name !== held)) continue;
      this.#holders.delete(held);
      holder.release(null);
    }
  }

  /** Whether `waiting` goes on only when `fiber` does: it is its ancestor, or waits for a module that it (or a fiber like that) runs. */
  #waitsFor(waiting: Fiber, fiber: Fiber): boolean {
    const seen = new Set<Fiber>();
    for (let at: Fiber | undefined = waiting; at && !seen.has(at); ) {
      if (at === fiber || fiber.id.startsWith(`${at.id}.`)) return true;
      seen.add(at);
      const name = this.#waits.get(at);
      at = name === undefined ? undefined : this.#holders.get(name)?.fiber;
    }
    return false;
  }
}

import type { LazyMap, ValueMap } from '../call/value.ts';

/** The lazy maps that an instance has given to its script and that still lack fields, by number. */
export class LazyMaps {
  readonly #all = new Map<number, () => ValueMap>();
  #next = 1;

  /** True when the script may hold one. */
  get any(): boolean {
    return this.#all.size > 0;
  }

  add({ all }: LazyMap): number {
    this.#all.set(this.#next, all);
    return this.#next++;
  }

  /** All fields of one; undefined when the script has had them. */
  get(id: number): ValueMap | undefined {
    return this.#all.get(id)?.();
  }

  /** As above, and forgets it: the script has them now. */
  take(id: number): ValueMap {
    const fields = this.get(id) ?? {};
    this.#all.delete(id);
    return fields;
  }
}

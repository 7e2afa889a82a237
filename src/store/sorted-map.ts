import { compareBytes } from '../call/text.ts';

/** A block with more keys is divided. */
const BLOCK = 256;

interface Block<T> {
  /** Who may change it. */
  readonly owner: object;
  readonly keys: string[];
  readonly values: T[];
}

/**
 * Texts in the order of their UTF-8 bytes with a value each, in blocks of neighbours. A copy takes no time: both go on with the same blocks, and each
 * copies a block before it changes it (copy on write), so a copy can be read or changed over several turns while the other goes on.
 */
export class SortedMap<T> {
  #blocks: Block<T>[] = [];
  #ownsBlocks = true;
  #owner = {};

  copy(): SortedMap<T> {
    const copy = new SortedMap<T>();
    copy.#blocks = this.#blocks;
    copy.#ownsBlocks = false;
    this.#ownsBlocks = false;
    this.#owner = {};
    return copy;
  }

  get(key: string): T | undefined {
    const { block, at, found } = this.#find(key);
    return found ? this.#blocks[block]?.values[at] : undefined;
  }

  set(key: string, value: T): void {
    const { block, at, found } = this.#find(key);
    const own = this.#own(block);
    if (found) {
      own.values[at] = value;
      return;
    }
    own.keys.splice(at, 0, key);
    own.values.splice(at, 0, value);
    if (own.keys.length <= BLOCK) return;
    // What comes in order leaves full blocks behind.
    const from = at === BLOCK ? BLOCK : BLOCK / 2;
    this.#blocks.splice(block + 1, 0, { owner: this.#owner, keys: own.keys.splice(from), values: own.values.splice(from) });
  }

  /** Whether it was there. */
  delete(key: string): boolean {
    const { block, at, found } = this.#find(key);
    if (!found) return false;
    const own = this.#own(block);
    own.keys.splice(at, 1);
    own.values.splice(at, 1);
    if (own.keys.length === 0) this.#blocks.splice(block, 1);
    return true;
  }

  /** All from a key on; this map may not be changed meanwhile, only a copy. */
  *from(key = ''): Generator<[string, T]> {
    const start = this.#find(key);
    let { at } = start;
    for (let block = start.block; block < this.#blocks.length; block++, at = 0) {
      const { keys, values } = this.#blocks[block] as Block<T>;
      for (; at < keys.length; at++) yield [keys[at] as string, values[at] as T];
    }
  }

  /** Where a key is or would come, in the last block that does not begin behind it. */
  #find(key: string): { block: number; at: number; found: boolean } {
    let [block, end] = [0, this.#blocks.length];
    while (end - block > 1) {
      const middle = (block + end) >> 1;
      if (compareBytes(this.#blocks[middle]?.keys[0] as string, key) <= 0) block = middle;
      else end = middle;
    }
    const keys = this.#blocks[block]?.keys ?? [];
    let [at, last] = [0, keys.length];
    while (at < last) {
      const middle = (at + last) >> 1;
      if (compareBytes(keys[middle] as string, key) < 0) at = middle + 1;
      else last = middle;
    }
    return { block, at, found: keys[at] === key };
  }

  /** A block that may be changed. */
  #own(at: number): Block<T> {
    if (!this.#ownsBlocks) this.#blocks = [...this.#blocks];
    this.#ownsBlocks = true;
    const found = this.#blocks[at];
    if (found?.owner === this.#owner) return found;
    const own = { owner: this.#owner, keys: [...(found?.keys ?? [])], values: [...(found?.values ?? [])] };
    this.#blocks[at] = own;
    return own;
  }
}

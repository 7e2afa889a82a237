import type { Found } from './vector.ts';

/** Keeps the best `limit` of all that it is shown: a heap whose root is the worst one kept. Equal scores are ordered by key. */
export class Top {
  readonly #limit: number;
  readonly #keys: number[] = [];
  readonly #scores: number[] = [];
  /** What a score must reach to be kept. */
  threshold = Number.NEGATIVE_INFINITY;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(key: number, score: number): void {
    if (this.#limit <= 0 || Number.isNaN(score)) return;
    if (this.#keys.length < this.#limit) {
      this.#keys.push(key);
      this.#scores.push(score);
      this.#up(this.#keys.length - 1);
    } else if (this.#worse(this.#keys[0] as number, this.#scores[0] as number, key, score)) {
      this.#keys[0] = key;
      this.#scores[0] = score;
      this.#down();
    }
    if (this.#keys.length === this.#limit) this.threshold = this.#scores[0] as number;
  }

  /** Best first. */
  found(): Found[] {
    return this.#keys.map((key, at) => ({ key, score: this.#scores[at] as number })).sort((a, b) => b.score - a.score || a.key - b.key);
  }

  #worse(key: number, score: number, otherKey: number, otherScore: number): boolean {
    return score < otherScore || (score === otherScore && key > otherKey);
  }

  #less(a: number, b: number): boolean {
    return this.#worse(this.#keys[a] as number, this.#scores[a] as number, this.#keys[b] as number, this.#scores[b] as number);
  }

  #swap(a: number, b: number): void {
    [this.#keys[a], this.#keys[b]] = [this.#keys[b] as number, this.#keys[a] as number];
    [this.#scores[a], this.#scores[b]] = [this.#scores[b] as number, this.#scores[a] as number];
  }

  #up(at: number): void {
    for (let child = at; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#less(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #down(): void {
    for (let parent = 0; ; ) {
      let least = 2 * parent + 1;
      if (least >= this.#keys.length) return;
      if (least + 1 < this.#keys.length && this.#less(least + 1, least)) least++;
      if (!this.#less(least, parent)) return;
      this.#swap(least, parent);
      parent = least;
    }
  }
}
